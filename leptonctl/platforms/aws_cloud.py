"""What is there on AWS, asked by tag: few list calls, paginated, whatever the size. The only module that uses boto3.

A call that fails or is denied is an error, never an empty answer.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from leptonctl.errors import LeptonError, PlatformFailed, PreflightFailed
from leptonctl.planning import aws_tags
from leptonctl.planning.scaling import scaled_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

EXTRA_HINT = "install leptonctl with its extra: `pip install 'leptonctl[aws]'`"
_DENIED = ("AccessDenied", "UnauthorizedOperation", "AccessDeniedException", "AuthorizationError")
_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "InvalidClientTokenId", "AuthFailure",
            "UnrecognizedClientException", "SignatureDoesNotMatch", "InvalidAccessKeyId")  # fmt: skip
# Making a client reads the service's model from disk, which is not safe in two threads at once.
_MAKING = threading.Lock()


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


@dataclass(frozen=True, slots=True)
class ForeignRule:
    """A rule of a security group that leptonctl did not make; `text` says what it lets pass."""

    id: str
    group_id: str
    is_egress: bool
    text: str


@dataclass(frozen=True, slots=True)
class _Listing:
    """How a type of EC2 is listed: the call, its list, the id, the way to the state, and the states that mean gone."""

    type: str
    call: str
    items: str
    id: str
    state: tuple[str, ...] = ()
    gone: frozenset[str] = frozenset()
    filters: str = "Filters"


SCALING_GROUP = "auto-scaling-group"
_GONE = frozenset({"deleted", "terminated", "failed", "expired", "rejected"})
_ZONE_TYPES = frozenset({"route53-hostedzone", "hosted-zone"})
_INSTANCES = _Listing("instance", "describe_instances", "Reservations", "InstanceId", ("State", "Name"), _GONE)
_VOLUMES = _Listing("volume", "describe_volumes", "Volumes", "VolumeId", ("State",), _GONE)
_VPCS = _Listing("vpc", "describe_vpcs", "Vpcs", "VpcId", ("State",))
_GROUPS = _Listing("security-group", "describe_security_groups", "SecurityGroups", "GroupId")
_TEMPLATES = _Listing("launch-template", "describe_launch_templates", "LaunchTemplates", "LaunchTemplateId")
_EC2 = (
    _INSTANCES,
    _VOLUMES,
    _VPCS,
    _Listing("subnet", "describe_subnets", "Subnets", "SubnetId", ("State",)),
    _Listing("route-table", "describe_route_tables", "RouteTables", "RouteTableId"),
    _Listing("internet-gateway", "describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
    _Listing("natgateway", "describe_nat_gateways", "NatGateways", "NatGatewayId", ("State",), _GONE, "Filter"),
    _Listing("elastic-ip", "describe_addresses", "Addresses", "AllocationId"),
    _GROUPS,
    _Listing("vpc-endpoint", "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId", ("State",), _GONE),
    _Listing(
        "vpc-peering-connection", "describe_vpc_peering_connections", "VpcPeeringConnections", "VpcPeeringConnectionId",
        ("Status", "Code"), _GONE,
    ),
    _Listing("vpc-flow-log", "describe_flow_logs", "FlowLogs", "FlowLogId", ("FlowLogStatus",), filters="Filter"),
    _TEMPLATES,
    _Listing(
        "network-interface", "describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId", ("Status",),
    ),
)  # fmt: skip
_TYPES_OF_EC2 = frozenset(one.type for one in _EC2) | {"security-group-rule", "autoscaling-autoScalingGroup"}


class AwsCloud:
    """One region of the account that the usual AWS settings lead to."""

    def __init__(self, region: str) -> None:
        self.region = region
        self._session: Any = None
        self._clients: dict[str, Any] = {}

    def hosts_volumes_and_networks(self, site: str, location: str) -> tuple[Found, ...]:
        """The machines, volumes and network of a location; those that are gone or going are left out."""
        going = {"shutting-down", "deleting"}
        return tuple(
            found
            for listing in (_VPCS, _VOLUMES, _INSTANCES)
            for found in self._listed(listing, site, location)
            if found.status not in going
        )

    def machines(self, site: str, location: str) -> tuple[Found, ...]:
        """The machines of a location that run."""
        return tuple(one for one in self._listed(_INSTANCES, site, location) if one.status == "running")

    def scaling_groups(self, site: str, location: str | None = None) -> tuple[Found, ...]:
        """The scaling groups with the mark, also those that are being deleted."""
        wanted = {aws_tags.SITE: site} | ({aws_tags.LOCATION: location} if location is not None else {})
        filters = [{"Name": f"tag:{key}", "Values": [value]} for key, value in wanted.items()]
        return tuple(
            Found(
                SCALING_GROUP, one["AutoScalingGroupName"], self.region, one.get("Status", ""), _tags(one["Tags"]), one
            )
            for page in self._pages("autoscaling", "describe_auto_scaling_groups", Filters=filters)
            for one in page["AutoScalingGroups"]
        )

    def templates(self, site: str, location: str) -> tuple[Found, ...]:
        """The launch templates of a location."""
        return tuple(self._listed(_TEMPLATES, site, location))

    def foreign_rules(self, site: str, location: str) -> tuple[ForeignRule, ...]:
        """The rules in the location's security groups that lack the site's mark: somebody else let something pass."""
        groups = [one.id for one in self._listed(_GROUPS, site, location)]
        if not groups:
            return ()
        pages = self._pages("ec2", "describe_security_group_rules", Filters=[{"Name": "group-id", "Values": groups}])
        return tuple(
            ForeignRule(one["SecurityGroupRuleId"], one["GroupId"], is_egress=one["IsEgress"], text=_rule_text(one))
            for page in pages
            for one in page["SecurityGroupRules"]
            if _tags(one.get("Tags")).get(aws_tags.SITE) != site
        )

    def close(self, rule: ForeignRule) -> None:
        """Take a rule away."""
        way = "egress" if rule.is_egress else "ingress"
        self.call("ec2", f"revoke_security_group_{way}", GroupId=rule.group_id, SecurityGroupRuleIds=[rule.id])

    def marked(self, site: str) -> tuple[Found, ...]:
        """Everything of this region that carries the site's mark; what is going but not gone is among it.

        Of EC2 each type is listed by itself, which tells what is gone; everything else comes from the tagging service.
        """
        found = [one for listing in _EC2 for one in self._listed(listing, site, None)] + [*self.scaling_groups(site)]
        known = {one.id for one in found}
        found += [
            one for one in self.tagged(site) if one.type not in _TYPES_OF_EC2 | _ZONE_TYPES and one.id not in known
        ]
        return tuple(found)

    def tagged(self, site: str, location: str | None = None) -> tuple[Found, ...]:
        """What the tagging service knows to carry the mark: one list call, paginated, over all types."""
        filters = [{"Key": aws_tags.SITE, "Values": [site]}]
        if location is not None:
            filters.append({"Key": aws_tags.LOCATION, "Values": [location]})
        pages = self._pages("resourcegroupstaggingapi", "get_resources", TagFilters=filters)
        return tuple(
            _of_arn(one["ResourceARN"], self.region, _tags(one.get("Tags")))
            for page in pages
            for one in page["ResourceTagMappingList"]
        )

    def without_region(self, site: str) -> tuple[Found, ...]:
        """What belongs to the account and to no region: roles and DNS zones."""
        return (*self.roles(site), *self.zones(site))

    def roles(self, site: str) -> tuple[Found, ...]:
        """The roles with the mark; the tagging service does not know them."""
        found = []
        for page in self._pages("iam", "get_account_authorization_details", Filter=["Role"]):
            for role in page["RoleDetailList"]:
                tags = _tags(role.get("Tags"))
                if tags.get(aws_tags.SITE) == site:
                    found.append(Found("role", role["RoleName"], "", "", tags))
        return tuple(found)

    def zones(self, site: str) -> tuple[Found, ...]:
        """The private DNS zones of the site's locations, known by their names: `LOCATION.SITE.internal`."""
        end = f".{site}.internal."
        return tuple(
            Found("hosted-zone", one["Id"].rpartition("/")[2], "", "", _zone_tags(site, one["Name"]))
            for page in self._pages("route53", "list_hosted_zones")
            for one in page["HostedZones"]
            if one["Name"].endswith(end) and one.get("Config", {}).get("PrivateZone")
        )

    def found_by_address(self, type_: str, tags: Mapping[str, str]) -> tuple[Found, ...]:
        """The things of a type of EC2 with exactly these marks: what an interrupted run has made."""
        listing = next((one for one in _EC2 if one.type == type_), None)
        if listing is None:
            return ()
        there = self._listed(listing, tags[aws_tags.SITE], tags[aws_tags.LOCATION])
        return tuple(one for one in there if tags.items() <= one.tags.items() and one.status != "shutting-down")

    def identity(self) -> str:
        """Who asks, as an ARN. Raises `PreflightFailed` where there are no credentials, or they are no longer good."""
        answer: Mapping[str, str] = self._called(lambda: self._client("sts").get_caller_identity(), "sts", "who am I")
        return answer["Arn"]

    def offered_types(self, types: frozenset[str]) -> frozenset[str]:
        """Those of the machine types that the region has."""
        filters = [{"Name": "instance-type", "Values": sorted(types)}]
        pages = self._pages("ec2", "describe_instance_type_offerings", LocationType="region", Filters=filters)
        return frozenset(one["InstanceType"] for page in pages for one in page["InstanceTypeOfferings"])

    def call(self, service: str, operation: str, **arguments: object) -> Any:  # noqa: ANN401 - the service's answer
        """One call, with its failures in our words."""
        return self._called(lambda: getattr(self._client(service), operation)(**arguments), service, operation)

    def _listed(self, listing: _Listing, site: str, location: str | None) -> Iterator[Found]:
        filters = [{"Name": f"tag:{aws_tags.SITE}", "Values": [site]}]
        if location is not None:
            filters.append({"Name": f"tag:{aws_tags.LOCATION}", "Values": [location]})
        for page in self._pages("ec2", listing.call, **{listing.filters: filters}):
            items = page[listing.items]
            if listing is _INSTANCES:
                items = [instance for reservation in items for instance in reservation["Instances"]]
            for item in items:
                status = _at(item, listing.state)
                if status not in listing.gone:
                    yield Found(listing.type, item[listing.id], self.region, status, _tags(item.get("Tags")), item)

    def _pages(self, service: str, operation: str, **arguments: object) -> Iterator[Any]:
        client = self._client(service)
        if not client.can_paginate(operation):
            yield self.call(service, operation, **arguments)
            return
        pages = iter(client.get_paginator(operation).paginate(**arguments))
        while True:
            page = self._called(lambda: next(pages, None), service, operation)
            if page is None:
                return
            yield page

    def _client(self, service: str) -> Any:  # noqa: ANN401 - boto3's clients have no types
        with _MAKING:
            if service not in self._clients:
                try:
                    from boto3.session import Session  # noqa: PLC0415 - only where AWS is used
                    from botocore.config import Config  # noqa: PLC0415 - the same
                except ImportError as missing:
                    raise PreflightFailed(f"the library `{missing.name}` is missing", hint=EXTRA_HINT) from missing
                config = Config(retries={"max_attempts": 8, "mode": "adaptive"}, user_agent_extra="leptonctl")
                self._session = self._session or Session(region_name=self.region)
                self._clients[service] = self._session.client(service, config=config)
            return self._clients[service]

    def _called(self, call: Callable[[], Any], service: str, operation: str) -> Any:  # noqa: ANN401
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - only where AWS is used
        from botocore.parsers import ResponseParserError  # noqa: PLC0415 - the same

        try:
            return call()
        except (BotoCoreError, ClientError, ResponseParserError) as error:
            raise self._told(error, service, operation) from error

    def _told(self, error: Exception, service: str, operation: str) -> LeptonError:
        response = getattr(error, "response", None) or {}
        code = str(response.get("Error", {}).get("Code", type(error).__name__))
        where = f"{service} {operation} in {self.region}"
        if code in {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "ProfileNotFound"}:
            return PreflightFailed(
                f"AWS cannot be asked, there are no usable credentials: {error}",
                hint="set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; `aws sts get-caller-identity` "
                "must answer",
            )
        if code in _EXPIRED:
            return PreflightFailed(
                f"AWS refused the credentials at {where}: {code}",
                hint="get new ones (`aws sso login`, or new keys) and run this again: it goes on from here",
            )
        if code in _DENIED:
            return PlatformFailed(
                f"AWS denied {where} ({code})",
                hint=f"the credentials lack the permission {service}:{_action(operation)}",
            )
        return PlatformFailed(f"AWS failed at {where}: {code}: {error}")


