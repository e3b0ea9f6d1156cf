"""How much of an account's quotas is left in a region: limits from Service Quotas, what is used from list calls.

What cannot be asked is said to be unknown. What the site itself has already is not counted as used.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from leptonctl.errors import LeptonError
from leptonctl.planning import aws_quotas as quotas
from leptonctl.planning import aws_tags
from leptonctl.planning.aws_quotas import Market
from leptonctl.planning.checks import Check
from leptonctl.platforms.aws_offers import vcpus_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from leptonctl.planning.aws_quotas import Demand, Quota
    from leptonctl.platforms.aws_cloud import AwsCloud

    Own = Callable[[Mapping[str, str]], bool]
    Used = Mapping[tuple[str, str | None], float]

_RUNNING = frozenset({"pending", "running"})
_GONE = frozenset({"deleted", "deleting", "failed", "terminated"})
_GIB_IN_TIB = 1024
_NO_SUCH = "NoSuchResource"


def quota_checks(cloud: AwsCloud, demands: tuple[Demand, ...], own: Own) -> tuple[Check, ...]:
    """One check a quota. `own` says of a thing's tags whether it is of the locations that are asked for."""
    usage = _Usage(cloud, own)
    return tuple(_check(cloud, demand, usage) for demand in demands)


def _check(cloud: AwsCloud, demand: Demand, usage: _Usage) -> Check:
    quota = demand.quota
    where = demand.zone or cloud.region
    name = f"{where}: {quota.name}"
    code = f"{quota.service}/{quota.code}"
    unit = f" {quota.unit}" if quota.unit else ""
    asked = f"{demand.asked:g}{unit} asked"
    try:
        used = 0.0 if demand.is_alone else usage.of(quota, demand.zone)
        limit = usage.limit(quota)
    except LeptonError as error:
        message = f"{name}: {asked}; what is left could not be asked: {error.message}"
        return Check(rule="aws_quota", message=message, is_ok=None, hint=error.hint, asked=demand.asked, code=code)
    message = f"{name}: {asked}, {used:g} used by others, limit {limit:g}"
    is_ok = used + demand.asked <= limit
    more = (
        f"ask for {used + demand.asked:g} or more: `aws service-quotas request-service-quota-increase --region "
        f"{cloud.region} --service-code {quota.service} --quota-code {quota.code} --desired-value "
        f"{used + demand.asked:g}`"
    )
    return Check(
        rule="aws_quota",
        message=message,
        is_ok=is_ok,
        hint=None if is_ok else more,
        asked=demand.asked,
        used=used,
        limit=limit,
        code=code,
    )


