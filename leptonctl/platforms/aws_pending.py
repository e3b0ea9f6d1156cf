"""Operations that were begun and whose end nobody knows: what they made is looked for by its mark, and adopted.

The engine itself would make such things a second time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.errors import PlatformFailed, Refused
from leptonctl.planning import aws_tags
from leptonctl.planning.aws_resources import SCALING_GROUP
from leptonctl.platforms.pulumi_state import pending_operations, with_adopted
from leptonctl.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from leptonctl.platforms.aws_cloud import AwsCloud
    from leptonctl.platforms.pulumi_state import Deployment, PendingOperation
    from leptonctl.progress import Report

# Pulumi's type -> AWS's word for what is listed by its tags.
_BY_TAGS = {
    "aws:ebs/volume:Volume": "volume",
    "aws:ec2/eip:Eip": "elastic-ip",
    "aws:ec2/flowLog:FlowLog": "vpc-flow-log",
    "aws:ec2/instance:Instance": "instance",
    "aws:ec2/internetGateway:InternetGateway": "internet-gateway",
    "aws:ec2/launchTemplate:LaunchTemplate": "launch-template",
    "aws:ec2/natGateway:NatGateway": "nat-gateway",
    "aws:ec2/routeTable:RouteTable": "route-table",
    "aws:ec2/securityGroup:SecurityGroup": "security-group",
    "aws:ec2/subnet:Subnet": "subnet",
    "aws:ec2/vpc:Vpc": "vpc",
    "aws:ec2/vpcEndpoint:VpcEndpoint": "vpc-endpoint",
    "aws:ec2/vpcPeeringConnection:VpcPeeringConnection": "vpc-peering-connection",
}
# Those that only the tagging service lists, or that have no list by tag of their own.
_BY_TAGGING = {
    "aws:efs/fileSystem:FileSystem": "elasticfilesystem-file-system",
    "aws:fsx/lustreFileSystem:LustreFileSystem": "fsx-file-system",
}
# Those whose id is their name, which was chosen before they were made: the service, the call, and its argument.
_BY_NAME = {
    "aws:iam/instanceProfile:InstanceProfile": ("iam", "get_instance_profile", "InstanceProfileName", "name"),
    "aws:iam/role:Role": ("iam", "get_role", "RoleName", "name"),
    "aws:s3/bucket:Bucket": ("s3", "head_bucket", "Bucket", "bucket"),
}
_ABSENT = ("NotFound", "NoSuch", "404")


def settle(state: Deployment, cloud: AwsCloud, location: str, report: Report) -> Deployment | None:
    """The state with its pending operations settled; None where there are none.

    What was made is adopted, what was not is forgotten. Changes and deletions that were begun are forgotten too: the
    cloud is read again before anything else is done. Raises `Refused` where a mark is found more than once.
    """
    pending = pending_operations(state)
    if not pending:
        return None
    found: dict[str, str] = {}
    for operation in pending:
        if operation.kind != "creating":
            _say(report, location, f"{operation.kind} {operation.name} was interrupted: it is read again")
            continue
        made = _made(operation, cloud, location)
        if made is None:
            _say(report, location, f"creating {operation.name} was interrupted before it was there: it is made now")
        else:
            _say(report, location, f"creating {operation.name} was interrupted: {made} was found and is adopted")
            found[operation.urn] = made
    return with_adopted(state, found)


def _made(operation: PendingOperation, cloud: AwsCloud, location: str) -> str | None:
    """The id of what an interrupted creation made; None where there is nothing, or it has no mark of its own."""
    tags = _tags(operation)
    if operation.type in _BY_NAME:
        return _named(operation, cloud)
    if aws_tags.SITE not in tags or aws_tags.LOCATION not in tags:
        return None
    if operation.type in _BY_TAGS:
        there = cloud.found_by_address(_BY_TAGS[operation.type], tags)
    elif operation.type in _BY_TAGGING:
        wanted = _BY_TAGGING[operation.type]
        tagged = cloud.tagged(tags[aws_tags.SITE], location)
        there = tuple(one for one in tagged if one.type == wanted and tags.items() <= one.tags.items())
    elif operation.type == SCALING_GROUP:
        scaling = cloud.scaling_groups(tags[aws_tags.SITE], location)
        there = tuple(one for one in scaling if tags.items() <= one.tags.items())
    else:
        return None
    if len(there) > 1:
        raise Refused(
            f"{location}: {operation.name} was interrupted, and {len(there)} things carry its mark: "
            f"{', '.join(one.id for one in there)}",
            hint=f"remove those that are not wanted (their {aws_tags.ADDRESS} is {tags.get(aws_tags.ADDRESS)}), "
            "then run this again",
        )
    return there[0].id if there else None


def _tags(operation: PendingOperation) -> dict[str, str]:
    """The tags of a resource; a scaling group has a list of them."""
    tags = operation.inputs.get("tags") or {}
    return {one["key"]: one["value"] for one in tags} if isinstance(tags, list) else dict(tags)


def _named(operation: PendingOperation, cloud: AwsCloud) -> str | None:
    service, call, argument, field = _BY_NAME[operation.type]
    name = operation.inputs.get(field)
    if not isinstance(name, str):
        return None
    return name if _is_there(lambda: cloud.call(service, call, **{argument: name})) else None


def _is_there(ask: Callable[[], Mapping[str, object]]) -> bool:
    try:
        ask()
    except PlatformFailed as failed:
        if any(word in failed.message for word in _ABSENT):
            return False
        raise
    return True


def _say(report: Report, location: str, message: str) -> None:
    report(Progress("platform", "warning", location, message))
