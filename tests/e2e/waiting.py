"""Waiting for a condition, with a limit."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def wait_until(holds: Callable[[], bool], limit_s: float) -> None:
    """Ask until the condition holds; an answer that cannot be had is a no."""
    end = time.monotonic() + limit_s
    why: object = "no"
    while time.monotonic() < end:
        try:
            if holds():
                return
            why = "no"
        except (OSError, LookupError) as error:
            why = error
        time.sleep(0.5)
    message = f"not so after {limit_s} s: {why}"
    raise AssertionError(message)
