"""How what an interrupted creation made is found again: one entry for every type that the stacks register.

Either by the tags that it had from its first moment, or by the name that was chosen for it before, or by what it is
made of where it can carry no tag. `REPEATED` are those that may simply be made again, with the reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zlib import crc32

from leptonctl.errors import PlatformFailed
from leptonctl.planning import aws_tags
from leptonctl.planning.aws_cluster_resources import INSIDE
from leptonctl.platforms.aws_listing import EC2, RULES, SCALING_GROUP, SCALING_GROUPS, SERVICES, all_of, tagged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from leptonctl.platforms.aws_cloud import AwsCloud
    from leptonctl.platforms.aws_listing import Listing

    Inputs = Mapping[str, Any]
    Finder = Callable[[AwsCloud, Inputs], tuple[str, ...]]

_ABSENT = ("NotFound", "NoSuch", "404", "DoesNotExist")


def _by_tags(type_: str) -> Finder:
    """By all of its tags, in AWS's list of the type; what is going or gone does not count."""
    listing = _listing(type_)

    def find(cloud: AwsCloud, inputs: Inputs) -> tuple[str, ...]:
        tags = marks_of(inputs)
        if aws_tags.SITE not in tags or aws_tags.LOCATION not in tags:
            return ()
        there = all_of(cloud, listing, tags[aws_tags.SITE], tags[aws_tags.LOCATION])
        return tuple(
            one.id
            for one in there
            if tags.items() <= one.tags.items() and one.status not in listing.gone and not one.is_going
        )

    return find


def marks_of(inputs: Inputs) -> dict[str, str]:
    """The tags that a resource was to have; a scaling group has a list of them."""
    tags = inputs.get("tags") or {}
    return {one["key"]: one["value"] for one in tags} if isinstance(tags, list) else dict(tags)


def _listing(type_: str) -> Listing:
    return next(one for one in (*EC2, SCALING_GROUPS, RULES, *SERVICES) if one.type == type_)


def _by_name(service: str, call: str, argument: str, *, field: str = "name") -> Callable[..., tuple[str, ...]]:
    """By its name, which is its id; the service answers with an error where it is not there."""

    def find(cloud: AwsCloud, inputs: Inputs, **more: str) -> tuple[str, ...]:
        name = inputs.get(field)
        if not isinstance(name, str):
            return ()
        try:
            cloud.call(service, call, **{argument: name, **more})
        except PlatformFailed as failed:
            if any(word in failed.message for word in _ABSENT):
                return ()
            raise
        return (name,)

    return find


def _log_group(cloud: AwsCloud, inputs: Inputs) -> tuple[str, ...]:
    answer = cloud.call("logs", "describe_log_groups", logGroupNamePrefix=inputs["name"])
    return tuple(one["logGroupName"] for one in answer["logGroups"] if one["logGroupName"] == inputs["name"])


def _placement_group(cloud: AwsCloud, inputs: Inputs) -> tuple[str, ...]:
    filters = [{"Name": "group-name", "Values": [inputs["name"]]}]
    answer = cloud.call("ec2", "describe_placement_groups", Filters=filters)
    return tuple(one["GroupName"] for one in answer["PlacementGroups"] if one["State"] not in {"deleting", "deleted"})


def _route(cloud: AwsCloud, inputs: Inputs) -> tuple[str, ...]:
    """By its table and range. Its id is the provider's own: both, the range as a checksum."""
    table, range_ = inputs["routeTableId"], inputs["destinationCidrBlock"]
    there = cloud.call("ec2", "describe_route_tables", Filters=[{"Name": "route-table-id", "Values": [table]}])
    ranges = {route.get("DestinationCidrBlock") for one in there["RouteTables"] for route in one["Routes"]}
    return (f"r-{table}{crc32(range_.encode())}",) if range_ in ranges else ()


