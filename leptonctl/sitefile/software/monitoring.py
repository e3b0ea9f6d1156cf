"""Settings of the roles that watch over a site."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from leptonctl.sitefile.base import SecretRef, Text
from leptonctl.sitefile.effects import no_effect, rolling
from leptonctl.sitefile.software.fields import Port, Settings


class MonitoringAgent(Settings):
    """The node exporter."""

    version: Text | None = None
    """Debian version of the package to hold; None takes the archive's."""
    port: Port = 9100
    """Where metrics are served."""


class Mail(Settings):
    """Where alerts are mailed to, and through which server."""

    to: Text
    """Recipient."""
    sender: Text
    """Sender address."""
    smarthost: Text
    """Mail server as `HOST:PORT`."""
    username: Text | None = None
    """Login at the mail server."""
    password: SecretRef | None = None
    """Password at the mail server, as a reference."""


class MonitoringServer(Settings):
    """Prometheus and Alertmanager for the hosts of a location, and of those below it that have none."""

    version: Text | None = None
    """Debian version of the Prometheus package to hold; None takes the archive's."""
    port: Port = 9090
    """Where Prometheus is served."""
    alertmanager_port: Port = 9093
    """Where Alertmanager is served."""
    scrape_interval_s: Annotated[int, Field(ge=1, le=3600)] = 15
    """Seconds between two scrapes of a host."""
    retention_days: Annotated[
        int, Field(ge=1, le=36500), rolling("the server starts again; with fewer days, older samples are deleted")
    ] = 15
    """Days for which samples are kept."""
    retention_gib: Annotated[int | None, Field(ge=1, le=1_000_000)] = None
    """GiB of samples that are kept at most; the oldest go first. None: only the days count."""
    host_down_after_s: Annotated[int, Field(ge=1, le=86400)] = 120
    """Seconds without an answer after which a host counts as down."""
    disk_full_percent: Annotated[int, Field(ge=1, le=99)] = 90
    """Used share of a file system at which an alert fires."""
    probes: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    """What the server tries from outside: URLs (answered with 2xx) or `HOST:PORT` (TCP connections are taken)."""
    webhook_url: SecretRef | None = None
    """Where alerts are posted, as a reference (such URLs carry tokens)."""
    mail: Mail | None = None
    """Mail receiver for alerts."""


class Dashboards(Settings):
    """Grafana beside a monitoring server, with its data and the dashboards of the site provisioned as files."""

    version: Text | None = None
    """Debian version of the package to hold, as `12.1.0*`; None takes the newest, and keeps it."""
    address: Text = "127.0.0.1"
    """Address of the host that Grafana listens on. It speaks plain HTTP."""
    port: Port = 3000
    """Where Grafana is served."""
    admin_password: Annotated[
        SecretRef | None, no_effect("Grafana takes it when it makes its database; change it in Grafana then")
    ] = None
    """Password of the user `admin`, as a reference. It has to be written."""
    repository: Text | None = None
    """Another place of the packages, such as a mirror; None is Grafana's own."""
    repository_key: Text | None = None
    """Fingerprint of the key that signs them; None is Grafana's own, which is pinned here."""
