"""Progress: what a long stage says while it works. Stages report; `render` shows, the run folder keeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Stage = Literal["preflight", "platform", "connect", "configure", "verify", "health", "down"]
State = Literal["started", "step", "done", "failed", "warning"]


@dataclass(frozen=True, slots=True)
class Progress:
    """One thing that happened. `address` is a location's or a host's; `role` and `task` are set while roles run."""

    stage: Stage
    state: State
    address: str
    message: str
    role: str | None = None
    task: str | None = None
    is_changed: bool = False


Report = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """Report nothing."""
