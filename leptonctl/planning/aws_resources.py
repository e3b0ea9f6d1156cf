"""The resources that a location's stack registers, computed without Pulumi: what `plan` lists, also offline.

A test holds that this list and what the programs in `stacks/aws` register are the same, for every sample site.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from leptonctl.planning.aws_cluster_resources import cluster_resources
from leptonctl.planning.aws_types import PlannedResource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.planning.aws_types import (
        BucketArgs,
        FileSystemArgs,
        GroupArgs,
        LocationArgs,
        PeerArgs,
        ResourceRole,
    )

INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
SECURITY_GROUP = "aws:ec2/securityGroup:SecurityGroup"
ROUTE = "aws:ec2/route:Route"
VPC_ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
INSTANCE = "aws:ec2/instance:Instance"
SCALING_GROUP = "aws:autoscaling/group:Group"
VOLUME = "aws:ebs/volume:Volume"
# What closes a bucket, each a resource of its own in AWS, by the end of its name.
BUCKET_PARTS = {
    "closed": "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "ownership": "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
    "encryption": "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "versions": "aws:s3/bucketVersioning:BucketVersioning",
    "lifecycle": "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    "tls": "aws:s3/bucketPolicy:BucketPolicy",
}


def planned_resources(args: LocationArgs) -> tuple[PlannedResource, ...]:
    """Every resource of the location's stack but its components: type, name, and what it is for. Each stands once."""
    found = [*_as("network", args.location, _network(args))]
    for bucket in args.buckets:
        found += _bucket(bucket)
    for group in args.groups:
        found += _group(args, group)
    for volume in args.volumes:
        name = f"{volume.store}.{volume.host}"
        found.append(PlannedResource(VOLUME, name, "volume", volume.address, is_data=True))
        found.append(PlannedResource("aws:ec2/volumeAttachment:VolumeAttachment", name, "volume", volume.address))
    for system in args.file_systems:
        found += _file_system(args, system)
    if args.cluster is not None:
        found += _as("cluster", args.location, cluster_resources(args.cluster))
    for peer in args.peers:
        found += _as("peering", args.location, _peering(args, peer))
    return tuple(found)


def surroundings(args: LocationArgs) -> str:
    """What the stack registers besides hosts, volumes and stores, counted: `1 Vpc, 4 Subnet, ...`."""
    counts = Counter(
        one.type.rpartition(":")[2] for one in planned_resources(args) if one.role in ("network", "access", "peering")
    )
    return ", ".join(f"{count} {kind}" for kind, count in counts.items())


def _as(role: ResourceRole, address: str, pairs: Iterator[tuple[str, str]]) -> Iterator[PlannedResource]:
    return (PlannedResource(kind, name, role, address) for kind, name in pairs)


def _network(args: LocationArgs) -> Iterator[tuple[str, str]]:
    network, zones = args.network, range(1, args.network.zone_count + 1)
    yield "aws:ec2/vpc:Vpc", "network-vpc"
    yield "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "network-default"
    for zone in zones:
        yield "aws:ec2/subnet:Subnet", f"network-private-{zone}"
        yield "aws:ec2/routeTable:RouteTable", f"network-private-{zone}"
        yield "aws:ec2/routeTableAssociation:RouteTableAssociation", f"network-private-{zone}"
    if network.has_public_subnets:
        for zone in zones:
            yield "aws:ec2/subnet:Subnet", f"network-public-{zone}"
            yield "aws:ec2/routeTableAssociation:RouteTableAssociation", f"network-public-{zone}"
        yield "aws:ec2/routeTable:RouteTable", "network-public"
        yield "aws:ec2/internetGateway:InternetGateway", "network-internet"
        yield ROUTE, "network-public-internet"
    if network.internet != "none":
        for number in range(1, (network.zone_count if network.internet == "nat-per-zone" else 1) + 1):
            yield "aws:ec2/eip:Eip", f"network-nat-{number}"
            yield "aws:ec2/natGateway:NatGateway", f"network-nat-{number}"
        for zone in zones:
            yield ROUTE, f"network-private-{zone}-internet"
    yield "aws:route53/zone:Zone", "network-zone"
    yield VPC_ENDPOINT, "network-endpoints-s3"
    if network.endpoints:
        yield SECURITY_GROUP, "network-endpoints-group"
        yield INGRESS, "network-endpoints-https"
        for service in network.endpoints:
            yield VPC_ENDPOINT, f"network-endpoints-{service}"
    yield "aws:cloudwatch/logGroup:LogGroup", "network-flow-log"
    yield "aws:iam/role:Role", "network-flow-writer"
    yield "aws:iam/rolePolicy:RolePolicy", "network-flow-writer"
    yield "aws:ec2/flowLog:FlowLog", "network-flow-record"


