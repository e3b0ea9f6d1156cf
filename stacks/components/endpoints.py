"""Endpoints: AWS services that are reached inside the network. S3 costs nothing and is always there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from leptonctl.sitefile.aws import partition_of
from stacks.components.tagging import tags_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leptonctl.planning.aws_types import LocationArgs

_SERVICE = "com.amazonaws"


@dataclass(frozen=True, slots=True)
class EndpointsArgs:
    """The location, and where in its network the endpoints go: a private subnet a zone, every route table."""

    location: LocationArgs
    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    route_table_ids: Sequence[pulumi.Input[str]]


class Endpoints(pulumi.ComponentResource):
    """The gateway to S3, and an interface in each zone for every other service that the location asks for."""

    def __init__(self, name: str, args: EndpointsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("leptonctl:endpoints:Endpoints", name, None, opts)
        location, own = args.location, pulumi.ResourceOptions(parent=self)
        prefix = f"cn.{_SERVICE}" if partition_of(location.region) == "aws-cn" else _SERVICE
        aws.ec2.VpcEndpoint(
            f"{name}-s3",
            vpc_id=args.vpc_id,
            service_name=f"{_SERVICE}.{location.region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=list(args.route_table_ids),
            tags=tags_of(location, "network", "s3"),
            opts=own,
        )
        if location.network.endpoints:
            group = aws.ec2.SecurityGroup(
                f"{name}-group",
                vpc_id=args.vpc_id,
                description="leptonctl: services inside the network",
                tags=tags_of(location, "network", "endpoints"),
                opts=own,
            )
            aws.vpc.SecurityGroupIngressRule(
                f"{name}-https",
                security_group_id=group.id,
                cidr_ipv4=location.network.cidr,
                ip_protocol="tcp",
                from_port=443,
                to_port=443,
                tags=tags_of(location, "network", "endpoints-https"),
                opts=own,
            )
            for service in location.network.endpoints:
                aws.ec2.VpcEndpoint(
                    f"{name}-{service}",
                    vpc_id=args.vpc_id,
                    service_name=f"{prefix}.{location.region}.{service}",
                    vpc_endpoint_type="Interface",
                    subnet_ids=list(args.subnet_ids),
                    security_group_ids=[group.id],
                    private_dns_enabled=True,
                    tags=tags_of(location, "network", service),
                    opts=own,
                )
        self.register_outputs({})
