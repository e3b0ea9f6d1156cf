"""Network: a location's VPC with its subnets, routes, ways out, private DNS zone and flow record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from leptonctl.planning.aws_names import zone_name
from leptonctl.sitefile.aws import private_subnet, public_subnet
from stacks.components.endpoints import Endpoints, EndpointsArgs
from stacks.components.flowlog import FlowLog, FlowLogArgs
from stacks.components.tagging import tags_of

if TYPE_CHECKING:
    from leptonctl.planning.aws_types import LocationArgs

ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True, slots=True)
class NetworkInputs:
    """The location whose network it is."""

    location: LocationArgs


class Network(pulumi.ComponentResource):
    """A VPC. Private subnets have no way in; public ones exist where there is a NAT gateway or a public group.

    Gives `vpc`, `zone` (DNS), `private_subnets` and `public_subnets` by zone, and `route_tables`: the private one of
    each zone, then the one that the public subnets share.
    """

    def __init__(self, name: str, args: NetworkInputs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("leptonctl:network:Network", name, None, opts)
        self._name = name
        self._location = args.location
        self._network = args.location.network
        self._own = pulumi.ResourceOptions(parent=self)
        self.vpc = aws.ec2.Vpc(
            f"{name}-vpc",
            cidr_block=self._network.cidr,
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags=self._tags("vpc"),
            opts=self._own,
        )
        # Named without rules, it has none: nothing may lean on it by accident.
        aws.ec2.DefaultSecurityGroup(f"{name}-default", vpc_id=self.vpc.id, tags=self._tags("default"), opts=self._own)
        zones = self._zone_names()
        self.private_subnets = [self._subnet(number, zone, is_public=False) for number, zone in enumerate(zones)]
        self.public_subnets: list[aws.ec2.Subnet] = []
        self.route_tables = [self._private_table(number) for number in range(len(zones))]
        if self._network.has_public_subnets:
            self.public_subnets = [self._subnet(number, zone, is_public=True) for number, zone in enumerate(zones)]
            self.route_tables.append(self._public_table())
            self._ways_out()
        self.zone = aws.route53.Zone(
            f"{name}-zone",
            name=zone_name(self._location),
            # Networks that are peered with this one are associated by their own stacks.
            vpcs=[aws.route53.ZoneVpcArgs(vpc_id=self.vpc.id, vpc_region=self._location.region)],
            comment=f"hosts of {self._location.location}",
            tags=self._tags("zone"),
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["vpcs"]),
        )
        child = pulumi.ResourceOptions(parent=self)
        Endpoints(
            f"{name}-endpoints",
            EndpointsArgs(
                location=self._location,
                vpc_id=self.vpc.id,
                subnet_ids=[subnet.id for subnet in self.private_subnets],
                route_table_ids=[table.id for table in self.route_tables],
            ),
            child,
        )
        FlowLog(f"{name}-flow", FlowLogArgs(location=self._location, vpc_id=self.vpc.id), child)
        self.register_outputs({"vpc_id": self.vpc.id})

    def _zone_names(self) -> list[pulumi.Input[str]]:
        if self._network.zones:
            return list(self._network.zones)
        found = aws.get_availability_zones_output(
            state="available",
            filters=[
                aws.GetAvailabilityZonesFilterArgs(name="opt-in-status", values=["opt-in-not-required"]),
                aws.GetAvailabilityZonesFilterArgs(name="zone-type", values=["availability-zone"]),
            ],
            opts=pulumi.InvokeOutputOptions(parent=self),
        )
        return [found.names[number] for number in range(self._network.zone_count)]

    def _subnet(self, number: int, zone: pulumi.Input[str], *, is_public: bool) -> aws.ec2.Subnet:
        kind, cut = ("public", public_subnet) if is_public else ("private", private_subnet)
        return aws.ec2.Subnet(
            f"{self._name}-{kind}-{number + 1}",
            vpc_id=self.vpc.id,
            cidr_block=str(cut(self._network.cidr, number)),
            availability_zone=zone,
            # A host says itself that it wants a public address.
            map_public_ip_on_launch=False,
            tags=self._tags(f"{kind}-{number + 1}"),
            # A zone that AWS adds later must not move the subnets that are there.
            opts=pulumi.ResourceOptions(
                parent=self, ignore_changes=[] if self._network.zones else ["availabilityZone"]
            ),
        )

    def _private_table(self, number: int) -> aws.ec2.RouteTable:
        table = aws.ec2.RouteTable(
            f"{self._name}-private-{number + 1}",
            vpc_id=self.vpc.id,
            tags=self._tags(f"private-{number + 1}"),
            opts=self._own,
        )
        aws.ec2.RouteTableAssociation(
            f"{self._name}-private-{number + 1}",
            subnet_id=self.private_subnets[number].id,
            route_table_id=table.id,
            opts=self._own,
        )
        return table

    def _public_table(self) -> aws.ec2.RouteTable:
        table = aws.ec2.RouteTable(
            f"{self._name}-public", vpc_id=self.vpc.id, tags=self._tags("public"), opts=self._own
        )
        for number, subnet in enumerate(self.public_subnets):
            aws.ec2.RouteTableAssociation(
                f"{self._name}-public-{number + 1}", subnet_id=subnet.id, route_table_id=table.id, opts=self._own
            )
        return table

    def _ways_out(self) -> None:
        """The internet gateway of the public subnets, and the NAT gateways that private hosts go out through."""
        gateway = aws.ec2.InternetGateway(
            f"{self._name}-internet", vpc_id=self.vpc.id, tags=self._tags("internet"), opts=self._own
        )
        public_route = aws.ec2.Route(
            f"{self._name}-public-internet",
            route_table_id=self.route_tables[-1].id,
            destination_cidr_block=ANYWHERE,
            gateway_id=gateway.id,
            opts=self._own,
        )
        if self._network.internet == "none":
            return
        count = len(self.private_subnets) if self._network.internet == "nat-per-zone" else 1
        # A NAT gateway that is made before the route works fails in AWS.
        after = pulumi.ResourceOptions(parent=self, depends_on=[public_route])
        gateways = []
        for number in range(count):
            label = f"nat-{number + 1}"
            address = aws.ec2.Eip(f"{self._name}-{label}", domain="vpc", tags=self._tags(label), opts=after)
            gateways.append(
                aws.ec2.NatGateway(
                    f"{self._name}-{label}",
                    allocation_id=address.allocation_id,
                    subnet_id=self.public_subnets[number].id,
                    tags=self._tags(label),
                    opts=after,
                )
            )
        for number in range(len(self.private_subnets)):
            aws.ec2.Route(
                f"{self._name}-private-{number + 1}-internet",
                route_table_id=self.route_tables[number].id,
                destination_cidr_block=ANYWHERE,
                nat_gateway_id=gateways[min(number, count - 1)].id,
                opts=self._own,
            )

    def _tags(self, label: str) -> dict[str, str]:
        return tags_of(self._location, "network", label)
