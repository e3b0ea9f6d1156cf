"""Who watches whom: which server scrapes which host, who sends to whom, and who is missed when silent. Pure.

A server watches its own location, and the locations below it that have none. It sends all that it has to the server of
the next location above, so that the core's has the whole site. An edge box with the role `edge` is not scraped: it
scrapes itself and sends, because only then nothing is lost while its uplink is down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leptonctl.planning.served import HDFS_HTTP_PORTS, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from leptonctl.planning.desired import Desired, DesiredHost, DesiredLocation, DesiredRole, Settings
    from leptonctl.sitefile.software import RoleName

SERVER = "monitoring_server"
AGENT = "monitoring_agent"
SENDER = "edge"
# What a server is told of other hosts: it changes when they come and go, and is no edit of the site file.
OF_OTHERS = frozenset({"targets", "senders", "write_to", "alertmanagers"})


@dataclass(frozen=True, slots=True)
class Exporter:
    """What a role serves for Prometheus: the job it is scraped as, its port on the host and the path there."""

    job: str
    port: int
    path: str = "/metrics"


@dataclass(frozen=True, slots=True)
class Server:
    """A monitoring server: the host, and the settings of its role."""

    host: str
    settings: Settings


@dataclass(frozen=True, slots=True)
class Watch:
    """Who watches whom: `over` has the server of each location that has one, `chains` the servers above each server.

    Servers are known by host address; the next one up comes first in a chain.
    """

    over: Mapping[str, Server]
    chains: Mapping[str, tuple[Server, ...]]


def watch(desired: Desired) -> Watch:
    """Who watches whom in a site: the own server, else that of the next location above, else the site's first."""
    own: dict[str, Server] = {}
    for location in desired.locations:
        for host in location.hosts:
            for role in host.roles:
                if role.name == SERVER:
                    own.setdefault(location.address, Server(host.address, role.settings))
    needs = {location.address: location.depends_on for location in desired.locations}
    lines = {address: tuple(own[one] for one in _upwards(address, needs) if one in own) for address in needs}
    first = next(iter(own.values()), None)
    over = {address: (*line, first)[0] for address, line in lines.items()}
    return Watch(
        {address: server for address, server in over.items() if server is not None},
        {server.host: lines[address][1:] for address, server in own.items()},
    )


def _upwards(location: str, needs: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """The location and those that it depends on, to the top."""
    yield location
    while needs.get(location):
        location = needs[location][0]
        yield location


def server_settings(
    desired: Desired, watching: Watch, hostnames: Mapping[str, str], host: DesiredHost
) -> dict[str, object]:
    """What the role of a server is told of the other hosts.

    `targets` it scrapes; a host without a known name cannot be scraped yet. `senders` are the hosts whose metrics are
    sent to it and that are missed when they do not come. `write_to` and `alertmanagers` are of the servers above it.
    `out_of_order_hours` is how old samples may be that come late.
    """
    above = watching.chains[host.address][:1]
    targets: list[dict[str, str]] = []
    senders: list[dict[str, str]] = []
    hours = 0
    for location in desired.locations:
        watcher = watching.over[location.address]
        is_above = any(one.host == host.address for one in watching.chains[watcher.host])
        if watcher.host != host.address and not is_above:
            continue
        for member in location.hosts:
            if member.role(AGENT) is None:
                continue
            if is_sender(member):
                hours = max(hours, _buffer_hours(member))
            elif not is_above:
                targets.extend(_targets(location, member, hostnames))
                continue
            senders.append({"host": member.address, "location": location.address, "tier": location.tier})
    return {
        "targets": targets,
        "senders": senders,
        "write_to": _write_urls(above, hostnames),
        "alertmanagers": _at(above, hostnames, "alertmanager_port"),
        "out_of_order_hours": hours,
    }


def sender_settings(
    watching: Watch,
    hostnames: Mapping[str, str],
    location: DesiredLocation,
    host: DesiredHost,
    *,
    inside: Mapping[str, str],
) -> dict[str, object]:
    """What a box is told that sends its own metrics: its exporters, and the server that takes them.

    `inside` maps the address of a host to the one that the box reaches it by in its tunnel.
    """
    watcher = watching.over.get(location.address)
    return {
        "targets": _targets(location, host, {host.address: "127.0.0.1"}),
        "write_to": _write_urls((watcher,) if watcher else (), {**hostnames, **inside}),
    }


def prometheus_port(host: DesiredHost) -> int:
    """Where Prometheus is served on a host that is a monitoring server."""
    return next(_port(role.settings) for role in host.roles if role.name == SERVER)


def is_sender(host: DesiredHost) -> bool:
    """Whether the host scrapes itself and sends."""
    return host.role(SENDER) is not None


def exporters(role: DesiredRole) -> tuple[Exporter, ...]:
    """What a role with these settings serves for Prometheus."""
    return _EXPORTERS[role.name](role.settings) if role.name in _EXPORTERS else ()


def _targets(location: DesiredLocation, host: DesiredHost, hostnames: Mapping[str, str]) -> list[dict[str, str]]:
    """One target for each exporter of a host, in order of its roles; none while nobody knows how to reach it."""
    if host.address not in hostnames:
        return []
    where = {"host": host.address, "location": location.address, "tier": location.tier}
    return [
        {
            **where,
            "job": one.job,
            "endpoint": f"{in_url(hostnames[host.address])}:{one.port}",
            "path": one.path,
        }
        for role in host.roles
        for one in exporters(role)
    ]


def _write_urls(servers: tuple[Server, ...], hostnames: Mapping[str, str]) -> list[str]:
    return [f"http://{one}/api/v1/write" for one in _at(servers, hostnames, "port")]


def _at(servers: tuple[Server, ...], hostnames: Mapping[str, str], port: str) -> list[str]:
    return [f"{in_url(hostnames[one.host])}:{one.settings[port]}" for one in servers if one.host in hostnames]


def _buffer_hours(host: DesiredHost) -> int:
    return max(int(str(role.settings["buffer_hours"])) for role in host.roles if role.name == SENDER)


def in_url(hostname: str) -> str:
    """The name as it stands before a port: an IPv6 address needs brackets."""
    return f"[{hostname}]" if ":" in hostname else hostname


def _port(settings: Settings) -> int:
    return int(str(settings["port"]))


def _hdfs(settings: Settings) -> tuple[Exporter, ...]:
    """Hadoop's own servlet on the HTTP port of each daemon (hadoop.prometheus.endpoint.enabled)."""
    return tuple(Exporter("hdfs", HDFS_HTTP_PORTS[part], "/prom") for part in texts(settings["parts"]))


def _containers(settings: Settings) -> tuple[Exporter, ...]:
    """Containerd's own metrics: Debian's Docker (20.10) serves any only as an experiment, and Podman has no daemon."""
    is_served = settings["runtime"] == "containerd"
    return (Exporter("containers", int(str(settings["metrics_port"])), "/v1/metrics"),) if is_served else ()


_EXPORTERS: dict[RoleName, Callable[[Settings], tuple[Exporter, ...]]] = {
    "monitoring_agent": lambda settings: (Exporter("hosts", _port(settings)),),
    "container_runtime": _containers,
    "storage_hdfs": _hdfs,
    # The module of the managers, which run beside the monitors; the one that is not active answers with nothing.
    "storage_ceph": lambda settings: (
        (Exporter("ceph", int(str(settings["metrics_port"]))),) if settings["monitor"] else ()
    ),
}