def _route_table_association(cloud: AwsCloud, inputs: Inputs) -> tuple[str, ...]:
    """By its subnet, which has one at most."""
    wanted = {"SubnetId": inputs["subnetId"], "RouteTableId": inputs["routeTableId"]}
    filters = [{"Name": "association.subnet-id", "Values": [inputs["subnetId"]]}]
    there = cloud.call("ec2", "describe_route_tables", Filters=filters)["RouteTables"]
    ends = [end for table in there for end in table["Associations"] if wanted.items() <= end.items()]
    return tuple(end["RouteTableAssociationId"] for end in ends)


def _zone(cloud: AwsCloud, inputs: Inputs) -> tuple[str, ...]:
    """A private zone by its name, in the network that sees it first: no network sees two zones of a name."""
    name = f"{inputs['name'].rstrip('.')}."
    network = inputs["vpcs"][0]
    region = network.get("vpcRegion") or cloud.region
    there = cloud.call("route53", "list_hosted_zones_by_vpc", VPCId=network["vpcId"], VPCRegion=region)
    return tuple(one["HostedZoneId"] for one in there["HostedZoneSummaries"] if one["Name"] == name)


def _zone_association(cloud: AwsCloud, inputs: Inputs) -> tuple[str, ...]:
    zone, network = inputs["zoneId"], inputs["vpcId"]
    there = cloud.call("route53", "get_hosted_zone", Id=zone).get("VPCs", ())
    return (f"{zone}:{network}",) if any(one["VPCId"] == network for one in there) else ()


def _record(cloud: AwsCloud, inputs: Inputs) -> tuple[str, ...]:
    zone, name, type_ = inputs["zoneId"], str(inputs["name"]).rstrip("."), inputs["type"]
    from_there = {"StartRecordName": name, "StartRecordType": type_, "MaxItems": "1"}
    there = cloud.call("route53", "list_resource_record_sets", HostedZoneId=zone, **from_there)["ResourceRecordSets"]
    is_there = any((one["Name"].rstrip("."), one["Type"]) == (name, type_) for one in there)
    return (f"{zone}_{name}_{type_}",) if is_there else ()


def _mount_target(cloud: AwsCloud, inputs: Inputs) -> tuple[str, ...]:
    """By its subnet: a file system has one a zone."""
    there = cloud.call("efs", "describe_mount_targets", FileSystemId=inputs["fileSystemId"])["MountTargets"]
    ours = [one for one in there if one["SubnetId"] == inputs["subnetId"]]
    return tuple(one["MountTargetId"] for one in ours if one["LifeCycleState"] not in {"deleting", "deleted"})


def _part_of_cluster(call: str, argument: str, *, field: str) -> Finder:
    """By its cluster and its name in it, which together are its id."""
    find = _by_name("eks", call, argument, field=field)

    def found(cloud: AwsCloud, inputs: Inputs) -> tuple[str, ...]:
        cluster = inputs["clusterName"]
        return tuple(f"{cluster}:{name}" for name in find(cloud, inputs, clusterName=cluster))

    return found


def _oidc_provider(cloud: AwsCloud, inputs: Inputs) -> tuple[str, ...]:
    """By its address, which its ARN ends with."""
    end = f":oidc-provider/{str(inputs['url']).removeprefix('https://')}"
    there = cloud.call("iam", "list_open_id_connect_providers")["OpenIDConnectProviderList"]
    return tuple(one["Arn"] for one in there if one["Arn"].endswith(end))


def _key(cloud: AwsCloud, inputs: Inputs) -> tuple[str, ...]:
    """By all of its tags; one that is being deleted does not count."""
    tags = marks_of(inputs)
    keys = [
        one.id
        for one in tagged(cloud, tags[aws_tags.SITE], tags[aws_tags.LOCATION], types=("kms:key",))
        if tags.items() <= one.tags.items()
    ]
    states = {key: cloud.call("kms", "describe_key", KeyId=key)["KeyMetadata"]["KeyState"] for key in keys}
    return tuple(key for key, state in states.items() if state != "PendingDeletion")


