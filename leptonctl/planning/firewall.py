"""Firewall: which ports of a host are open to whom, from what the roles of the site need. Pure.

A role that serves something is added by one entry of `_SERVES`. All that is not named here is dropped, but for SSH,
answers, loopback and the ICMP that networks need, which the role's template has.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cache
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from leptonctl.planning.desired import Desired, DesiredHost, DesiredLocation, Settings
    from leptonctl.sitefile.software import RoleName

ROLE = "hardening"
_ANYWHERE = ("0.0.0.0/0", "::/0")
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
    OPERATORS = "operators"
    """People, from the ranges of `hardening.operators`."""
    EVERYONE = "everyone"
    """Whoever asks: what the host is there for."""


@dataclass(frozen=True, slots=True)
class Served:
    """A port, or a range of them as `30000-32767`, that a role serves, and who it is for."""

    port: int | str
    audiences: tuple[Audience, ...]
    protocol: Literal["tcp", "udp"] = "tcp"


@dataclass(frozen=True, slots=True)
class Opening:
    """A port that is open to addresses and ranges, sorted. `role` is who needs it."""

    role: str
    protocol: str
    port: str
    sources: tuple[str, ...]


def served(name: RoleName, settings: Settings) -> tuple[Served, ...]:
    """What a role with these settings serves; nothing for one that only asks others."""
    return _SERVES[name](settings) if name in _SERVES else ()


def openings(
    desired: Desired, hostnames: Mapping[str, str]
) -> Callable[[DesiredLocation, DesiredHost], dict[str, object]]:
    """Give a function that tells what the role `hardening` of a host has to know: `openings`, in order of its roles.

    `hostnames` maps host address to how other hosts reach it now. One that is not known yet is opened to when it is. A
    port that is for nobody who is known is left out: it stays closed. Ranges that lie in each other become one, in
    `ssh_from` too: nftables takes no others.
    """
    servers = tuple(sorted(_names(desired, hostnames, "monitoring_server")))
    senders = tuple(sorted({*servers, *_names(desired, hostnames, "edge")}))
    by_location = {
        location.address: tuple(sorted(hostnames[host.address] for host in location.hosts if host.address in hostnames))
        for location in desired.locations
    }

    @cache
    def peers(role: RoleName) -> tuple[str, ...]:
        return tuple(_names(desired, hostnames, role))

    def of_host(location: DesiredLocation, host: DesiredHost) -> dict[str, object]:
        role = host.role(ROLE)
        own: Settings = role.settings if role is not None else {}
        gateway = host.role("edge_gateway")
        inside = (str(gateway.settings["tunnel_cidr"]),) if gateway is not None else ()

        # Functions: on a large site the lists are long, and most hosts serve few of them.
        who: dict[Audience, Callable[[RoleName], tuple[str, ...]]] = {
            Audience.MONITORING: lambda _: (*servers, *_texts(own.get("translated_from"))) if servers else (),
            Audience.SENDERS: lambda _: (*(one for one in senders if one != hostnames.get(host.address)), *inside),
            Audience.TUNNELS: lambda _: inside,
            Audience.LOCATION: lambda _: by_location.get(location.address, ()),
            Audience.PEERS: peers,
            Audience.OPERATORS: lambda _: _texts(own.get("operators")),
            Audience.EVERYONE: lambda _: _ANYWHERE,
        }
        return {
            "ssh_from": list(merged(_texts(own.get("ssh_from")))),
            "openings": [{**asdict(one), "sources": list(one.sources)} for one in _of_host(host, who)],
        }

    return of_host


def _of_host(host: DesiredHost, who: Mapping[Audience, Callable[[RoleName], tuple[str, ...]]]) -> Iterator[Opening]:
    for role in host.roles:
        for one in served(role.name, role.settings):
            sources = merged(source for audience in one.audiences for source in who[audience](role.name))
            if sources:
                yield Opening(role.name, one.protocol, str(one.port), sources)


def merged(sources: Iterable[str]) -> tuple[str, ...]:
    """Addresses and ranges without those that lie in others, sorted; names, which no firewall takes, come last."""
    found: dict[int, list[IPv4Network | IPv6Network]] = {4: [], 6: []}
    names: set[str] = set()
    for source in sources:
        try:
            network = ip_network(source, strict=False)
        except ValueError:
            names.add(source)
        else:
            found[network.version].append(network)
    ranges = [one for networks in found.values() for one in collapse_addresses(networks)]  # type: ignore[type-var]
    alone = {4: 32, 6: 128}
    texts = (str(one.network_address) if one.prefixlen == alone[one.version] else str(one) for one in ranges)
    return (*texts, *sorted(names))


def _names(desired: Desired, hostnames: Mapping[str, str], role: RoleName) -> Iterator[str]:
    for location in desired.locations:
        for host in location.hosts:
            if host.address in hostnames and any(one.name == role for one in host.roles):
                yield hostnames[host.address]


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(text) for text in value) if isinstance(value, (list, tuple)) else ()


def _port(settings: Settings, key: str) -> int | str:
    value = settings[key]
    return value if isinstance(value, (int, str)) else str(value)


# Who reads and writes files: its own daemons, the hosts beside it, and people, by WebHDFS.
_FILES = (Audience.PEERS, Audience.LOCATION, Audience.OPERATORS)
_HDFS_PORTS: dict[str, tuple[int, ...]] = {
    "name_node": (8020, 9870),
    "checkpoint_node": (9868,),
    "data_node": (9864, 9866, 9867),
}


def _hdfs(settings: Settings) -> tuple[Served, ...]:
    """Hadoop's own ports of each part: https://hadoop.apache.org/docs/r3.4.1/hadoop-project-dist/hadoop-hdfs/hdfs-default.xml."""
    return tuple(Served(port, _FILES) for part in _texts(settings["parts"]) for port in _HDFS_PORTS[part])


def _ceph(settings: Settings) -> tuple[Served, ...]:
    """Monitors on their two ports, all other daemons in a range; clients have the role as well."""
    daemons = (Served("6800-7300", (Audience.PEERS,)),)
    if not settings["monitor"]:
        return daemons if settings["osd_devices"] or settings["osd_file_count"] else ()
    monitor = (Served(3300, (Audience.PEERS,)), Served(6789, (Audience.PEERS,)))
    return (*monitor, *daemons, Served(_port(settings, "metrics_port"), (Audience.MONITORING,)))


_SERVES: dict[RoleName, Callable[[Settings], tuple[Served, ...]]] = {
    "storage_ceph": _ceph,
    "storage_nfs": lambda _settings: (Served(2049, (Audience.PEERS,)),),
    "monitoring_agent": lambda settings: (Served(_port(settings, "port"), (Audience.MONITORING,)),),
    "monitoring_server": lambda settings: (
        Served(_port(settings, "port"), (Audience.OPERATORS, Audience.SENDERS)),
        Served(_port(settings, "alertmanager_port"), (Audience.OPERATORS, Audience.SENDERS)),
    ),
    "edge_gateway": lambda settings: (
        # It does not answer whoever has no key, and boxes come from addresses that nobody knows.
        Served(_port(settings, "tunnel_port"), (Audience.EVERYONE,), "udp"),
        *(
            Served(_port(settings, key), (Audience.TUNNELS,))
            for key in ("package_cache_port", "image_cache_port", "log_port", "state_port")
        ),
        Served(_TIME_PORT, (Audience.TUNNELS,), "udp"),
    ),
    "storage_hdfs": _hdfs,
}
