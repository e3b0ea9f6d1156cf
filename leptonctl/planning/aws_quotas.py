"""Quotas: what the locations of a site ask of an account in one region, by AWS's own quotas. Pure.

The codes are those of the Service Quotas service. Instances are counted in vCPUs by classes of families, spot apart
from on demand; AWS counts all others by the thing.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from leptonctl.planning.aws_resources import planned_resources

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from leptonctl.planning.aws_types import GroupArgs, LocationArgs

Market = Literal["on-demand", "spot"]
_GIB_IN_TIB = 1024


@dataclass(frozen=True, slots=True)
class Quota:
    """A limit of an account in a region. `unit` is what it counts in, "" for things."""

    service: str
    code: str
    name: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked of a quota. `zone` is set where it holds in each zone by itself.

    `is_alone` is True where nothing else counts: the limit is of one network or group that the site makes for itself.
    """

    quota: Quota
    asked: float
    zone: str | None = None
    is_alone: bool = False


def _vcpus(name: str, on_demand: str, spot: str | None) -> dict[Market, Quota]:
    found: dict[Market, Quota] = {"on-demand": Quota("ec2", on_demand, f"Running On-Demand {name} instances", "vCPU")}
    if spot is not None:
        found["spot"] = Quota("ec2", spot, f"All {name} Spot Instance Requests", "vCPU")
    return found


_STANDARD = "Standard (A, C, D, H, I, M, R, T, Z)"
# By the letters that a machine type begins with. High Memory and HPC are not sold on the spot market.
_CLASSES: dict[str, dict[Market, Quota]] = {
    "standard": _vcpus(_STANDARD, "L-1216C47A", "L-34B43A08"),
    "g": _vcpus("G and VT", "L-DB2E81BA", "L-3819A6DF"),
    "p": _vcpus("P", "L-417A185B", "L-7212CCBC"),
    "p5": {
        "on-demand": Quota("ec2", "L-417A185B", "Running On-Demand P instances", "vCPU"),
        "spot": Quota("ec2", "L-C4BD4855", "All P5 Spot Instance Requests", "vCPU"),
    },
    "inf": _vcpus("Inf", "L-1945791B", "L-B5D1601B"),
    "trn": _vcpus("Trn", "L-2C3B7624", "L-6B0D517C"),
    "dl": _vcpus("DL", "L-6E869C2A", "L-85EED4F7"),
    "f": _vcpus("F", "L-74FC7D96", "L-88CF9481"),
    "x": _vcpus("X", "L-7295265B", "L-E3A00192"),
    "u": _vcpus("High Memory", "L-43DA4232", None),
    "hpc": _vcpus("HPC", "L-F7808C92", None),
}
_LETTERS = {"vt": "g", "gr": "g"}
_FAMILY = re.compile(r"[a-z]+")

ADDRESSES = Quota("ec2", "L-0263D0A3", "EC2-VPC Elastic IPs")
TEMPLATES = Quota("ec2", "L-FB451C26", "Launch templates")
NETWORKS = Quota("vpc", "L-F678F1CE", "VPCs per Region")
GATEWAYS = Quota("vpc", "L-A4707A72", "Internet gateways per Region")
NAT_GATEWAYS = Quota("vpc", "L-FE5A380F", "NAT gateways per Availability Zone")
GROUPS = Quota("vpc", "L-E79EC296", "VPC security groups per Region")
RULES = Quota("vpc", "L-0EA8095F", "Inbound or outbound rules per security group")
INTERFACES = Quota("vpc", "L-DF5E4CA3", "Network interfaces per Region")
PEERINGS = Quota("vpc", "L-7E9ECCDB", "Active VPC peering connections per VPC")
GP3 = Quota("ebs", "L-7A658B76", "Storage for General Purpose SSD (gp3) volumes", "TiB")
EFS = Quota("elasticfilesystem", "L-848C634D", "File systems per account")
LUSTRE = Quota("fsx", "L-FD6F2F22", "Lustre Persistent_2 file systems")
LUSTRE_STORAGE = Quota("fsx", "L-8F1B9C74", "Lustre Persistent_2 storage capacity", "GiB")
SCALING_GROUPS = Quota("autoscaling", "L-CDE20ADC", "Auto Scaling groups per region")
CLUSTERS = Quota("eks", "L-1194D53C", "Clusters")
CLUSTER_GROUPS = Quota("eks", "L-6D54EA21", "Managed node groups per cluster")

