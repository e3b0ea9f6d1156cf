"""Rules on the two ends of a bad uplink: boxes at edges, one gateway in a region with room for them, a signer's key."""

from __future__ import annotations

import re
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any

from leptonctl.sitefile.findings import Finding
from leptonctl.sitefile.ranges import host_count
from leptonctl.sitefile.rules.parts import groups, sections, spoken
from leptonctl.sitefile.settings import resolve
from leptonctl.sitefile.software.edge import room_for_boxes
from leptonctl.sitefile.words import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.sitefile.findings import Path
    from leptonctl.sitefile.model import Site

_BOX = "edge"
_SIGNER = re.compile(r"ssh-ed25519 [A-Za-z0-9+/]{60,}=*( [^\n]*)?")


def check_edge_boxes(site: Site) -> Iterator[Finding]:
    """A box has an uplink to somewhere: it is at an edge, and is no server itself."""
    for path, software, _ in sections(site):
        signer = software.edge.signer if software.edge else None
        if signer is not None and not _SIGNER.fullmatch(signer):
            message = f"{quoted(signer)} is not the public half of an ed25519 key"
            hint = "write it as in the .pub file: ssh-ed25519 AAAA..."
            yield Finding("bad-ssh-key", (*path, "edge", "signer"), message, hint)
    for path, _, _, group in groups(site):
        if _BOX not in group.roles:
            continue
        place = (*path, "roles", group.roles.index(_BOX))
        if path[0] != "edges":
            message = f"{spoken(path[:-2])} is no edge"
            yield Finding("edge-box", place, message, "give the role to hosts of an edge")
        elif "monitoring_server" in group.roles:
            message = "a box that sends its metrics cannot be the server that takes them"
            yield Finding("edge-box", place, message, "give the role monitoring_server to another host")


def check_edge_gateways(site: Site) -> Iterator[Finding]:
    """A region has one gateway, whose tunnels have room for the boxes of its edges."""
    first: dict[Path, str] = {}
    for path, _, name, group in groups(site):
        if "edge_gateway" not in group.roles:
            continue
        location, place = path[:-2], (*path, "roles", group.roles.index("edge_gateway"))
        if path[0] != "regions":
            message = f"{spoken(location)} is no region"
            yield Finding("edge-gateway", place, message, "give the role to a host of the region that edges belong to")
        elif group.scaling is not None:
            message = "a gateway needs a host that stays, and those of a scaling group come and go"
            yield Finding("scaled-hosts", place, message, "give the role to a group of one host")
        elif location in first:
            message = f"a host of the group '{first[location]}' of {spoken(location)} is a gateway already"
            yield Finding("edge-gateway", place, message, "keep the role on one host of the region")
        elif host_count(group) > 1:
            message = "every host of this group would be a gateway"
            yield Finding("edge-gateway", place, message, "give the role to a group of one host")
        else:
            yield from _check_range(site, spoken(location), name, place)
            yield from _check_ways_in(site, spoken(location), name, place)
        first.setdefault(location, name)


def _check_range(site: Site, location: str, group: str, place: Path) -> Iterator[Finding]:
    value = resolve(site, location, group, "edge_gateway")["tunnel_cidr"]
    origin, text = value.origin or place, str(value.value)
    try:
        network = IPv4Network(text)
    except ValueError:
        yield Finding(
            "bad-network", origin, f"{quoted(text)} is not an IPv4 network", "write one such as 10.213.0.0/16"
        )
        return
    boxes = sum(
        host_count(one)
        for path, _, _, one in groups(site)
        if _BOX in one.roles and path[0] == "edges" and f"regions/{site.edges[str(path[1])].parent}" == location
    )
    if boxes > room_for_boxes(network):
        message = f"{network} has room for {room_for_boxes(network)} boxes, and the region has {boxes}"
        yield Finding("edge-gateway", origin, message, "write a larger range")
    for address, other in site.locations().items():
        if other.network.cidr is not None and _overlap(network, other.network.cidr):
            message = f"{network} overlaps the network {other.network.cidr} of {address}"
            yield Finding("network-overlap", origin, message, "give the tunnels a range of their own")


def _check_ways_in(site: Site, location: str, group: str, place: Path) -> Iterator[Finding]:
    """Boxes that are not on AWS get to a gateway there only from ranges that are named."""
    value = resolve(site, location, group, "edge_gateway")["boxes_from"]
    named: Any = value.value
    for index, cidr in enumerate(named):
        try:
            IPv4Network(cidr)
        except ValueError:
            message = f"{quoted(cidr)} is not an IPv4 network"
            origin = (*value.origin, index) if value.origin else place
            yield Finding("bad-network", origin, message, "write one such as 203.0.113.0/24, or one address as /32")
    outside = [
        name for name, edge in site.edges.items() if f"regions/{edge.parent}" == location and edge.platform != "aws"
    ]
    if not named and outside and site.location(location).platform == "aws":
        message = f"the boxes of edges/{outside[0]} are not on AWS, and nothing says where they come from"
        hint = "set edge_gateway.boxes_from to their ranges, or to 0.0.0.0/0 where nobody knows"
        yield Finding("edge-gateway", place, message, hint)


def _overlap(network: IPv4Network, cidr: str) -> bool:
    try:
        return network.overlaps(IPv4Network(cidr))
    except ValueError:
        return False  # told by the rules on networks
