"""Address ranges of local locations: which are taken on this machine, and which is free."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, ip_network
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from leptonctl.planning.desired import DesiredLocation
    from leptonctl.platforms.podman import PodmanNetwork

# Private (RFC 1918) and above what home and office networks usually take.
POOL = IPv4Network("10.64.0.0/10")
DEFAULT_PREFIX = 24
# Network, gateway and broadcast address.
NOT_FOR_HOSTS = 3
_ROUTES = Path("/proc/net/route")


@dataclass(frozen=True, slots=True)
class TakenRange:
    """A range that is in use, and by what, in words."""

    network: IPv4Network
    by: str


def ranges_of_networks(networks: Iterable[PodmanNetwork]) -> tuple[TakenRange, ...]:
    """The IPv4 ranges of podman networks."""
    return tuple(
        TakenRange(parsed, f"podman network '{network.name}'")
        for network in networks
        for cidr in network.cidrs
        if isinstance(parsed := ip_network(cidr, strict=False), IPv4Network)
    )


def ranges_of_machine() -> tuple[TakenRange, ...]:
    """The IPv4 ranges that this machine has a route to; none where that cannot be read: podman has the last word."""
    try:
        return ranges_of_routes(_ROUTES.read_text(encoding="ascii"))
    except OSError:
        return ()


def ranges_of_routes(table: str) -> tuple[TakenRange, ...]:
    """The ranges in the text of `/proc/net/route` without the default route; addresses there are little-endian hex."""
    rows = [line.split() for line in table.splitlines()[1:]]
    ranges = ((row[0], _address(row[1]), _address(row[7])) for row in rows)
    return tuple(
        TakenRange(IPv4Network(f"{destination}/{mask}"), f"a route of this machine (device {device})")
        for device, destination, mask in ranges
        if int(mask)
    )


def ranges_of_locations(locations: Iterable[DesiredLocation]) -> tuple[TakenRange, ...]:
    """The ranges that the site file gives to locations, whether they are made already or not."""
    return tuple(
        TakenRange(IPv4Network(location.cidr, strict=False), f"location {location.address}")
        for location in locations
        if location.cidr is not None
    )


def overlaps(cidr: str, taken: Iterable[TakenRange]) -> TakenRange | None:
    """The first of `taken` that shares an address with `cidr`."""
    wanted = IPv4Network(cidr, strict=False)
    return next((one for one in taken if one.network.overlaps(wanted)), None)


def free_ranges(taken: Iterable[TakenRange], *, host_count: int, seed: str) -> Iterator[str]:
    """Free ranges of the pool that hold `host_count` hosts, a /24 where that is enough.

    The search begins at a place that `seed` gives: the same location comes to the same range again where that is free,
    and two locations that search at the same time seldom meet.
    """
    prefix = min(DEFAULT_PREFIX, 32 - (host_count + NOT_FOR_HOSTS - 1).bit_length())
    step = 2 ** (32 - prefix)
    count = POOL.num_addresses // step
    start = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4], "big") % count
    used = tuple(taken)
    for number in range(count):
        first = int(POOL.network_address) + (start + number) % count * step
        cidr = f"{IPv4Address(first)}/{prefix}"
        if overlaps(cidr, used) is None:
            yield cidr


def free_addresses(cidr: str, used: Iterable[str]) -> Iterator[str]:
    """The addresses of a network that are free for hosts, lowest first; the first one is the gateway's."""
    network = IPv4Network(cidr, strict=False)
    taken = {*used, str(network.network_address + 1)}
    return (str(address) for address in network.hosts() if str(address) not in taken)


def holds(cidr: str, host_count: int) -> bool:
    """Whether a network has an address for every host."""
    return IPv4Network(cidr, strict=False).num_addresses >= host_count + NOT_FOR_HOSTS


def _address(field: str) -> IPv4Address:
    return IPv4Address(struct.pack("<I", int(field, 16)))