def _group(args: LocationArgs, group: GroupArgs) -> Iterator[PlannedResource]:
    yield from _as("access", args.location, _group_access(args, group))
    if group.scaling is not None:
        yield PlannedResource(SCALING_GROUP, f"{group.name}-scaling", "group", group.scaling.address)
    for host in group.hosts:
        yield PlannedResource(INSTANCE, host.name, "host", host.address)
        yield PlannedResource("aws:route53/record:Record", host.name, "host", host.address)


def _group_access(args: LocationArgs, group: GroupArgs) -> Iterator[tuple[str, str]]:
    name = group.name
    yield "aws:iam/role:Role", f"{name}-identity-role"
    yield "aws:iam/instanceProfile:InstanceProfile", f"{name}-identity-profile"
    if any(name in bucket.groups for bucket in args.buckets):
        yield "aws:iam/rolePolicy:RolePolicy", f"{name}-identity-buckets"
    yield SECURITY_GROUP, f"{name}-access"
    for rule in group.ingress:
        yield INGRESS, f"{name}-{rule.name}"
    yield EGRESS, f"{name}-out"
    if group.network_cards:
        yield INGRESS, f"{name}-efa"
        yield EGRESS, f"{name}-efa"
    if group.placement:
        yield "aws:ec2/placementGroup:PlacementGroup", f"{name}-launch-placement"
    yield "aws:ec2/launchTemplate:LaunchTemplate", f"{name}-launch-template"


def _bucket(bucket: BucketArgs) -> Iterator[PlannedResource]:
    yield PlannedResource("aws:s3/bucket:Bucket", f"{bucket.name}-bucket", "store", bucket.address, is_data=True)
    for end, kind in BUCKET_PARTS.items():
        yield PlannedResource(kind, f"{bucket.name}-{end}", "store", bucket.address)


def _file_system(args: LocationArgs, system: FileSystemArgs) -> Iterator[PlannedResource]:
    name, is_efs = system.name, system.kind == "efs"
    kind = "aws:efs/fileSystem:FileSystem" if is_efs else "aws:fsx/lustreFileSystem:LustreFileSystem"
    yield PlannedResource(kind, f"{name}-files", "store", system.address, is_data=True)
    yield PlannedResource(SECURITY_GROUP, f"{name}-access", "store", system.address)
    for port in (2049,) if is_efs else (988, 1018):
        yield PlannedResource(INGRESS, f"{name}-{port}", "store", system.address)
    if not is_efs:
        yield PlannedResource(EGRESS, f"{name}-out", "store", system.address)
        return
    for zone in range(1, args.network.zone_count + 1):
        yield PlannedResource("aws:efs/mountTarget:MountTarget", f"{name}-{zone}", "store", system.address)


def _peering(args: LocationArgs, peer: PeerArgs) -> Iterator[tuple[str, str]]:
    name = f"peering-{peer.address.replace('/', '-')}"
    yield "aws:ec2/vpcPeeringConnection:VpcPeeringConnection", f"{name}-connection"
    if peer.region != args.region:
        yield "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter", f"{name}-accepted"
    for number in range(1, args.network.zone_count + args.network.has_public_subnets + 1):
        yield ROUTE, f"{name}-there-{number}"
    for number in range(1, peer.route_table_count + 1):
        yield ROUTE, f"{name}-back-{number}"
    for end in ("names-there", "names-back"):
        yield "aws:route53/zoneAssociation:ZoneAssociation", f"{name}-{end}"
