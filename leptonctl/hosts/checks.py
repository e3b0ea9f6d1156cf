"""Checks: what `verify` asks on a host for each of its roles, as data; the remote program carries them out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from leptonctl.sitefile.software import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from leptonctl.planning.desired import DesiredRole, Settings
    from leptonctl.sitefile.software import Base, ContainerRuntime, MonitoringAgent, MonitoringServer, RoleName

PROBE_IMAGE = "localhost/leptonctl/probe:1"
KERNEL_SETTINGS = "/usr/local/lib/leptonctl/kernel_settings"
PROBE_IMAGE_PROGRAM = "/usr/local/lib/leptonctl/probe_image"
UNIQUE = "{unique}"


@dataclass(frozen=True, slots=True)
class Unit:
    """The systemd unit is active and enabled."""

    kind: ClassVar[str] = "unit"
    name: str

    @property
    def title(self) -> str:
        """The check in the operator's words."""
        return f"{self.name} is active and enabled"


@dataclass(frozen=True, slots=True)
class Port:
    """Something accepts TCP connections on 127.0.0.1:`port`."""

    kind: ClassVar[str] = "port"
    port: int

    @property
    def title(self) -> str:
        """The check in the operator's words."""
        return f"port {self.port} answers"


@dataclass(frozen=True, slots=True)
class Package:
    """The Debian package is installed; its version matches `version`, a shell pattern as apt takes it (None: any)."""

    kind: ClassVar[str] = "package"
    name: str
    version: str | None = None

    @property
    def title(self) -> str:
        """The check in the operator's words."""
        return f"package {self.name} is installed" + (f" as {self.version}" if self.version else "")


@dataclass(frozen=True, slots=True)
class Command:
    """`argv`, run without a shell, exits 0 within `limit_s` seconds and prints `expect` somewhere on stdout.

    `{unique}` in an argument is replaced by a text that no other run uses, so that two looks at once do not meet.
    `covers` are programs that a role runs and whose effect this check sees; `is_quick` has it tried in every look, not
    only in `verify`.
    """

    kind: ClassVar[str] = "command"
    title: str
    argv: tuple[str, ...]
    expect: str
    limit_s: int = 30
    covers: tuple[str, ...] = ()
    is_quick: bool = False


@dataclass(frozen=True, slots=True)
class PrometheusTargets:
    """Prometheus on 127.0.0.1:`port` has an active target with the label `host` for each of `hosts`, and each is up.

    Asked as `/api/v1/targets?state=active`; targets without that label are not looked at. A target that was not
    scraped yet is asked for again until `wait_s` seconds have passed.
    """

    kind: ClassVar[str] = "prometheus_targets"
    port: int
    hosts: tuple[str, ...]
    wait_s: int

    @property
    def title(self) -> str:
        """The check in the operator's words."""
        return f"Prometheus reaches all of its {len(self.hosts)} hosts"


Check = Unit | Port | Package | Command | PrometheusTargets


def checks_for(role: DesiredRole) -> tuple[Check, ...]:
    """What must hold on a host that has this role with these settings."""
    return _CHECKS[role.name](role.settings)


def as_json(check: Check) -> dict[str, object]:
    """The check as JSON values: its fields and `kind`."""
    return {"kind": check.kind, **asdict(check)}


def _typed(name: RoleName, settings: Settings) -> object:
    """The settings as their model. Keys that planning added (the scrape targets) are not part of it."""
    model = SETTINGS[name]
    return model.model_validate({key: settings[key] for key in model.model_fields if key in settings})


def _base(settings: Settings) -> tuple[Check, ...]:
    base = cast("Base", _typed("base", settings))
    kernel = Command(
        "kernel settings are in force",
        (KERNEL_SETTINGS, "--check"),
        expect="in order",
        covers=(KERNEL_SETTINGS,),
        is_quick=True,
    )
    locale = Command(
        "the locale is there",
        ("locale", "--all-locales"),
        expect=_name_in_the_archive(base.locale),
        covers=("locale-gen",),
        is_quick=True,
    )
    if not base.security_updates:
        return (kernel, locale)
    return (
        kernel,
        locale,
        Package("unattended-upgrades"),
        Unit("apt-daily.timer"),
        Unit("apt-daily-upgrade.timer"),
    )


def _name_in_the_archive(locale: str) -> str:
    """The name as `locale --all-locales` prints it: `en_US.UTF-8` is `en_US.utf8` there."""
    language, dot, codeset = locale.partition(".")
    return language + dot + codeset.replace("-", "").lower()


def _container_runtime(settings: Settings) -> tuple[Check, ...]:
    runtime = cast("ContainerRuntime", _typed("container_runtime", settings))
    run = ("ctr", "run", "--rm", "--snapshotter", runtime.snapshotter, PROBE_IMAGE, f"leptonctl-{UNIQUE}")
    image = Command(
        "the image that proves it is there",
        ("ctr", "image", "ls", "--quiet", f"name=={PROBE_IMAGE}"),
        expect=PROBE_IMAGE,
        covers=(PROBE_IMAGE_PROGRAM,),
        is_quick=True,
    )
    return (
        image,
        Package("containerd", runtime.version),
        Unit("containerd.service"),
        Command("a container starts", (*run, "/bin/busybox", "echo", "started"), expect="started", limit_s=60),
    )


def _monitoring_agent(settings: Settings) -> tuple[Check, ...]:
    agent = cast("MonitoringAgent", _typed("monitoring_agent", settings))
    return (
        Package("prometheus-node-exporter", agent.version),
        Unit("prometheus-node-exporter.service"),
        Port(agent.port),
    )


def _monitoring_server(settings: Settings) -> tuple[Check, ...]:
    server = cast("MonitoringServer", _typed("monitoring_server", settings))
    targets = cast("tuple[Mapping[str, str], ...]", settings.get("targets", ()))
    return (
        Package("prometheus", server.version),
        Unit("prometheus.service"),
        Unit("prometheus-alertmanager.service"),
        Port(server.port),
        Port(server.alertmanager_port),
        PrometheusTargets(
            server.port,
            tuple(target["host"] for target in targets),
            # A new target is first scraped at a random moment of the interval; a failed scrape may take as long again.
            wait_s=2 * server.scrape_interval_s + 5,
        ),
    )


_CHECKS: dict[RoleName, Callable[[Settings], tuple[Check, ...]]] = {
    "base": _base,
    "container_runtime": _container_runtime,
    "monitoring_agent": _monitoring_agent,
    "monitoring_server": _monitoring_server,
}
