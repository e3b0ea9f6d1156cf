"""Drills on hosts: the fault is laid and taken away over SSH."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from leptonctl.errors import LeptonError, Refused
from leptonctl.hosts.sent import answer_of, ask, request_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leptonctl.hosts.target import Target

LIMIT_S = 30.0
_MODULES = ("drill",)


class DrillFailed(LeptonError):
    """The host could not be asked to lay a fault or to take it away."""


@dataclass(frozen=True, slots=True)
class Drill:
    """A fault that lies on a host: its name, who laid it, and when (UTC)."""

    name: str
    by: str
    at: datetime

    @property
    def text(self) -> str:
        """It in a line."""
        return f"{self.name}, laid by {self.by} at {self.at.isoformat(timespec='seconds')}"


def lay_drill(target: Target, *, name: str, by: str, message: str) -> None:
    """Lay the fault. Raises Refused where another one lies there, DrillFailed where the host could not."""
    answer = _ask(target, {"do": "lay", "name": name, "by": by, "message": message})
    if "refused" in answer:
        raise Refused(
            f"{target.address}: there is a drill already: {drill_of(answer['refused']).text}",
            hint=f"`leptonctl drill end --host {target.address}` takes it away",
        )


def end_drill(target: Target) -> Drill | None:
    """Take away what lies there, and give what it was. Raises DrillFailed where the host could not."""
    about = _ask(target, {"do": "end"})["about"]
    return drill_of(about) if about is not None else None


def drill_of(about: Mapping[str, Any]) -> Drill:
    """What a host says of a drill."""
    return Drill(str(about["name"]), str(about["by"]), datetime.fromtimestamp(float(about["at_s"]), UTC))


def _ask(target: Target, request: dict[str, object]) -> dict[str, Any]:
    (reply,) = ask([request_of(target, _MODULES, request)], limit_s=LIMIT_S).values()
    answer, problem = answer_of(reply)
    if problem is not None:
        raise DrillFailed(f"{target.address}: {problem}", hint="see `leptonctl status`")
    return answer