FINDERS: Mapping[str, Finder] = {
    "aws:autoscaling/group:Group": _by_tags(SCALING_GROUP),
    "aws:cloudwatch/logGroup:LogGroup": _log_group,
    "aws:ebs/volume:Volume": _by_tags("volume"),
    "aws:ec2/eip:Eip": _by_tags("elastic-ip"),
    "aws:ec2/flowLog:FlowLog": _by_tags("vpc-flow-log"),
    "aws:ec2/instance:Instance": _by_tags("instance"),
    "aws:ec2/internetGateway:InternetGateway": _by_tags("internet-gateway"),
    "aws:ec2/launchTemplate:LaunchTemplate": _by_tags("launch-template"),
    "aws:ec2/natGateway:NatGateway": _by_tags("natgateway"),
    "aws:ec2/placementGroup:PlacementGroup": _placement_group,
    "aws:ec2/route:Route": _route,
    "aws:ec2/routeTable:RouteTable": _by_tags("route-table"),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": _route_table_association,
    "aws:ec2/securityGroup:SecurityGroup": _by_tags("security-group"),
    "aws:ec2/subnet:Subnet": _by_tags("subnet"),
    "aws:ec2/vpc:Vpc": _by_tags("vpc"),
    "aws:ec2/vpcEndpoint:VpcEndpoint": _by_tags("vpc-endpoint"),
    "aws:ec2/vpcPeeringConnection:VpcPeeringConnection": _by_tags("vpc-peering-connection"),
    "aws:efs/fileSystem:FileSystem": _by_tags("elasticfilesystem-file-system"),
    "aws:efs/mountTarget:MountTarget": _mount_target,
    "aws:eks/accessEntry:AccessEntry": _part_of_cluster("describe_access_entry", "principalArn", field="principalArn"),
    "aws:eks/addon:Addon": _part_of_cluster("describe_addon", "addonName", field="addonName"),
    "aws:eks/cluster:Cluster": _by_name("eks", "describe_cluster", "name"),
    "aws:eks/nodeGroup:NodeGroup": _part_of_cluster("describe_nodegroup", "nodegroupName", field="nodeGroupName"),
    "aws:fsx/lustreFileSystem:LustreFileSystem": _by_tags("fsx-file-system"),
    "aws:iam/instanceProfile:InstanceProfile": _by_name("iam", "get_instance_profile", "InstanceProfileName"),
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": _oidc_provider,
    "aws:iam/role:Role": _by_name("iam", "get_role", "RoleName"),
    "aws:kms/key:Key": _key,
    "aws:route53/record:Record": _record,
    "aws:route53/zone:Zone": _zone,
    "aws:route53/zoneAssociation:ZoneAssociation": _zone_association,
    "aws:s3/bucket:Bucket": _by_name("s3", "head_bucket", "Bucket", field="bucket"),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _by_tags("security-group-rule"),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _by_tags("security-group-rule"),
}
"""Pulumi's type -> how what was made is found: the ids of all that fits, in the form that the provider keeps."""

_PUT = "the call puts it as a whole, and again"
REPEATED: Mapping[str, str] = {
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": "every network has one; making it is taking it over",
    "aws:ec2/volumeAttachment:VolumeAttachment": "the provider looks for it before it attaches anything",
    "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter": "accepting what was accepted changes nothing",
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": "associating it again changes nothing",
    "aws:iam/rolePolicy:RolePolicy": _PUT,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": "attaching it again changes nothing",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _PUT,
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _PUT,
    "aws:s3/bucketPolicy:BucketPolicy": _PUT,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _PUT,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _PUT,
    "aws:s3/bucketVersioning:BucketVersioning": _PUT,
    **dict.fromkeys(INSIDE, "what is in the cluster already under its name is taken over"),
}
"""Pulumi's type -> why making it a second time does no harm."""
