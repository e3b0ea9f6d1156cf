"""A verdict, what to do about it, and the finding that carries both."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Verdict(StrEnum):
    """How a GPU, host or location is. Only the first two may take work; what could not be read never may."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNKNOWN = "unknown"
    FAILED = "failed"

    @property
    def passes(self) -> bool:
        """Whether work may be placed there."""
        return self in {Verdict.HEALTHY, Verdict.DEGRADED}


class Action(StrEnum):
    """What to do, from the mildest to the hardest."""

    NOTHING = "nothing"
    RESTART_APPLICATION = "restart the application"
    RESET_GPU = "reset the GPU"
    REBOOT = "reboot the host"
    DRAIN = "drain the host"
    INSPECT = "inspect the hardware"
    SUPPORT = "call support"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found about one GPU or host.

    `subject` is a GPU's bus id, or empty for the host. `source` says whose threshold it is. A finding whose verdict is
    healthy is worth knowing and takes nothing out of service.
    """

    check: str
    verdict: Verdict
    subject: str
    measured: str
    threshold: str
    source: str
    action: Action


_ORDER = tuple(Verdict)
_LADDER = tuple(Action)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict over many; healthy where there is none. Failed counts before unknown, unknown before degraded."""
    return max(verdicts, key=_ORDER.index, default=Verdict.HEALTHY)


def hardest(actions: Iterable[Action]) -> Action:
    """The one action that covers all; nothing where there is none."""
    return max(actions, key=_LADDER.index, default=Action.NOTHING)
