"""HDFS: the site's one name node, who copies its names, its data nodes and their racks, as each host is told. Pure.

A rack is a location, so that copies of a block are spread over two locations where there are two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from leptonctl.planning.served import texts
from leptonctl.sitefile.stores.hdfs import HdfsPath

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from leptonctl.planning.desired import Desired, DesiredHost, DesiredLocation
    from leptonctl.planning.observed import HostLook

ROLE = "storage_hdfs"


@dataclass(frozen=True, slots=True)
class Hdfs:
    """Who is what in the site's HDFS, by host address; data nodes in site order, each with its rack."""

    name_node: str | None
    checkpoint_node: str | None
    data_nodes: tuple[tuple[str, str], ...]
    paths: tuple[Mapping[str, object], ...]


def hdfs_of(desired: Desired) -> Hdfs:
    """The HDFS of a site. `validate` has seen to it that there is one name node."""
    members = list(_members(desired))
    name_node, checkpoint_node = (
        next((host for _, host in members if part in parts_of(host)), None) for part in ("name_node", "checkpoint_node")
    )
    return Hdfs(
        name_node=name_node.address if name_node is not None else None,
        checkpoint_node=checkpoint_node.address if checkpoint_node is not None else None,
        data_nodes=tuple(
            (host.address, rack_of(location.address)) for location, host in members if "data_node" in parts_of(host)
        ),
        paths=tuple(_path(store, name_node) for location in desired.locations for store in _stores(location)),
    )


def _stores(location: DesiredLocation) -> tuple[HdfsPath, ...]:
    return tuple(location.section.stores(HdfsPath).values()) if location.section is not None else ()


def _path(store: HdfsPath, name_node: DesiredHost | None) -> dict[str, object]:
    role = name_node.role(ROLE) if name_node is not None else None
    copies = store.copies or (role.settings["replication"] if role is not None else None)
    return {"path": store.path, "owner": store.owner, "policy": store.erasure, "copies": copies}


def _members(desired: Desired) -> Iterator[tuple[DesiredLocation, DesiredHost]]:
    for location in desired.locations:
        for host in location.hosts:
            if host.role(ROLE) is not None:
                yield location, host


def parts_of(host: DesiredHost) -> tuple[str, ...]:
    """What the host is in it."""
    role = host.role(ROLE)
    return texts(role.settings["parts"]) if role is not None else ()


def rack_of(location: str) -> str:
    """A location's rack: `/regions.west`. HDFS wants all racks equally deep."""
    return f"/{location.replace('/', '.')}"


def refused_edits(location: DesiredLocation, looks: Mapping[str, HostLook]) -> Iterator[str]:
    """Why hosts cannot become what the site file says: names and blocks do not move from one host to another."""
    for host in location.hosts:
        look = looks.get(host.address)
        seen = look.roles.get(ROLE) if look is not None else None
        if host.role(ROLE) is not None and seen is not None and "parts" in seen.former_settings:
            former = ", ".join(map(str, cast("list[object]", seen.former_settings["parts"])))
            yield (
                f"{host.address} is {former} of HDFS and does not become {', '.join(parts_of(host))}: "
                "take the role storage_hdfs off it first (its data is kept until you name it)"
            )


def member_settings(hdfs: Hdfs, host: DesiredHost, hostnames: Mapping[str, str]) -> dict[str, object]:
    """What the role is told beside the site file's settings. Only the name node is told of all others.

    So a host that comes later changes nothing on those that are there.
    """
    is_name_node = host.address == hdfs.name_node
    nodes = [
        {"host": address, "address": hostnames[address], "rack": rack}
        for address, rack in hdfs.data_nodes
        if address in hostnames
    ]
    return {
        "name_node": hostnames.get(hdfs.name_node or ""),
        "checkpoint_node": hostnames.get(hdfs.checkpoint_node or ""),
        "address": hostnames.get(host.address),
        "nodes": nodes if is_name_node else [],
        "paths": list(hdfs.paths) if is_name_node else [],
    }
