"""Served: which ports a role serves, and who they are for. Pure; firewalls of hosts and of clouds are made from it.

A role that serves something is added by one entry of `_SERVES`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from leptonctl.sitefile.software import RoleName

_TIME_PORT = 123


class Audience(StrEnum):
    """Who a port is for."""

    MONITORING = "monitoring"
    """The hosts of the site that have the role monitoring_server."""
    SENDERS = "senders"
    """The hosts that send their metrics or alerts: other monitoring servers, and boxes with the role edge."""
    TUNNELS = "tunnels"
    """The boxes whose tunnels end on this host."""
    LOCATION = "location"
    """The other hosts of the same location."""
    PEERS = "peers"
    """The hosts of the site, in all locations, that have the same role."""
    SITE = "site"
    """The hosts of the site, in all locations."""
    OPERATORS = "operators"
    """People, from the ranges of `hardening.operators`."""
    BOXES = "boxes"
    """The boxes of a gateway, outside of their tunnels: from anywhere, unless `edge_gateway.boxes_from` says where."""


@dataclass(frozen=True, slots=True)
class Served:
    """A port, or a range of them as `30000-32767`, that a role serves, and who it is for."""

    port: int | str
    audiences: tuple[Audience, ...]
    protocol: Literal["tcp", "udp"] = "tcp"


def served(name: RoleName, settings: Mapping[str, object]) -> tuple[Served, ...]:
    """What a role with these settings serves; nothing for one that only asks others."""
    return _SERVES[name](settings) if name in _SERVES else ()


def _port(settings: Mapping[str, object], key: str) -> int | str:
    value = settings[key]
    return value if isinstance(value, (int, str)) else str(value)


def texts(value: object) -> tuple[str, ...]:
    """A setting that is a list of texts; nothing for one that is not set."""
    return tuple(str(text) for text in value) if isinstance(value, (list, tuple)) else ()


# Who reads and writes files: its own daemons, the hosts beside it, and people, by WebHDFS.
_FILES = (Audience.PEERS, Audience.LOCATION, Audience.OPERATORS)
# Where each part serves HTTP: files, its state, its metrics.
HDFS_HTTP_PORTS: Mapping[str, int] = {
    "name_node": 9870,
    "checkpoint_node": 9868,
    "journal_node": 8480,
    "data_node": 9864,
}
_HDFS_PORTS: dict[str, tuple[int, ...]] = {
    "name_node": (8020, 9870),
    "checkpoint_node": (9868,),
    "journal_node": (8480,),
    "data_node": (9864, 9866, 9867),
}
# Edits of the name nodes and ZooKeeper, by which they elect the active one; where one tells the other to stand by.
_HDFS_OWN_PORTS: dict[str, tuple[int, ...]] = {"journal_node": (8485, 2181, 2888, 3888), "name_node": (8019,)}


def _hdfs(settings: Mapping[str, object]) -> tuple[Served, ...]:
    """Hadoop's own ports of each part: https://hadoop.apache.org/docs/r3.4.1/hadoop-project-dist/hadoop-hdfs/hdfs-default.xml."""
    parts = texts(settings["parts"])
    files = tuple(
        Served(port, (*_FILES, Audience.MONITORING) if port == HDFS_HTTP_PORTS[part] else _FILES)
        for part in parts
        for port in _HDFS_PORTS[part]
    )
    own = tuple(Served(port, (Audience.PEERS,)) for part in parts for port in _HDFS_OWN_PORTS.get(part, ()))
    return (*files, *own)


def _containers(settings: Mapping[str, object]) -> tuple[Served, ...]:
    """Containerd's metrics; the others serve none."""
    is_served = settings["runtime"] == "containerd"
    return (Served(_port(settings, "metrics_port"), (Audience.MONITORING,)),) if is_served else ()


def _dashboards(settings: Mapping[str, object]) -> tuple[Served, ...]:
    """Grafana, where it listens on more than loopback."""
    is_alone = ip_address(str(settings["address"])).is_loopback
    return () if is_alone else (Served(_port(settings, "port"), (Audience.OPERATORS,)),)


def _ceph(settings: Mapping[str, object]) -> tuple[Served, ...]:
    """Monitors on their two ports, all other daemons in a range; clients have the role as well."""
    daemons = (Served("6800-7300", (Audience.PEERS,)),)
    if not settings["monitor"]:
        return daemons if settings["osd_devices"] or settings["osd_file_count"] else ()
    monitor = (Served(3300, (Audience.PEERS,)), Served(6789, (Audience.PEERS,)))
    return (*monitor, *daemons, Served(_port(settings, "metrics_port"), (Audience.MONITORING,)))


_SERVES: dict[RoleName, Callable[[Mapping[str, object]], tuple[Served, ...]]] = {
    "storage_ceph": _ceph,
    "storage_object": lambda settings: (Served(_port(settings, "port"), (Audience.SITE, Audience.OPERATORS)),),
    "storage_nfs": lambda _settings: (Served(2049, (Audience.PEERS,)),),
    "container_runtime": _containers,
    "dashboards": _dashboards,
    "monitoring_agent": lambda settings: (Served(_port(settings, "port"), (Audience.MONITORING,)),),
    "monitoring_server": lambda settings: (
        Served(_port(settings, "port"), (Audience.OPERATORS, Audience.SENDERS)),
        Served(_port(settings, "alertmanager_port"), (Audience.OPERATORS, Audience.SENDERS)),
    ),
    "edge_gateway": lambda settings: (
        # It does not answer whoever has no key, and boxes may come from addresses that nobody knows.
        Served(_port(settings, "tunnel_port"), (Audience.BOXES,), "udp"),
        *(
            Served(_port(settings, key), (Audience.TUNNELS,))
            for key in ("package_cache_port", "image_cache_port", "log_port", "state_port")
        ),
        Served(_TIME_PORT, (Audience.TUNNELS,), "udp"),
    ),
    "storage_hdfs": _hdfs,
}
