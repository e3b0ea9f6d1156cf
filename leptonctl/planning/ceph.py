"""Ceph clusters: which hosts are what in them, and what each is told beside its own settings. Pure.

The hosts of a location that have the role `storage_ceph` are one cluster, or those of several locations that name the
same one. The first monitor, in site order, begins it and makes its pools.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leptonctl.sitefile.stores.ceph import DEFAULT_SIZE, CephPool

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from leptonctl.planning.desired import Desired, DesiredHost, DesiredLocation, Settings
    from leptonctl.planning.observed import HostLook

ROLE = "storage_ceph"
_GIB_MIB = 1024 * 1024
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class CephCluster:
    """A cluster: its locations and the addresses of its monitors, both in site order."""

    name: str
    locations: tuple[DesiredLocation, ...]
    monitors: tuple[str, ...]

    def begins(self, address: str) -> bool:
        """Whether the host begins the cluster."""
        return self.monitors[:1] == (address,)


def ceph_clusters(locations: Iterable[DesiredLocation]) -> tuple[CephCluster, ...]:
    """The clusters, in site order."""
    members: dict[str, list[DesiredLocation]] = {}
    monitors: dict[str, list[str]] = {}
    for location in locations:
        for host in location.hosts:
            role = host.role(ROLE)
            if role is None:
                continue
            name = cluster_name(location.address, role.settings)
            found = members.setdefault(name, [])
            if location not in found[-1:]:
                found.append(location)
            if role.settings["monitor"]:
                monitors.setdefault(name, []).append(host.address)
    return tuple(CephCluster(name, tuple(found), tuple(monitors.get(name, ()))) for name, found in members.items())


def cluster_name(location: str, settings: Settings) -> str:
    """The name of the cluster that a host of this location is in."""
    return str(settings.get("cluster") or location)


def node_name(address: str) -> str:
    """The name of a host, or of a location, in its cluster: `core.store-1`."""
    return address.replace("/", ".")


def ceph_settings(
    cluster: CephCluster, location: DesiredLocation, host: DesiredHost, hostnames: Mapping[str, str]
) -> dict[str, object]:
    """What the role is told beside the site file's settings: who the monitors are, pools, and what this host mounts.

    A monitor whose address is not known yet is left out. What the whole cluster has is told to the first monitor alone.
    """
    role = host.role(ROLE)
    settings: Settings = role.settings if role is not None else {}
    stores = [
        (one.address, name, pool)
        for one in cluster.locations
        if one.section is not None
        for name, pool in one.section.stores(CephPool).items()
    ]
    own = location.section.stores(CephPool) if location.section is not None else {}
    begins, is_monitor = cluster.begins(host.address), host.address in cluster.monitors
    return {
        "node_name": node_name(host.address),
        "place": node_name(location.address),
        "begins": begins,
        "monitors": [
            {"name": node_name(address), "address": hostnames[address]}
            for address in cluster.monitors
            if address in hostnames
        ],
        "places": [node_name(one.address) for one in cluster.locations] if begins else [],
        "pools": [made for place, name, pool in stores for made in pools_of(node_name(place), name, pool)]
        if begins
        else [],
        "file_systems": [name for _, name, pool in stores if pool.use == "cephfs"] if is_monitor else [],
        "clients": [client_of(name, pool) for name, pool in own.items() if host.group in pool.clients],
        "options": options(settings) if begins else {},
    }


def pools_of(place: str, name: str, pool: CephPool) -> tuple[dict[str, object], ...]:
    """The pools of a store as Ceph has them. File systems and block devices keep their metadata in a pool beside it.

    That one is always in whole copies: Ceph keeps no metadata in pieces. It bears what the data bears, or more.
    """
    application = "leptonctl" if pool.use == "none" else pool.use
    size = None if pool.erasure else pool.size or DEFAULT_SIZE
    data: dict[str, object] = {
        "name": name,
        "place": place,
        "size": size,
        "min_size": pool.min_size,
        "erasure": pool.erasure.model_dump() if pool.erasure else None,
        "failure_domain": pool.failure_domain,
        "application": application,
        "has_overwrites": pool.erasure is not None and pool.use != "none",
        "is_file_system": pool.use == "cephfs",
        "placement_groups": pool.placement_groups,
    }
    if pool.use == "none" or (pool.use == "rbd" and pool.erasure is None):
        return (data,)
    copies = max(pool.erasure.parity + 1, DEFAULT_SIZE) if pool.erasure else size
    more = {"size": copies, "min_size": None, "erasure": None, "has_overwrites": False, "is_file_system": False}
    return ({**data, "name": f"{name}.meta", **more, "placement_groups": None}, data)


def client_of(name: str, pool: CephPool) -> dict[str, object]:
    """What a host needs to use a store: the capabilities of its key, and where it is mounted.

    As in https://docs.ceph.com/en/pacific/rados/operations/user-management/ and `cephfs/client-auth`.
    """
    if pool.use == "cephfs":
        caps = ["mon", f"allow r fsname={name}", "mds", f"allow rw fsname={name}"]
        caps += ["osd", f"allow rw tag cephfs data={name}"]
    elif pool.use == "rbd":
        both = f"profile rbd pool={name}" + (f", profile rbd pool={name}.meta" if pool.erasure else "")
        caps = ["mon", "profile rbd", "osd", both]
    else:
        caps = ["mon", "allow r", "osd", f"allow rw pool={name}"]
    return {"name": name, "caps": caps, "mount_path": pool.mount_path if pool.use == "cephfs" else None}


def options(settings: Settings) -> dict[str, dict[str, str]]:
    """Settings that the cluster keeps for its daemons, by section, as Ceph writes them."""
    deep_s = int(str(settings["deep_scrub_days"])) * _DAY_S
    return {
        # Clients of before 2021 are not let in: the weakness is CVE-2021-20288.
        "mon": {
            "auth_allow_insecure_global_id_reclaim": "false",
            "mon_clock_drift_allowed": f"{int(str(settings['clock_skew_warn_ms'])) / 1000:f}",
            "mon_data_avail_warn": str(settings["monitor_disk_warn_percent"]),
        },
        "osd": {
            "osd_memory_target": str(int(str(settings["osd_memory_mib"])) * _GIB_MIB),
            "osd_scrub_begin_hour": str(settings["scrub_begin_hour"]),
            "osd_scrub_end_hour": str(settings["scrub_end_hour"]),
            "osd_deep_scrub_interval": f"{deep_s:f}",
        },
        "mgr": {"mgr/prometheus/server_port": str(settings["metrics_port"])},
    }


def ceph_turns(locations: Iterable[DesiredLocation]) -> dict[str, int]:
    """The turn of each monitor: they change one after the other, so that the others stay a quorum."""
    return {address: turn for one in ceph_clusters(locations) for turn, address in enumerate(one.monitors)}


def settings_by_host(desired: Desired, hostnames: Mapping[str, str]) -> dict[str, dict[str, object]]:
    """What each host of a cluster is told, by its address."""
    return {
        host.address: ceph_settings(cluster, location, host, hostnames)
        for cluster in ceph_clusters(desired.locations)
        for location in cluster.locations
        for host in location.hosts
        if host.role(ROLE) is not None
    }


_KEPT_KEYS = {
    "cluster": "a host keeps its cluster: take the role storage_ceph off it first",
    "osd_file_gib": "the file of an OSD keeps its size: raise osd_file_count, then name the old ones in `delete`",
}
_KEPT_OF_A_POOL = ("erasure", "application")


def refused_ceph_edits(location: DesiredLocation, looks: Mapping[str, HostLook]) -> Iterator[tuple[str, str]]:
    """The hosts whose cluster cannot become what the site file says, each with why and what to do instead."""
    stores = location.section.stores(CephPool) if location.section is not None else {}
    wanted = {str(one["name"]): one for name, pool in stores.items() for one in pools_of("", name, pool)}
    for host in location.hosts:
        look = looks.get(host.address)
        seen = look.roles.get(ROLE) if look is not None else None
        if host.role(ROLE) is None or seen is None:
            continue
        for key, reason in _KEPT_KEYS.items():
            if key in seen.former_settings:
                yield host.address, reason
        for former in _pools(seen.former_settings.get("pools")):
            now = wanted.get(str(former.get("name")), former)
            if any(former.get(key) != now[key] for key in _KEPT_OF_A_POOL):
                yield (
                    host.address,
                    f"the pool {now['name']} keeps how its data is cut and what it is for: add one beside it",
                )


def _pools(value: object) -> Iterator[Mapping[str, object]]:
    if isinstance(value, (list, tuple)):
        yield from (one for one in value if isinstance(one, dict))
