"""Rules on networks: readable, private, apart from each other, and large enough."""

from __future__ import annotations

from collections import Counter
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError
from typing import TYPE_CHECKING, NamedTuple

from leptonctl.sitefile.aws import (
    RESERVED_ADDRESSES,
    ZONES_LIMIT,
    host_zones,
    private_subnet,
    public_subnet,
    zone_count,
)
from leptonctl.sitefile.findings import Finding
from leptonctl.sitefile.rules.parts import locations, spoken
from leptonctl.sitefile.words import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.sitefile.findings import Path
    from leptonctl.sitefile.model import Location, Site

_PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))
# The smallest and largest network that a platform makes, as prefix lengths. On aws it is cut into subnets, of which
# the smallest has a sixteenth of it and at least 16 addresses.
_PREFIXES = {"local": (29, 8), "aws": (24, 16)}
# Network, broadcast and gateway.
_RESERVED = 3


class _Named(NamedTuple):
    network: IPv4Network
    order: int
    path: Path


def check_networks(site: Site) -> Iterator[Finding]:
    """Every network that is written out is one, fits its location, and overlaps no other."""
    networks: list[_Named] = []
    for order, (path, location) in enumerate(locations(site)):
        cidr = location.network.cidr
        if cidr is None or location.platform not in _PREFIXES:
            continue
        place = (*path, "network", "cidr")
        network = _network(cidr)
        if network is None:
            yield _unreadable(cidr, place)
            continue
        networks.append(_Named(network, order, path))
        yield from _check_fit(network, location, place)
    yield from _overlaps(networks)


def _network(cidr: str) -> IPv4Network | None:
    try:
        return IPv4Network(cidr) if "/" in cidr else None
    except ValueError:
        return None


def _unreadable(cidr: str, place: Path) -> Finding:
    hint = "write one such as 10.80.1.0/24"
    try:
        nearest = IPv4Network(cidr, strict=False)
    except (AddressValueError, NetmaskValueError, ValueError):
        return Finding("bad-network", place, f"{quoted(cidr)} is not an IPv4 network", hint)
    if "/" in cidr:
        message, hint = f"{quoted(cidr)} is an address inside a network", f"write the network: {nearest}"
        return Finding("bad-network", place, message, hint)
    return Finding("bad-network", place, f"{quoted(cidr)} has no prefix length", hint)


def _check_fit(network: IPv4Network, location: Location, place: Path) -> Iterator[Finding]:
    if not any(network.subnet_of(private) for private in _PRIVATE):
        hint = "use part of 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10"
        yield Finding("network-not-private", place, f"{network} is not a private network", hint)
    smallest, largest = _PREFIXES[location.platform]
    if not largest <= network.prefixlen <= smallest:
        what = "small" if network.prefixlen > smallest else "large"
        message = f"{network} is too {what} for the platform {location.platform}"
        yield Finding("network-size", place, message, f"use a prefix length from /{largest} to /{smallest}")
        return
    if location.platform == "aws":
        yield from _check_subnets(str(network), location, place)
        return
    wanted = sum(group.count or 0 for group in location.nodes.values())
    free = network.num_addresses - _RESERVED
    if wanted > free:
        message = f"{network} has {free:,} addresses for {wanted:,} hosts"
        yield Finding("network-full", place, message, "use a larger network, or fewer hosts")


def _check_subnets(cidr: str, location: Location, place: Path) -> Iterator[Finding]:
    """Each zone's subnets have an address for each host, card, endpoint and gateway in them."""
    aws = location.aws
    if aws is None or zone_count(aws) > ZONES_LIMIT:
        return
    wanted: Counter[tuple[bool, int]] = Counter()
    for zone in range(zone_count(aws)):
        # Interface endpoints and mount targets; a NAT gateway.
        wanted[False, zone] = len(set(aws.endpoints)) + len(aws.file_systems)
        wanted[True, zone] = 1
    for group in location.nodes.values():
        if group.aws.zone is not None and group.aws.zone not in aws.zones:
            continue
        for zone in host_zones(aws, group):
            wanted[group.aws.public, zone] += max(1, group.aws.network_cards)
    for (is_public, zone), count in wanted.items():
        subnet = (public_subnet if is_public else private_subnet)(cidr, zone)
        free = subnet.num_addresses - RESERVED_ADDRESSES
        if count > free:
            kind = "public" if is_public else "private"
            message = f"{cidr} gives the {kind} subnet of zone {zone + 1} {free:,} addresses, and {count:,} are needed"
            yield Finding("network-full", place, message, "use a larger network, more zones, or fewer hosts")


def _overlaps(networks: list[_Named]) -> Iterator[Finding]:
    """Each network that overlaps another, once, at the one that stands later in the file."""
    widest: _Named | None = None
    for named in sorted(networks):
        if widest is not None and named.network.overlaps(widest.network):
            first, second = sorted((widest, named), key=lambda one: one.order)
            message = f"{second.network} overlaps the network {first.network} of {spoken(first.path)}"
            yield Finding("network-overlap", (*second.path, "network", "cidr"), message, "give each location its own")
        if widest is None or named.network.broadcast_address > widest.network.broadcast_address:
            widest = named