def _action(operation: str) -> str:
    return "".join(part.capitalize() for part in operation.split("_"))


def _tags(tags: list[dict[str, str]] | None) -> dict[str, str]:
    return {one["Key"]: one["Value"] for one in tags or ()}


def _rule_text(rule: Mapping[str, Any]) -> str:
    group = (rule.get("ReferencedGroupInfo") or {}).get("GroupId")
    end = rule.get("CidrIpv4") or rule.get("CidrIpv6") or group or rule.get("PrefixListId") or "somebody"
    first, last = rule.get("FromPort"), rule.get("ToPort")
    ports = (
        "every port" if rule["IpProtocol"] == "-1" else f"port {first}" if first == last else f"ports {first}-{last}"
    )
    opened = f"opens {ports} to {end}" if rule["IsEgress"] else f"lets {end} in on {ports}"
    return f"security group {rule['GroupId']} {opened}, which leptonctl did not ask for"


def _zone_tags(site: str, name: str) -> dict[str, str]:
    """The marks that follow from a zone's name: `west.regions.demo.internal.` is of `regions/west`."""
    location = "/".join(reversed(name.removesuffix(f".{site}.internal.").split(".")))
    return {aws_tags.SITE: site, aws_tags.LOCATION: location, aws_tags.ADDRESS: location, aws_tags.ROLE: "network"}


def _at(item: Mapping[str, Any], way: tuple[str, ...]) -> str:
    value: Any = item
    for name in way:
        value = value.get(name) or {}
    return str(value) if isinstance(value, str) else ""


def _of_arn(arn: str, region: str, tags: Mapping[str, str]) -> Found:
    """An ARN's type and id: `arn:aws:ec2:REGION:ACCOUNT:instance/i-1`, `arn:aws:s3:::name`, `...:log-group:name`."""
    service, place, rest = arn.split(":", 5)[2], arn.split(":", 5)[3], arn.split(":", 5)[5]
    if service == "s3":
        return Found("bucket", rest, region, "", tags)
    kind, mark, name = rest.partition("/") if "/" in rest.partition(":")[0] else rest.partition(":")
    if not mark:
        kind, name = service, rest
    type_ = kind if service == "ec2" else f"{service}-{kind}" if kind != service else service
    return Found(type_, name, place or region, "", tags)
