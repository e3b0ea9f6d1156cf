"""What carries the site's mark in one region, type by type: one paginated list call a type, whatever the size."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from leptonctl.planning import aws_tags
from leptonctl.planning.scaling import scaled_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from leptonctl.platforms.aws_cloud import AwsCloud


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that carries the site's mark. `type` is AWS's word (`instance`, `natgateway`), `details` its answer."""

    type: str
    id: str
    region: str
    status: str
    tags: Mapping[str, str]
    details: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def location(self) -> str:
        """The location that it belongs to, by its tag."""
        return self.tags.get(aws_tags.LOCATION, "")

    @property
    def address(self) -> str:
        """The site's address of it, by its tag; that of a host of a scaling group follows from its id."""
        if self.type == "instance" and self.scaling is not None:
            return f"{self.location}/{scaled_name(self.tags[aws_tags.GROUP], self.id)}"
        return self.tags.get(aws_tags.ADDRESS, self.location)

    @property
    def scaling(self) -> str | None:
        """The address of the scaling group that started it; None for a host that the site file names."""
        is_scaled = aws_tags.HOST not in self.tags and aws_tags.GROUP in self.tags
        return f"{self.location}/{self.tags[aws_tags.GROUP]}" if is_scaled else None

    @property
    def is_going(self) -> bool:
        """Whether it is on its way out: no longer of use, and not gone."""
        return self.status.lower() in GOING


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """How a type is listed: the call, its list, the id, the way to the state, and the states that mean gone.

    `filters` is the argument that takes a filter by tag; "" where the service has none, and everything is listed.
    `page` is the largest page that AWS gives, where its default is smaller.
    """

    type: str
    call: str
    items: str
    id: str
    state: tuple[str, ...] = ()
    gone: frozenset[str] = frozenset()
    filters: str = "Filters"
    service: str = "ec2"
    page: int | None = None


GOING = frozenset({"shutting-down", "deleting", "delete in progress", "pending deletion", "pendingdeletion"})
_DELETED = frozenset({"deleted"})
_NO_PEERING = frozenset({"deleted", "rejected", "expired", "failed"})

INSTANCES = Listing(
    type="instance", call="describe_instances", items="Reservations", id="InstanceId", state=("State", "Name"),
    gone=frozenset({"terminated"}), page=1000,
)  # fmt: skip
VOLUMES = Listing(
    type="volume", call="describe_volumes", items="Volumes", id="VolumeId", state=("State",), gone=_DELETED, page=500
)
VPCS = Listing(type="vpc", call="describe_vpcs", items="Vpcs", id="VpcId", state=("State",))
GROUPS = Listing(
    type="security-group", call="describe_security_groups", items="SecurityGroups", id="GroupId", page=1000
)
RULES = Listing(
    type="security-group-rule", call="describe_security_group_rules", items="SecurityGroupRules",
    id="SecurityGroupRuleId", page=1000,
)  # fmt: skip
TEMPLATES = Listing(
    type="launch-template", call="describe_launch_templates", items="LaunchTemplates", id="LaunchTemplateId"
)
# A NAT gateway that failed is taken away by AWS itself, and costs nothing; the same holds for a peering that came to
# nothing. An endpoint that failed stays until it is deleted.
EC2 = (
    INSTANCES,
    VOLUMES,
    VPCS,
    Listing(type="subnet", call="describe_subnets", items="Subnets", id="SubnetId", state=("State",)),
    Listing(type="route-table", call="describe_route_tables", items="RouteTables", id="RouteTableId"),
    Listing(
        type="internet-gateway", call="describe_internet_gateways", items="InternetGateways", id="InternetGatewayId"
    ),
    Listing(
        type="natgateway", call="describe_nat_gateways", items="NatGateways", id="NatGatewayId", state=("State",),
        gone=frozenset({"deleted", "failed"}), filters="Filter",
    ),
    Listing(type="elastic-ip", call="describe_addresses", items="Addresses", id="AllocationId"),
    GROUPS,
    Listing(
        type="vpc-endpoint", call="describe_vpc_endpoints", items="VpcEndpoints", id="VpcEndpointId", state=("State",),
        gone=_DELETED,
    ),
    Listing(
        type="vpc-peering-connection", call="describe_vpc_peering_connections", items="VpcPeeringConnections",
        id="VpcPeeringConnectionId", state=("Status", "Code"), gone=_NO_PEERING,
    ),
    Listing(
        type="vpc-flow-log", call="describe_flow_logs", items="FlowLogs", id="FlowLogId", state=("FlowLogStatus",),
        filters="Filter",
    ),
    TEMPLATES,
    Listing(
        type="network-interface", call="describe_network_interfaces", items="NetworkInterfaces",
        id="NetworkInterfaceId", state=("Status",), page=1000,
    ),
)  # fmt: skip
SCALING_GROUP = "auto-scaling-group"
SCALING_GROUPS = Listing(
    type=SCALING_GROUP, service="autoscaling", call="describe_auto_scaling_groups", items="AutoScalingGroups",
    id="AutoScalingGroupName", state=("Status",), page=100,
)  # fmt: skip
# Those that the tagging service lists, also for a while after they are gone: their own service has the last word.
SERVICES = (
    Listing(
        type="elasticfilesystem-file-system", service="efs", call="describe_file_systems", items="FileSystems",
        id="FileSystemId", state=("LifeCycleState",), gone=_DELETED, filters="", page=1000,
    ),
    Listing(
        type="fsx-file-system", service="fsx", call="describe_file_systems", items="FileSystems", id="FileSystemId",
        state=("Lifecycle",), filters="",
    ),
    Listing(type="bucket", service="s3", call="list_buckets", items="Buckets", id="Name", filters=""),
    Listing(
        type="logs-log-group", service="logs", call="describe_log_groups", items="logGroups", id="logGroupName",
        filters="", page=50,
    ),
)  # fmt: skip


