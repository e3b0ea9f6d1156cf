"""The double's network types: VPC, subnets, gateways, routes, endpoints, peering, flow logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zlib import crc32

from botocore.exceptions import ClientError

from tests.engine.double.cloud import pascal
from tests.engine.double.kind import Ec2, Inputs, Kind, forgiving, retag

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.engine.double.cloud import Cloud


class Vpc(Ec2):
    noun = "vpc"
    fields = ("cidrBlock", "instanceTenancy")
    replaces = frozenset({"cidrBlock"})

    def settle(self, cloud: Cloud, made: str, inputs: Inputs) -> None:
        for name in ("enableDnsSupport", "enableDnsHostnames"):
            if name in inputs:
                cloud.client("ec2").modify_vpc_attribute(VpcId=made, **{pascal(name): {"Value": inputs[name]}})

    def more(self, cloud: Cloud, made: str, _inputs: Inputs) -> Inputs:
        ec2 = cloud.client("ec2")
        own = [{"Name": "vpc-id", "Values": [made]}]
        groups = ec2.describe_security_groups(Filters=[*own, {"Name": "group-name", "Values": ["default"]}])
        tables = ec2.describe_route_tables(Filters=[*own, {"Name": "association.main", "Values": ["true"]}])
        table = tables["RouteTables"][0]["RouteTableId"]
        return {
            "defaultSecurityGroupId": groups["SecurityGroups"][0]["GroupId"],
            "defaultRouteTableId": table,
            "mainRouteTableId": table,
        }


class Subnet(Ec2):
    noun = "subnet"
    fields = ("vpcId", "cidrBlock", "availabilityZone", "availabilityZoneId")
    replaces = frozenset(fields)

    def settle(self, cloud: Cloud, made: str, inputs: Inputs) -> None:
        if "mapPublicIpOnLaunch" in inputs:
            value = {"Value": inputs["mapPublicIpOnLaunch"]}
            cloud.client("ec2").modify_subnet_attribute(SubnetId=made, MapPublicIpOnLaunch=value)


class InternetGateway(Ec2):
    noun = "internet_gateway"
    replaces = frozenset({"vpcId"})

    def create(self, cloud: Cloud, inputs: Inputs) -> str:
        made = super().create(cloud, inputs)
        if inputs.get("vpcId"):
            cloud.client("ec2").attach_internet_gateway(InternetGatewayId=made, VpcId=inputs["vpcId"])
        return made

    def delete(self, cloud: Cloud, made: str, olds: Inputs) -> None:
        ec2 = cloud.client("ec2")
        if olds.get("vpcId"):
            forgiving(lambda: ec2.detach_internet_gateway(InternetGatewayId=made, VpcId=olds["vpcId"]))
        super().delete(cloud, made, olds)


class Eip(Kind):
    replaces = frozenset({"domain"})

    def create(self, cloud: Cloud, inputs: Inputs) -> str:
        answer = cloud.client("ec2").allocate_address(Domain="vpc", **cloud.specified("elastic-ip", inputs))
        return str(answer["AllocationId"])

    def read(self, cloud: Cloud, made: str, _inputs: Inputs) -> Inputs | None:
        found = forgiving(lambda: cloud.client("ec2").describe_addresses(AllocationIds=[made])["Addresses"])
        if not found:
            return None
        there = found[0]
        arn = cloud.arn("ec2", f"elastic-ip/{made}")
        tags = cloud.own_tags(there.get("Tags"))
        return {"allocationId": made, "publicIp": there["PublicIp"], "domain": "vpc", "arn": arn, "tags": tags}

    def update(self, cloud: Cloud, made: str, olds: Inputs, news: Inputs) -> None:
        retag(cloud, made, olds, news)

    def delete(self, cloud: Cloud, made: str, _olds: Inputs) -> None:
        forgiving(lambda: cloud.client("ec2").release_address(AllocationId=made))


class NatGateway(Ec2):
    noun = "nat_gateway"
    arn_noun = "natgateway"
    fields = ("subnetId", "allocationId", "connectivityType")
    replaces = frozenset(fields)

    def is_terminal(self, there: Mapping[str, Any]) -> bool:
        return there["State"] in {"deleted", "deleting"}


class RouteTable(Ec2):
    noun = "route_table"
    fields = ("vpcId",)
    replaces = frozenset(fields)

    def settle(self, cloud: Cloud, made: str, inputs: Inputs) -> None:
        for route in inputs.get("routes") or []:
            target = {pascal(name): value for name, value in route.items() if name != "cidrBlock" and value}
            arguments = {"RouteTableId": made, "DestinationCidrBlock": route["cidrBlock"], **target}
            try:
                cloud.client("ec2").create_route(**arguments)
            except ClientError:
                cloud.client("ec2").replace_route(**arguments)


class Route(Kind):
    targets = ("gatewayId", "natGatewayId", "vpcPeeringConnectionId", "transitGatewayId", "networkInterfaceId")
    replaces = frozenset({"routeTableId", "destinationCidrBlock"})

    def create(self, cloud: Cloud, inputs: Inputs) -> str:
        table, range_ = inputs["routeTableId"], inputs["destinationCidrBlock"]
        cloud.client("ec2").create_route(RouteTableId=table, DestinationCidrBlock=range_, **self._ends(inputs))
        # The id that the real provider makes up.
        return f"r-{table}{crc32(range_.encode())}"

    def read(self, cloud: Cloud, _made: str, inputs: Inputs) -> Inputs | None:
        table, range_ = inputs["routeTableId"], inputs["destinationCidrBlock"]
        tables = forgiving(lambda: cloud.client("ec2").describe_route_tables(RouteTableIds=[table])["RouteTables"])
        routes = [one for there in tables or () for one in there["Routes"]]
        route = next((one for one in routes if one.get("DestinationCidrBlock") == range_), None)
        if route is None:
            return None
        ends = {name: route.get(pascal(name)) for name in self.targets if inputs.get(name) or route.get(pascal(name))}
        return {"routeTableId": table, "destinationCidrBlock": range_, "state": "active", **ends}

    def update(self, cloud: Cloud, _made: str, _olds: Inputs, news: Inputs) -> None:
        table, range_ = news["routeTableId"], news["destinationCidrBlock"]
        cloud.client("ec2").replace_route(RouteTableId=table, DestinationCidrBlock=range_, **self._ends(news))

    def delete(self, cloud: Cloud, _made: str, olds: Inputs) -> None:
        table, range_ = olds["routeTableId"], olds["destinationCidrBlock"]
        forgiving(lambda: cloud.client("ec2").delete_route(RouteTableId=table, DestinationCidrBlock=range_))

    def _ends(self, inputs: Inputs) -> Inputs:
        return {pascal(name): inputs[name] for name in self.targets if inputs.get(name)}


class RouteTableAssociation(Kind):
    replaces = frozenset({"routeTableId", "subnetId", "gatewayId"})

    def create(self, cloud: Cloud, inputs: Inputs) -> str:
        wanted = {pascal(name): inputs[name] for name in ("routeTableId", "subnetId", "gatewayId") if inputs.get(name)}
        return str(cloud.client("ec2").associate_route_table(**wanted)["AssociationId"])

    def read(self, cloud: Cloud, made: str, _inputs: Inputs) -> Inputs | None:
        wanted = [{"Name": "association.route-table-association-id", "Values": [made]}]
        for table in cloud.client("ec2").describe_route_tables(Filters=wanted)["RouteTables"]:
            for one in table["Associations"]:
                if one["RouteTableAssociationId"] == made:
                    return {"routeTableId": table["RouteTableId"], "subnetId": one.get("SubnetId")}
        return None

    def delete(self, cloud: Cloud, made: str, _olds: Inputs) -> None:
        forgiving(lambda: cloud.client("ec2").disassociate_route_table(AssociationId=made))


class VpcEndpoint(Ec2):
    noun = "vpc_endpoint"
    arn_noun = "vpc_endpoint"
    fields = (
        "vpcId", "serviceName", "vpcEndpointType", "routeTableIds", "subnetIds", "securityGroupIds",
        "privateDnsEnabled", "policy",
    )  # fmt: skip
    renamed = {"policy": "PolicyDocument"}  # noqa: RUF012 - a table
    replaces = frozenset({"vpcId", "serviceName", "vpcEndpointType"})

    def is_terminal(self, there: Mapping[str, Any]) -> bool:
        return there["State"].lower() in {"deleted", "deleting"}

    def update(self, cloud: Cloud, made: str, olds: Inputs, news: Inputs) -> None:
        retag(cloud, made, olds, news)

    def delete(self, cloud: Cloud, made: str, _olds: Inputs) -> None:
        forgiving(lambda: cloud.client("ec2").delete_vpc_endpoints(VpcEndpointIds=[made]))


class Peering(Ec2):
    noun = "vpc_peering_connection"
    fields = ("vpcId", "peerVpcId", "peerRegion", "peerOwnerId")
    replaces = frozenset(fields)

    def settle(self, cloud: Cloud, made: str, inputs: Inputs) -> None:
        if inputs.get("autoAccept"):
            forgiving(lambda: cloud.client("ec2").accept_vpc_peering_connection(VpcPeeringConnectionId=made))

    def is_terminal(self, there: Mapping[str, Any]) -> bool:
        return there["Status"]["Code"] in {"deleted", "deleting"}


class PeeringAccepter(Kind):
    replaces = frozenset({"vpcPeeringConnectionId"})

    def create(self, cloud: Cloud, inputs: Inputs) -> str:
        made = str(inputs["vpcPeeringConnectionId"])
        cloud.client("ec2").accept_vpc_peering_connection(VpcPeeringConnectionId=made)
        return made

    def read(self, cloud: Cloud, made: str, _inputs: Inputs) -> Inputs | None:
        return Peering().read(cloud, made, {})

    def delete(self, cloud: Cloud, made: str, olds: Inputs) -> None:
        """Forget it: it goes with the connection."""


class FlowLog(Kind):
    replaces = frozenset({"vpcId", "subnetId", "trafficType", "logDestination", "iamRoleArn", "logDestinationType"})

    def create(self, cloud: Cloud, inputs: Inputs) -> str:
        kind, resource = ("VPC", inputs["vpcId"]) if inputs.get("vpcId") else ("Subnet", inputs["subnetId"])
        answer = cloud.client("ec2").create_flow_logs(
            ResourceIds=[resource],
            ResourceType=kind,
            TrafficType=inputs.get("trafficType", "ALL"),
            LogDestinationType=inputs.get("logDestinationType", "cloud-watch-logs"),
            LogDestination=inputs["logDestination"],
            **({"DeliverLogsPermissionArn": inputs["iamRoleArn"]} if inputs.get("iamRoleArn") else {}),
            **cloud.specified("vpc-flow-log", inputs),
        )
        if answer.get("Unsuccessful"):
            raise ValueError(str(answer["Unsuccessful"]))
        return str(answer["FlowLogIds"][0])

    def read(self, cloud: Cloud, made: str, _inputs: Inputs) -> Inputs | None:
        found = cloud.client("ec2").describe_flow_logs(FlowLogIds=[made])["FlowLogs"]
        return {"arn": cloud.arn("ec2", f"vpc-flow-log/{made}")} if found else None

    def update(self, cloud: Cloud, made: str, olds: Inputs, news: Inputs) -> None:
        retag(cloud, made, olds, news)

    def delete(self, cloud: Cloud, made: str, _olds: Inputs) -> None:
        forgiving(lambda: cloud.client("ec2").delete_flow_logs(FlowLogIds=[made]))
