"""Checks: what `verify` asks on a host for each of its roles, as data; the remote program carries them out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

from leptonctl.sitefile.software import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from leptonctl.planning.desired import DesiredRole, Settings
    from leptonctl.sitefile.software import RoleName

PROBE_IMAGE = "localhost/leptonctl/probe:1"
KERNEL_SETTINGS = "/usr/local/lib/leptonctl/kernel_settings"
KERNEL_SETTINGS_FILE = "/etc/sysctl.d/60-leptonctl.conf"
PROBE_IMAGE_PROGRAM = "/usr/local/lib/leptonctl/probe_image"
UNIQUE = "{unique}"
# Programs of a role's `files` that it feeds to Python on a host and that only look.
LOOKING_PROGRAMS: Mapping[str, tuple[str, ...]] = {"base": ("look.py",)}


@dataclass(frozen=True, slots=True)
class Unit:
    """The systemd unit is active and enabled."""

    kind: ClassVar[str] = "unit"
    asks_others: ClassVar[bool] = False
    name: str

    @property
    def title(self) -> str:
        """The check in the operator's words."""
        return f"{self.name} is active and enabled"


@dataclass(frozen=True, slots=True)
class Port:
    """Something accepts TCP connections on 127.0.0.1:`port`."""

    kind: ClassVar[str] = "port"
    asks_others: ClassVar[bool] = False
    port: int

    @property
    def title(self) -> str:
        """The check in the operator's words."""
        return f"port {self.port} answers"


@dataclass(frozen=True, slots=True)
class Package:
    """The Debian package is installed; its version matches `version`, a shell pattern as apt takes it (None: any)."""

    kind: ClassVar[str] = "package"
    asks_others: ClassVar[bool] = False
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
    `covers` are programs that a role runs and whose effect this check sees. `is_quick` has it tried in every look, not
    only in `verify`; its failure is then a difference of the role. `rests_on` are the items (`unit x.service`, a path)
    without which it says nothing: where one of them differs, that alone is told.
    """

    kind: ClassVar[str] = "command"
    asks_others: ClassVar[bool] = False
    title: str
    argv: tuple[str, ...]
    expect: str
    limit_s: int = 30
    covers: tuple[str, ...] = ()
    is_quick: bool = False
    rests_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PrometheusTargets:
    """Prometheus on 127.0.0.1:`port` has an active target with the label `host` for each of `hosts`, and each is up.

    Asked as `/api/v1/targets?state=active`; targets without that label are not looked at. A target that was not
    scraped yet is asked for again until `wait_s` seconds have passed.
    """

    kind: ClassVar[str] = "prometheus_targets"
    asks_others: ClassVar[bool] = True
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


def _setting(role: RoleName, settings: Settings, key: str) -> Any:  # noqa: ANN401 - as many types as there are settings
    """The value that holds: what was set, else the model's default. Settings were checked when the site was read."""
    return settings[key] if key in settings else SETTINGS[role].model_fields[key].get_default()


def _base(settings: Settings) -> tuple[Check, ...]:
    kernel = Command(
        "kernel settings are in force",
        (KERNEL_SETTINGS, "--check"),
        expect="in order",
        covers=(KERNEL_SETTINGS,),
        is_quick=True,
        rests_on=(KERNEL_SETTINGS, KERNEL_SETTINGS_FILE),
    )
    locale = Command(
        "the locale is there",
        ("locale", "--all-locales"),
        expect=_name_in_the_archive(_setting("base", settings, "locale")),
        covers=("locale-gen",),
        is_quick=True,
        rests_on=("package locales",),
    )
    if not _setting("base", settings, "security_updates"):
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
    snapshotter: str = _setting("container_runtime", settings, "snapshotter")
    run = ("ctr", "run", "--rm", "--snapshotter", snapshotter, PROBE_IMAGE, f"leptonctl-{UNIQUE}")
    image = Command(
        "the image that proves it is there",
        ("ctr", "image", "ls", "--quiet", f"name=={PROBE_IMAGE}"),
        expect=PROBE_IMAGE,
        covers=(PROBE_IMAGE_PROGRAM,),
        is_quick=True,
        rests_on=(PROBE_IMAGE_PROGRAM, "unit containerd.service", "package containerd"),
    )
    return (
        image,
        Package("containerd", _setting("container_runtime", settings, "version")),
        Unit("containerd.service"),
        Command("a container starts", (*run, "/bin/busybox", "echo", "started"), expect="started", limit_s=60),
    )


def _monitoring_agent(settings: Settings) -> tuple[Check, ...]:
    return (
        Package("prometheus-node-exporter", _setting("monitoring_agent", settings, "version")),
        Unit("prometheus-node-exporter.service"),
        Port(_setting("monitoring_agent", settings, "port")),
    )


def _monitoring_server(settings: Settings) -> tuple[Check, ...]:
    port: int = _setting("monitoring_server", settings, "port")
    interval_s: int = _setting("monitoring_server", settings, "scrape_interval_s")
    targets = cast("tuple[Mapping[str, str], ...]", settings.get("targets", ()))
    return (
        Package("prometheus", _setting("monitoring_server", settings, "version")),
        Unit("prometheus.service"),
        Unit("prometheus-alertmanager.service"),
        Port(port),
        Port(_setting("monitoring_server", settings, "alertmanager_port")),
        PrometheusTargets(
            port,
            tuple(target["host"] for target in targets),
            # A new target is first scraped at a random moment of the interval; a failed scrape may take as long again.
            wait_s=2 * interval_s + 5,
        ),
    )


_CHECKS: dict[RoleName, Callable[[Settings], tuple[Check, ...]]] = {
    "base": _base,
    "container_runtime": _container_runtime,
    "monitoring_agent": _monitoring_agent,
    "monitoring_server": _monitoring_server,
}
