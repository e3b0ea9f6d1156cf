"""Waits for what is on its way out: `shutting-down` and `deleting` are not gone, and may still fail."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from leptonctl.platforms.aws_listing import GOING
from leptonctl.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from leptonctl.planning.observed import ObservedResource
    from leptonctl.progress import Report

LIMIT_S = 900
_PAUSE_S = 10


def wait_until_gone(
    look: Callable[[], tuple[ObservedResource, ...]],
    location: str,
    report: Report,
    *,
    limit_s: float = LIMIT_S,
    pause: Callable[[float], None] = time.sleep,
) -> tuple[ObservedResource, ...]:
    """What is still there when nothing of it is on its way out any more, or when the limit is reached.

    The limit counts from the last time that something went: as long as progress is seen it is no time-out.
    """
    there = look()
    waited_s, going = 0.0, _going(there)
    while going and waited_s < limit_s:
        shown = ", ".join(f"{one.id} ({one.status})" for one in going[:3]) + (" ..." if len(going) > 3 else "")  # noqa: PLR2004
        report(Progress("down", "step", location, f"waiting for {len(going)} that are on their way out: {shown}"))
        pause(_PAUSE_S)
        there = look()
        left = _going(there)
        waited_s = waited_s + _PAUSE_S if len(left) >= len(going) else 0.0
        going = left
    return there


def _going(there: tuple[ObservedResource, ...]) -> tuple[ObservedResource, ...]:
    return tuple(one for one in there if one.status.lower() in GOING)
