"""HDFS: the site's name nodes, who keeps or copies their names, data nodes and racks, as each host is told. Pure.

A rack is a location, so that copies of a block are spread over two locations where there are two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from leptonctl.planning.served import texts
from leptonctl.sitefile.stores.hdfs import HdfsPath

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from leptonctl.planning.desired import Desired, DesiredHost, DesiredLocation
    from leptonctl.planning.observed import HostLook

ROLE = "storage_hdfs"


@dataclass(frozen=True, slots=True)
class Hdfs:
    """Who is what in the site's HDFS, by host address in site order; data nodes each with its rack.

    With two name nodes there are journal nodes, and no checkpoint node: the standby does its work.
    """

    name_nodes: tuple[str, ...]
    journal_nodes: tuple[str, ...]
    checkpoint_node: str | None
    data_nodes: tuple[tuple[str, str], ...]
    paths: tuple[Mapping[str, object], ...]


def hdfs_of(desired: Desired) -> Hdfs:
    """The HDFS of a site. `validate` has seen to it that there are as many of each part as go together."""
    members = list(_members(desired.locations))
    by_part = {
        part: [host for _, host in members if part in parts_of(host)]
        for part in ("name_node", "journal_node", "checkpoint_node")
    }
    first = next(iter(by_part["name_node"]), None)
    return Hdfs(
        name_nodes=tuple(host.address for host in by_part["name_node"]),
        journal_nodes=tuple(host.address for host in by_part["journal_node"]),
        checkpoint_node=next((host.address for host in by_part["checkpoint_node"]), None),
        data_nodes=tuple(
            (host.address, rack_of(location.address)) for location, host in members if "data_node" in parts_of(host)
        ),
        paths=tuple(_path(store, first) for location in desired.locations for store in _stores(location)),
    )


def _stores(location: DesiredLocation) -> tuple[HdfsPath, ...]:
    return tuple(location.section.stores(HdfsPath).values()) if location.section is not None else ()


def _path(store: HdfsPath, name_node: DesiredHost | None) -> dict[str, object]:
    role = name_node.role(ROLE) if name_node is not None else None
    copies = store.copies or (role.settings["replication"] if role is not None else None)
    return {"path": store.path, "owner": store.owner, "policy": store.erasure, "copies": copies}


def hdfs_turns(locations: Iterable[DesiredLocation], others: Mapping[str, int]) -> dict[str, int]:
    """The turn of each name node and journal node; `others` are turns that hosts have for another reason.

    Of two name nodes the first makes the names, on all journal nodes, and the second takes them from it. Journal nodes
    change one after the other, so that the others stay a majority. A single name node comes with the first of those
    that have a turn, because some of them may be data nodes; where none has, it needs none.
    """
    there = [host for _, host in _members(locations)]
    names, journals = (
        [host.address for host in there if part in parts_of(host)] for part in ("name_node", "journal_node")
    )
    if not journals:
        return dict.fromkeys((name for name in names if name not in others), 0) if others else {}
    turns = {address: turn - len(journals) for turn, address in enumerate(journals) if address not in others}
    turns |= {address: others[address] for address in journals if address in others}
    for address in names:
        turns[address] = max(others.get(address, 0), 1 + max(turns.values()))
    return turns


def _members(locations: Iterable[DesiredLocation]) -> Iterator[tuple[DesiredLocation, DesiredHost]]:
    for location in locations:
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
        if host.role(ROLE) is None or seen is None or "parts" not in seen.former_settings:
            continue
        former = tuple(map(str, cast("list[object]", seen.former_settings["parts"])))
        # A journal node begins with nothing: it gets all that it needs from the name node.
        if {*parts_of(host)} != {*former, "journal_node"}:
            yield (
                f"{host.address} is {', '.join(former)} of HDFS and does not become {', '.join(parts_of(host))}: "
                "take the role storage_hdfs off it first (its data is kept until you name it)"
            )


def member_settings(hdfs: Hdfs, host: DesiredHost, hostnames: Mapping[str, str]) -> dict[str, object]:
    """What the role is told beside the site file's settings. Only name nodes are told of all data nodes.

    So a host that comes later changes nothing on those that are there. None is a host that nobody can reach yet.
    """
    is_name_node = host.address in hdfs.name_nodes
    nodes = [
        {"host": address, "address": hostnames[address], "rack": rack}
        for address, rack in hdfs.data_nodes
        if address in hostnames
    ]
    return {
        "name_nodes": [hostnames.get(address) for address in hdfs.name_nodes],
        "journal_nodes": [hostnames.get(address) for address in hdfs.journal_nodes],
        "checkpoint_node": hostnames.get(hdfs.checkpoint_node or ""),
        "address": hostnames.get(host.address),
        "nodes": nodes if is_name_node else [],
        "paths": list(hdfs.paths) if is_name_node else [],
    }
