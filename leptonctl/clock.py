"""The clock of a run: seconds by stage, for `durations_s`."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Clock:
    """Counts from when it is made. A stage that comes again adds to its time."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._stages: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time of a stage, also where it fails."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self._stages[name] = round(self._stages.get(name, 0.0) + time.monotonic() - begun, 3)

    def read(self) -> dict[str, float]:
        """Seconds so far by stage, and their `total`."""
        return {**self._stages, "total": round(time.monotonic() - self._begun, 3)}
