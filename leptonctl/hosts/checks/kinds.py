"""The kinds of checks, as data; the remote program carries them out."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar

UNIQUE = "{unique}"


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
class CommonCommand(Command):
    """A command whose answer is about several hosts: it is not tried while some of them are still to be changed."""

    asks_others: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class PrometheusTargets:
    """Prometheus on 127.0.0.1:`port` has active targets with the label `host` for each of `hosts`, and all are up.

    Asked as `/api/v1/targets?state=active`; targets without that label are not looked at. Of each of `senders` a sample
    of `up` has come that is at most `wait_s` old. What is not there yet is asked for again until `wait_s` seconds have
    passed.
    """

    kind: ClassVar[str] = "prometheus_targets"
    asks_others: ClassVar[bool] = True
    port: int
    hosts: tuple[str, ...]
    wait_s: int
    senders: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The check in the operator's words."""
        heard = f" and hears of {len(self.senders)} others" if self.senders else ""
        return f"Prometheus reaches all of its {len(self.hosts)} hosts{heard}"


Check = Unit | Port | Package | Command | PrometheusTargets


def as_json(check: Check) -> dict[str, object]:
    """The check as JSON values: its fields and `kind`."""
    # `asdict` copies every value, which is dear for thousands of hosts; a check holds only texts, numbers and tuples.
    return {"kind": check.kind, **{field.name: getattr(check, field.name) for field in fields(check)}}