class _Usage:
    """Limits, and what others use of them: each list asked for once, and only when it is needed."""

    def __init__(self, cloud: AwsCloud, own: Own) -> None:
        self._cloud, self._own = cloud, own
        self._instances: Counter[str] | None = None
        self._failed: dict[str, LeptonError] = {}

    def limit(self, quota: Quota) -> float:
        """The account's own value, else the one that every account has."""
        try:
            return self._value("get_service_quota", quota)
        except LeptonError as error:
            if _NO_SUCH not in error.message:
                raise
        return self._value("get_aws_default_service_quota", quota)

    def of(self, quota: Quota, zone: str | None) -> float:
        """How much of a quota is used."""
        if quota.unit == "vCPU":
            if self._instances is None:
                self._instances = self._vcpus()
            return float(self._instances[quota.code])
        if quota is quotas.GP3:
            filters = [{"Name": "volume-type", "Values": ["gp3"]}]
            found = self._others("describe_volumes", "Volumes", Filters=filters)
            return float(sum(one["Size"] for one in found)) / _GIB_IN_TIB
        if quota is quotas.NAT_GATEWAYS:
            return float(self._gateways(zone))
        if quota in {quotas.LUSTRE, quotas.LUSTRE_STORAGE}:
            sizes = [one["StorageCapacity"] for one in self._lustre()]
            return float(sum(sizes) if quota is quotas.LUSTRE_STORAGE else len(sizes))
        service, call, items = _LISTS[quota.code]
        return float(sum(1 for _ in self._others(call, items, service=service)))

    def _value(self, operation: str, quota: Quota) -> float:
        # An operation that failed once, after all its repeats, is not tried again for each of a dozen quotas.
        if operation in self._failed:
            raise self._failed[operation]
        try:
            answer = self._cloud.call("service-quotas", operation, ServiceCode=quota.service, QuotaCode=quota.code)
        except LeptonError as error:
            if _NO_SUCH not in error.message:
                self._failed[operation] = error
            raise
        return float(answer["Quota"]["Value"])

    def _vcpus(self) -> Counter[str]:
        machines = Counter[tuple[str, Market]]()
        for reservation in self._all("ec2", "describe_instances", "Reservations"):
            for one in reservation["Instances"]:
                if one["State"]["Name"] in _RUNNING and not self._own(_tags(one.get("Tags"))):
                    is_spot = one.get("InstanceLifecycle") == "spot"
                    machines[one["InstanceType"], "spot" if is_spot else "on-demand"] += 1
        vcpus = vcpus_of(self._cloud, frozenset(machine_type for machine_type, _ in machines))
        counts = Counter[str]()
        for (machine_type, market), count in machines.items():
            quota = quotas.quota_of(machine_type, market)
            if quota is not None:
                counts[quota.code] += count * vcpus.get(machine_type, 0)
        return counts

    def _gateways(self, zone: str | None) -> int:
        subnets = {one["SubnetId"]: one["AvailabilityZone"] for one in self._all("ec2", "describe_subnets", "Subnets")}
        found = self._others("describe_nat_gateways", "NatGateways")
        return sum(subnets.get(one["SubnetId"]) == zone for one in found if one["State"] not in _GONE)

    def _lustre(self) -> Iterator[Any]:
        for one in self._others("describe_file_systems", "FileSystems", service="fsx"):
            if (one.get("LustreConfiguration") or {}).get("DeploymentType") == "PERSISTENT_2":
                yield one

    def _others(self, call: str, items: str, *, service: str = "ec2", **arguments: Any) -> Iterator[Any]:  # noqa: ANN401 - the call's own
        for one in self._all(service, call, items, **arguments):
            tags = _cluster_tags(self._cloud, one) if service == "eks" else _tags(one.get("Tags") or one.get("TagSet"))
            if not self._own(tags):
                yield one

    def _all(self, service: str, call: str, items: str, **arguments: Any) -> Iterator[Any]:  # noqa: ANN401 - the same
        for page in self._cloud.pages(service, call, **arguments):
            yield from page[items]


# How the things that a quota counts are listed.
_LISTS = {
    quotas.ADDRESSES.code: ("ec2", "describe_addresses", "Addresses"),
    quotas.TEMPLATES.code: ("ec2", "describe_launch_templates", "LaunchTemplates"),
    quotas.NETWORKS.code: ("ec2", "describe_vpcs", "Vpcs"),
    quotas.GATEWAYS.code: ("ec2", "describe_internet_gateways", "InternetGateways"),
    quotas.GROUPS.code: ("ec2", "describe_security_groups", "SecurityGroups"),
    quotas.INTERFACES.code: ("ec2", "describe_network_interfaces", "NetworkInterfaces"),
    quotas.EFS.code: ("efs", "describe_file_systems", "FileSystems"),
    quotas.SCALING_GROUPS.code: ("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups"),
    quotas.CLUSTERS.code: ("eks", "list_clusters", "clusters"),
}


def own_tags(site: str, locations: frozenset[str]) -> Own:
    """Whether tags are of these locations of the site."""
    return lambda tags: tags.get(aws_tags.SITE) == site and tags.get(aws_tags.LOCATION) in locations


def _cluster_tags(cloud: AwsCloud, name: str) -> Mapping[str, str]:
    found: Mapping[str, str] = cloud.call("eks", "describe_cluster", name=name)["cluster"].get("tags") or {}
    return found


def _tags(tags: list[dict[str, str]] | None) -> dict[str, str]:
    return {one["Key"]: one["Value"] for one in tags or ()}
