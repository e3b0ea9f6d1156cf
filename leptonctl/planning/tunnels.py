"""Tunnels: each edge box of a region has one to the region's gateway, with an address that stays its own. Pure.

Keys are no part of this: each host makes its own, and a run exchanges the public ones (`leptonctl.stages.tunnelling`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING, cast

from leptonctl.planning.monitoring import in_url
from leptonctl.sitefile.software.edge import room_for_boxes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from leptonctl.planning.desired import Desired, DesiredHost, Settings

BOX = "edge"
RUNTIME = "container_runtime"
# Docker's own registry is reached under another name than images of it are called by.
_DOCKER_HUB = {"registry-1.docker.io": "docker.io", "index.docker.io": "docker.io"}
GATEWAY = "edge_gateway"


@dataclass(frozen=True, slots=True)
class Tunnel:
    """A gateway and its boxes, each with its address in the tunnel's network; all by host address of the site."""

    gateway: str
    network: IPv4Network
    address: IPv4Address
    boxes: Mapping[str, IPv4Address]
    settings: Settings


def tunnels(desired: Desired) -> tuple[Tunnel, ...]:
    """Every gateway with the boxes of the edges below its location, in site order."""
    found: list[Tunnel] = []
    for location in desired.locations:
        gateway = next((host for host in location.hosts if host.role(GATEWAY)), None)
        role = gateway.role(GATEWAY) if gateway else None
        if gateway is None or role is None:
            continue
        boxes = [
            host.address
            for edge in desired.locations
            if location.address in edge.depends_on
            for host in edge.hosts
            if host.role(BOX)
        ]
        network = IPv4Network(str(role.settings["tunnel_cidr"]))
        found.append(Tunnel(gateway.address, network, network[1], addresses(network, boxes), role.settings))
    return tuple(found)


def addresses(network: IPv4Network, boxes: Iterable[str]) -> dict[str, IPv4Address]:
    """An address of the network for each box, from its name: a box that comes or goes moves no other, but by accident.

    Where two names fall on one address, the
    one that comes first in the alphabet has it and the other takes the next. Raises ValueError where they do not fit.
    """
    room = room_for_boxes(network)
    names = sorted(boxes)
    if len(names) > room:
        raise ValueError(f"{network} has room for {room} boxes, and there are {len(names)}")
    taken: dict[int, str] = {}
    for name in names:
        place = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) % room
        while place in taken:
            place = (place + 1) % room
        taken[place] = name
    return {name: network[place + 2] for place, name in taken.items()}


def box_settings(all_of: tuple[Tunnel, ...], hostnames: Mapping[str, str], host: DesiredHost) -> dict[str, object]:
    """What a box is told of its tunnel; an empty `tunnel` where its region has no gateway that is known."""
    own = next((one for one in all_of if host.address in one.boxes and one.gateway in hostnames), None)
    if own is None:
        return {"tunnel": {}}
    settings = own.settings
    return {
        "tunnel": {
            "address": f"{own.boxes[host.address]}/{own.network.prefixlen}",
            "gateway": str(own.address),
            "endpoint": f"{in_url(hostnames[own.gateway])}:{settings['tunnel_port']}",
            **{key: settings[key] for key in ("package_cache_port", "image_cache_port", "log_port", "state_port")},
        }
    }


def mirror_settings(all_of: tuple[Tunnel, ...], hostnames: Mapping[str, str], host: DesiredHost) -> dict[str, object]:
    """What the container runtime of a box is told: its gateway keeps images of a registry, so it is asked first.

    Empty where the gateway keeps none, where the file names a mirror of that registry, and for Docker, which knows
    mirrors of its own registry alone.
    """
    own = next((one for one in all_of if host.address in one.boxes and one.gateway in hostnames), None)
    upstream = str(own.settings["image_upstream"] or "").partition("://")[2].partition("/")[0] if own else ""
    runtime = host.role(RUNTIME)
    if own is None or runtime is None or not upstream:
        return {}
    registry = _DOCKER_HUB.get(upstream, upstream)
    mirrors = cast("Mapping[str, str]", runtime.settings["registry_mirrors"])
    if registry in mirrors or (runtime.settings["runtime"] == "docker" and registry != "docker.io"):
        return {}
    url = f"http://{own.address}:{own.settings['image_cache_port']}"
    return {"registry_mirrors": {**mirrors, registry: url}}


def gateway_settings(all_of: tuple[Tunnel, ...], host: DesiredHost) -> dict[str, object]:
    """What a gateway is told: its own address in the tunnel, and those of its boxes."""
    own = next(one for one in all_of if one.gateway == host.address)
    return {
        "address": f"{own.address}/{own.network.prefixlen}",
        "boxes": [{"host": name, "address": str(address)} for name, address in sorted(own.boxes.items())],
    }
