"""Rules on Ceph clusters: 1, 3 or 5 monitors, settings that agree, and hosts enough for the pools that are asked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from leptonctl.sitefile.findings import Finding
from leptonctl.sitefile.ranges import host_count
from leptonctl.sitefile.rules.ceph import pieces_of
from leptonctl.sitefile.rules.parts import locations, spoken
from leptonctl.sitefile.settings import resolve
from leptonctl.sitefile.software.ceph import CLUSTER_WIDE, MONITOR_COUNTS
from leptonctl.sitefile.stores.ceph import CephPool
from leptonctl.sitefile.words import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.sitefile.findings import Path
    from leptonctl.sitefile.model import Location, Site
    from leptonctl.sitefile.settings import Resolved

_DEVICE = re.compile(r"/dev/[A-Za-z0-9_./:-]+")
_NAMED = re.compile(r"pool [a-z][a-z0-9-]*")
_ROLE: Literal["storage_ceph"] = "storage_ceph"


@dataclass(frozen=True, slots=True)
class _Group:
    """A node group of a cluster: where it is, its settings, and how many hosts it has."""

    location: str
    name: str
    roles_at: Path
    settings: dict[str, Resolved]
    host_count: int

    @property
    def osd_host_count(self) -> int:
        """How many of its hosts hold data."""
        has_osds = self.settings["osd_devices"].value or self.settings["osd_file_count"].value
        return self.host_count if has_osds else 0


@dataclass(slots=True)
class _Cluster:
    """The groups of a cluster, and its pools with their places."""

    groups: list[_Group] = field(default_factory=list)
    pools: list[tuple[str, str, CephPool, Path]] = field(default_factory=list)

    def domains(self, pool: CephPool, location: str) -> int:
        """How many failure domains the pool can lie in: hosts of its location, or locations of the cluster."""
        if pool.failure_domain == "location":
            return len({group.location for group in self.groups if group.osd_host_count})
        return sum(group.osd_host_count for group in self.groups if group.location == location)


def check_ceph_clusters(site: Site) -> Iterator[Finding]:
    """Every cluster of the site, and every pool that has none."""
    clusters: dict[str, _Cluster] = {}
    for path, location in locations(site):
        address = spoken(path)
        groups = [
            _Group(
                address,
                name,
                (*path, "nodes", name, "roles", group.roles.index(_ROLE)),
                resolve(site, address, name, _ROLE),
                host_count(group),
            )
            for name, group in location.nodes.items()
            if _ROLE in group.roles
        ]
        for group in groups:
            if location.nodes[group.name].scaling is not None:
                message = "a cluster's hosts stay, and those of a scaling group come and go"
                yield Finding("scaled-hosts", group.roles_at, message, "give the role to a group with a count or hosts")
            yield from _check_values(group)
            clusters.setdefault(str(group.settings["cluster"].value or address), _Cluster()).groups.append(group)
        yield from _check_stores(location, path, groups)
        for name, pool in location.stores(CephPool).items():
            if groups:
                cluster = clusters[str(groups[0].settings["cluster"].value or address)]
                cluster.pools.append((address, name, pool, (*path, "storage", name)))
    for cluster in clusters.values():
        yield from _check_cluster(cluster)


def _check_stores(location: Location, path: Path, groups: list[_Group]) -> Iterator[Finding]:
    """A pool is served by a role of the location's hosts, and used by hosts that have the role as well."""
    having = {group.name for group in groups}
    for name, pool in location.stores(CephPool).items():
        place = (*path, "storage", name)
        if not having:
            message = f"no group of {spoken(path)} has the role '{_ROLE}' that serves this"
            yield Finding("store-role", place, message, "add the role to the groups whose hosts hold it", at="key")
            continue
        for index, client in enumerate(pool.clients):
            if client in location.nodes and client not in having:
                message = f"the group {quoted(client)} has not the role '{_ROLE}' by which its hosts use this"
                yield Finding("store-role", (*place, "clients", index), message, "add the role to the group")


def _check_values(group: _Group) -> Iterator[Finding]:
    """Devices by their path; what is to go as `verify` tells it."""
    forms = (
        ("osd_devices", _DEVICE, "a device", "/dev/disk/by-id/nvme-x"),
        ("wipe", _DEVICE, "a device", "/dev/disk/by-id/nvme-x"),
        ("delete", _NAMED, "something that can be deleted", "`pool NAME`"),
    )
    for key, form, what, example in forms:
        held = group.settings[key]
        values: Any = held.value
        for index, text in enumerate(values):
            if form.fullmatch(text) is None:
                message = f"{quoted(text)} is not {what}"
                place = (*(held.origin or group.roles_at), *((index,) if held.origin else ()))
                yield Finding("bad-value", place, message, f"write it as {example}")


def _check_cluster(cluster: _Cluster) -> Iterator[Finding]:
    first = cluster.groups[0]
    for group in cluster.groups[1:]:
        for key in CLUSTER_WIDE:
            value, held = group.settings[key], first.settings[key]
            if value.value != held.value:
                message = f"the groups {first.name} and {group.name} are one cluster and differ in {key}"
                place = value.origin or held.origin or group.roles_at
                yield Finding("cluster-settings", place, message, f"set {key} for all of them")
    monitors = [group for group in cluster.groups if group.settings["monitor"].value]
    count = sum(group.host_count for group in monitors)
    if count not in MONITOR_COUNTS:
        place = monitors[0].settings["monitor"].origin or first.roles_at if monitors else first.roles_at
        message = f"this Ceph cluster has {count or 'no'} monitors"
        hint = "set software.storage_ceph.monitor: true for groups of 1, 3 or 5 hosts in all"
        yield Finding("ceph-monitors", place, message, hint)
    taken: dict[str, str] = {}
    for location, name, pool, place in cluster.pools:
        if taken.setdefault(name, location) != location:
            message = f"{taken[name]} has a pool {quoted(name)} in the same cluster already"
            yield Finding("duplicate-store", place, message, "give it another name", at="key")
        there, needed = cluster.domains(pool, location), pieces_of(pool)
        if there < needed:
            where = f"hosts with OSDs in {location}" if pool.failure_domain == "host" else "locations with OSDs"
            key = "erasure" if pool.erasure is not None else "size"
            at = (*place, key) if key in pool.model_fields_set else place
            message = f"this pool needs {needed} {where}, and there {'is' if there == 1 else 'are'} {there or 'none'}"
            hint = (
                f"{needed} would do, each with an OSD; or ask for {'fewer pieces' if pool.erasure else 'fewer copies'}"
            )
            yield Finding("pool-redundancy", at, message, hint, at="key" if at is place else "value")
