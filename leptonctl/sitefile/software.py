"""The settings of every role: the `software` section, for the site, a location or a node group.

A class here is the typed twin of `playbooks/roles/<role>/meta/argument_specs.yml`: the field `timezone` of `base` is
the Ansible variable `base_timezone`, with the same type and default. A test holds the two together.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Discriminator, Field, Tag

from leptonctl.sitefile.base import Frozen, Name, SecretRef, Text
from leptonctl.sitefile.effects import OnEdit, rolling

Port = Annotated[int, Field(ge=1, le=65535)]


def _number_or_text(value: object) -> str:
    return "number" if isinstance(value, (int, float)) else "text"


# Told apart before they are checked, so that a wrong value is one problem and not one for each alternative.
KernelValue = Annotated[
    Annotated[int, Field(ge=-(2**63), lt=2**63), Tag("number")] | Annotated[Text, Tag("text")],
    Discriminator(_number_or_text),
]
MemoryLimit = Annotated[
    Annotated[int, Field(ge=65536, lt=2**53), Tag("number")] | Annotated[Literal["unlimited"], Tag("text")],
    Discriminator(_number_or_text),
]


class Settings(Frozen):
    """Settings of a role, or a part of them: when one changes, the role runs again where it holds."""

    on_edit: ClassVar[tuple[OnEdit, ...]] = (rolling("the role runs again on the hosts that have it"),)


class User(Settings):
    """A person's account on a host."""

    name: Name
    """Login name."""
    full_name: Text | None = None
    """Shown in the account's comment field."""
    ssh_keys: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    """Public keys that may log in as this user; one line each, as in authorized_keys."""
    sudo: bool = False
    """Whether the user may become root without a password."""
    shell: Text = "/bin/bash"
    """Login shell."""


class Base(Settings):
    """Users, time, locale, kernel settings and limits, security updates, log limits."""

    timezone: Text = "Etc/UTC"
    """Time zone by its IANA name."""
    locale: Text = "C.UTF-8"
    """The hosts' default locale."""
    users: Annotated[tuple[User, ...], Field(strict=False)] = ()
    """Accounts on every host."""
    sysctl: dict[Text, KernelValue] = Field(default_factory=dict)
    """Kernel settings added to, or put over, the defaults for AI hosts."""
    open_files: Annotated[int, Field(ge=1024, le=2**30)] = 1048576
    """Open files that a process may have (soft and hard)."""
    locked_memory: MemoryLimit = "unlimited"
    """Memory that a process may lock, in KiB; RDMA and GPU drivers need much of it."""
    security_updates: bool = True
    """Whether security updates install themselves every day."""
    journal_max_mib: Annotated[int, Field(ge=16, le=2**20)] = 512
    """The most that the system journal keeps on disk, in MiB."""
    apt_proxy: Text | None = None
    """HTTP proxy for package downloads, as `http://HOST:PORT`."""


class ContainerRuntime(Settings):
    """containerd with systemd cgroups."""

    version: Text | None = None
    """Debian version of the package to hold, as `1.6.20*`; None takes the archive's."""
    snapshotter: Annotated[
        Literal["native", "overlayfs"], rolling("containerd starts again, and images have to be pulled anew")
    ] = "overlayfs"
    """How image layers are stored; `native` works where an overlay on an overlay does not (containers)."""
    registry_mirrors: dict[Text, Text] = Field(default_factory=dict)
    """For each registry host the URL that is asked first."""


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
    """Prometheus and Alertmanager for every host of the site."""

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
    host_down_after_s: Annotated[int, Field(ge=1, le=86400)] = 120
    """Seconds without an answer after which a host counts as down."""
    disk_full_percent: Annotated[int, Field(ge=1, le=99)] = 90
    """Used share of a file system at which an alert fires."""
    webhook_url: SecretRef | None = None
    """Where alerts are posted, as a reference (such URLs carry tokens)."""
    mail: Mail | None = None
    """Mail receiver for alerts."""


class Software(Frozen):
    """Settings by role. What is set deeper (location, then node group) holds over what is set further up."""

    base: Base | None = None
    """Settings of the role `base`."""
    container_runtime: ContainerRuntime | None = None
    """Settings of the role `container_runtime`."""
    monitoring_agent: MonitoringAgent | None = None
    """Settings of the role `monitoring_agent`."""
    monitoring_server: MonitoringServer | None = None
    """Settings of the role `monitoring_server`."""


RoleName = Literal["base", "container_runtime", "monitoring_agent", "monitoring_server"]

# The order in which roles run on a host, and what each needs beside it on the same host.
ROLE_NEEDS: dict[RoleName, tuple[RoleName, ...]] = {
    "base": (),
    "container_runtime": ("base",),
    "monitoring_agent": ("base",),
    "monitoring_server": ("base", "monitoring_agent"),
}

SETTINGS: dict[RoleName, type[Frozen]] = {
    "base": Base,
    "container_runtime": ContainerRuntime,
    "monitoring_agent": MonitoringAgent,
    "monitoring_server": MonitoringServer,
}
