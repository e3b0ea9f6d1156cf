"""How a location is laid out on AWS: its zones, subnets and architecture, from the site file alone.

A network is cut into four equal blocks. The first three are the private subnets of up to three zones, so that a zone
may be added later without moving the others; a quarter of the fourth is the public subnet of each zone.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from leptonctl.sitefile.aws_model import Aws
    from leptonctl.sitefile.model import NodeGroup

ZONES_LIMIT = 3
DEFAULT_ZONES = 2
# AWS keeps the first four addresses and the last one of each subnet.
RESERVED_ADDRESSES = 5
DEFAULT_DISK_GIB = 30
REGION = re.compile(r"[a-z]{2}(-[a-z]+){1,2}-[0-9]")
"""The form of a region's name."""

_TYPE = re.compile(r"(?P<family>[a-z]+)(?P<generation>[0-9]*)(?P<options>[a-z0-9-]*)\.[a-z0-9-]+")


def zone_count(aws: Aws) -> int:
    """How many zones the location has subnets in."""
    return len(aws.zones) or DEFAULT_ZONES


def private_subnet(cidr: str, zone: int) -> IPv4Network:
    """The private subnet of the zone with this number."""
    return _blocks(cidr)[zone]


def public_subnet(cidr: str, zone: int) -> IPv4Network:
    """The public subnet of the zone with this number."""
    return list(_blocks(cidr)[ZONES_LIMIT].subnets(prefixlen_diff=2))[zone]


def host_zones(aws: Aws, group: NodeGroup) -> tuple[int, ...]:
    """The zone of each host of a group, of a scaling group at its largest: those that it may use, in turn."""
    zones = group_zones(aws, group)
    return tuple(zones[number % len(zones)] for number in range(largest_count(group)))


def group_zones(aws: Aws, group: NodeGroup) -> tuple[int, ...]:
    """The zones that a group's machines are spread over: one where the group says so or must, else the location's.

    Machines that are placed close together or have EFA share a zone: neither reaches over zones.
    """
    if group.aws.zone is not None:
        return (aws.zones.index(group.aws.zone),)
    return (0,) if is_in_one_zone(group) else tuple(range(zone_count(aws)))


def is_in_one_zone(group: NodeGroup) -> bool:
    """Whether the machines of a group must share a zone, whichever it is."""
    return group.aws.placement == "cluster" or bool(group.aws.network_cards)


def largest_count(group: NodeGroup) -> int:
    """The number of machines of a group that has a count or is scaled; of the latter at its largest."""
    return group.scaling.max if group.scaling is not None else group.count or 0


def architecture_of(machine_type: str) -> Literal["x86_64", "arm64"]:
    """The processor architecture behind a machine type's name: `g` after the generation is Graviton or Grace."""
    found = _TYPE.fullmatch(machine_type)
    if found is None:
        return "x86_64"
    options = found["options"]
    is_arm = options.startswith("g") or "-gb" in options or (found["family"], found["generation"]) == ("a", "1")
    # is4gen and im4gn carry their g behind the generation too; mac2 is Apple's.
    return "arm64" if is_arm else "x86_64"


def partition_of(region: str) -> str:
    """The part of AWS that a region lies in: accounts, networks and names do not reach over it."""
    for prefix, partition in (("us-gov-", "aws-us-gov"), ("cn-", "aws-cn"), ("us-iso", "aws-iso")):
        if region.startswith(prefix):
            return partition
    return "aws"


def _blocks(cidr: str) -> list[IPv4Network]:
    return list(IPv4Network(cidr).subnets(prefixlen_diff=2))