# Quotas that count the resources of one type which the stacks make.
_COUNTED = {
    "aws:ec2/eip:Eip": ADDRESSES,
    "aws:ec2/launchTemplate:LaunchTemplate": TEMPLATES,
    "aws:ec2/vpc:Vpc": NETWORKS,
    "aws:ec2/internetGateway:InternetGateway": GATEWAYS,
    "aws:efs/fileSystem:FileSystem": EFS,
    "aws:fsx/lustreFileSystem:LustreFileSystem": LUSTRE,
    "aws:autoscaling/group:Group": SCALING_GROUPS,
    "aws:eks/cluster:Cluster": CLUSTERS,
}
_SECURITY_GROUP = "aws:ec2/securityGroup:SecurityGroup"
_NODE_GROUP = "aws:eks/nodeGroup:NodeGroup"


def demands(locations: Sequence[LocationArgs], vcpus: Mapping[str, int]) -> tuple[Demand, ...]:
    """What the locations, all of one region, ask for together; `vcpus` by machine type.

    Groups whose machine type is not in `vcpus`, and capacity blocks, which have limits of their own, are left out.
    Zones have to be named in the arguments. Scaling groups are counted at their largest.
    """
    return (*_instances(locations, vcpus), *_things(locations), *_storage(locations), *_within(locations))


def quota_of(machine_type: str, market: Market) -> Quota | None:
    """The quota that a machine type counts against; None where it is not sold that way."""
    return _class_of(machine_type).get(market)


def machine_count(group: GroupArgs) -> int:
    """How many machines a group may have."""
    return group.scaling.max if group.scaling is not None else len(group.hosts)


def _class_of(machine_type: str) -> dict[Market, Quota]:
    found = _FAMILY.match(machine_type)
    letters = found.group() if found else ""
    if machine_type.startswith("p5"):
        return _CLASSES["p5"]
    return _CLASSES.get(_LETTERS.get(letters, letters), _CLASSES["standard"])


def _instances(locations: Iterable[LocationArgs], vcpus: Mapping[str, int]) -> Iterator[Demand]:
    counts = Counter[Quota]()
    for group in (group for location in locations for group in location.groups):
        if group.capacity == "block" or group.machine_type not in vcpus:
            continue
        quota = quota_of(group.machine_type, "spot" if group.capacity == "spot" else "on-demand")
        if quota is not None:
            counts[quota] += vcpus[group.machine_type] * machine_count(group)
    yield from (Demand(quota, count) for quota, count in counts.items())


def _things(locations: Iterable[LocationArgs]) -> Iterator[Demand]:
    counts = Counter[Quota]()
    zones = Counter[str]()
    for location in locations:
        types = Counter(one.type for one in planned_resources(location))
        for type_, quota in _COUNTED.items():
            counts[quota] += types[type_]
        # A network brings a security group of its own with it.
        counts[GROUPS] += types[_SECURITY_GROUP] + 1
        counts[INTERFACES] += _interfaces(location)
        gateways = types["aws:ec2/natGateway:NatGateway"]
        zones.update(location.network.zones[:gateways])
    yield from (Demand(quota, count) for quota, count in counts.items() if count)
    yield from (Demand(NAT_GATEWAYS, count, zone) for zone, count in sorted(zones.items()))


def _interfaces(location: LocationArgs) -> int:
    """Network interfaces: of machines (one a card), NAT gateways, endpoints and mount targets (one a zone)."""
    types = Counter(one.type for one in planned_resources(location))
    machines = sum(machine_count(group) * max(1, group.network_cards) for group in location.groups)
    endpoints = len(location.network.endpoints) * location.network.zone_count
    return machines + endpoints + types["aws:ec2/natGateway:NatGateway"] + types["aws:efs/mountTarget:MountTarget"]


def _storage(locations: Sequence[LocationArgs]) -> Iterator[Demand]:
    roots = sum(machine_count(group) * group.root_gib for location in locations for group in location.groups)
    volumes = sum(one.size_gib for location in locations for one in location.volumes if one.type == "gp3")
    if roots + volumes:
        yield Demand(GP3, (roots + volumes) / _GIB_IN_TIB)
    lustre = sum(one.size_gib or 0 for location in locations for one in location.file_systems)
    if lustre:
        yield Demand(LUSTRE_STORAGE, lustre)


def _within(locations: Sequence[LocationArgs]) -> Iterator[Demand]:
    """Limits of one network, security group or cluster: the largest demand of any."""
    rules = [len(group.ingress) + (group.network_cards > 0) for location in locations for group in location.groups]
    if rules:
        yield Demand(RULES, max(rules), is_alone=True)
    ways = Counter(peer.address for location in locations for peer in location.peers)
    ways.update({location.location: len(location.peers) for location in locations if location.peers})
    if ways:
        yield Demand(PEERINGS, max(ways.values()), is_alone=True)
    groups = [sum(one.type == _NODE_GROUP for one in planned_resources(location)) for location in locations]
    if max(groups, default=0):
        yield Demand(CLUSTER_GROUPS, max(groups), is_alone=True)