def listed(cloud: AwsCloud, listing: Listing, site: str, location: str | None = None) -> tuple[Found, ...]:
    """The things of a type with the site's mark (and the location's), without those that are gone."""
    return tuple(one for one in all_of(cloud, listing, site, location) if one.status not in listing.gone)


def all_of(cloud: AwsCloud, listing: Listing, site: str, location: str | None = None) -> Iterator[Found]:
    """The things of a type, also those that are gone; all of the account where the service has no filter by tag."""
    arguments: dict[str, object] = {listing.filters: _filters(site, location)} if listing.filters else {}
    for page in cloud.pages(listing.service, listing.call, page_size=listing.page, **arguments):
        items = page[listing.items]
        if listing is INSTANCES:
            items = [instance for reservation in items for instance in reservation["Instances"]]
        for item in items:
            status = _at(item, listing.state)
            yield Found(listing.type, item[listing.id], cloud.region, status, tags_of(item.get("Tags")), item)


def tagged(
    cloud: AwsCloud, site: str, location: str | None = None, *, types: tuple[str, ...] = ()
) -> tuple[Found, ...]:
    """What the tagging service knows to carry the mark: one list call, paginated, over all types or the named ones."""
    filters = [{"Key": aws_tags.SITE, "Values": [site]}]
    if location is not None:
        filters.append({"Key": aws_tags.LOCATION, "Values": [location]})
    more = {"ResourceTypeFilters": list(types)} if types else {}
    pages = cloud.pages("resourcegroupstaggingapi", "get_resources", page_size=100, TagFilters=filters, **more)
    return tuple(
        of_arn(one["ResourceARN"], cloud.region, tags_of(one.get("Tags")))
        for page in pages
        for one in page["ResourceTagMappingList"]
    )


def tags_of(tags: list[dict[str, str]] | None) -> dict[str, str]:
    """The tags of an answer, by key."""
    return {one["Key"]: one["Value"] for one in tags or ()}


def of_arn(arn: str, region: str, tags: Mapping[str, str]) -> Found:
    """An ARN's type and id: `arn:aws:ec2:REGION:ACCOUNT:instance/i-1`, `arn:aws:s3:::name`, `...:log-group:name`.

    What has no region in its ARN (a role) belongs to none, but for buckets, which are listed where they are.
    """
    service, place, rest = arn.split(":", 5)[2], arn.split(":", 5)[3], arn.split(":", 5)[5]
    if service == "s3":
        return Found("bucket", rest, region, "", tags)
    kind, mark, name = rest.partition("/") if "/" in rest.partition(":")[0] else rest.partition(":")
    if not mark:
        kind, name = service, rest
    type_ = kind if service == "ec2" else f"{service}-{kind}" if kind != service else service
    return Found(type_, name.removesuffix(":*"), place, "", tags)


def _filters(site: str, location: str | None) -> list[dict[str, object]]:
    found: list[dict[str, object]] = [{"Name": f"tag:{aws_tags.SITE}", "Values": [site]}]
    if location is not None:
        found.append({"Name": f"tag:{aws_tags.LOCATION}", "Values": [location]})
    return found


def _at(item: Mapping[str, Any], way: tuple[str, ...]) -> str:
    value: Any = item
    for name in way:
        value = value.get(name) or {}
    return str(value) if isinstance(value, str) else ""
