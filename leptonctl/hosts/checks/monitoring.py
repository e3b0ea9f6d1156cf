"""What must hold where a role that watches over a site ran."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from leptonctl.hosts.checks.kinds import Check, Package, Port, PrometheusTargets, Unit
from leptonctl.hosts.checks.settings import setting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leptonctl.planning.desired import Settings


def monitoring_agent(settings: Settings) -> tuple[Check, ...]:
    """The node exporter is installed and answers."""
    return (
        Package("prometheus-node-exporter", setting("monitoring_agent", settings, "version")),
        Unit("prometheus-node-exporter.service"),
        Port(setting("monitoring_agent", settings, "port")),
    )


def monitoring_server(settings: Settings) -> tuple[Check, ...]:
    """The server and Alertmanager answer, and every host is scraped."""
    port: int = setting("monitoring_server", settings, "port")
    interval_s: int = setting("monitoring_server", settings, "scrape_interval_s")
    targets, senders = (cast("tuple[Mapping[str, str], ...]", settings.get(key, ())) for key in ("targets", "senders"))
    probes = setting("monitoring_server", settings, "probes")
    return (
        *((Unit("prometheus-blackbox-exporter.service"),) if probes else ()),
        Package("prometheus", setting("monitoring_server", settings, "version")),
        Unit("prometheus.service"),
        Unit("prometheus-alertmanager.service"),
        Port(port),
        Port(setting("monitoring_server", settings, "alertmanager_port")),
        PrometheusTargets(
            port,
            tuple(dict.fromkeys(target["host"] for target in targets)),
            # A new target is first scraped at a random moment of the interval; a failed scrape may take as long again.
            # What is sent waits for up to five seconds more at each server on its way, and for a sender that has just
            # been started to come to it.
            wait_s=2 * interval_s + (30 if senders else 5),
            senders=tuple(sender["host"] for sender in senders),
        ),
    )


def dashboards(settings: Settings) -> tuple[Check, ...]:
    """Grafana runs and answers where it listens on loopback, or everywhere."""
    address = setting("dashboards", settings, "address")
    found: list[Check] = [
        Package("grafana", setting("dashboards", settings, "version")),
        Unit("grafana-server.service"),
    ]
    if address in {"127.0.0.1", "0.0.0.0"}:  # noqa: S104 - compared, not listened on
        found.append(Port(setting("dashboards", settings, "port")))
    return tuple(found)
