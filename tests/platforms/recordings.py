"""What the real engine did and said when it was disturbed, as tests/data/pulumi has it; see SOURCES.md there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pulumi.automation.events import EngineEvent

from leptonctl.platforms.pulumi_events import Steps
from leptonctl.progress import silent

if TYPE_CHECKING:
    from leptonctl.progress import Report

FOLDER = Path(__file__).parents[1] / "data" / "pulumi"


@dataclass(frozen=True)
class Recording:
    """One situation; what it does not have is empty."""

    printed: str
    state: dict[str, Any]
    lock: dict[str, Any]
    events: tuple[dict[str, Any], ...]

    def told(self, report: Report = silent) -> Steps:
        """Who listened to its events."""
        steps = Steps("core", report)
        for event in self.events:
            steps(EngineEvent.from_json(event))
        return steps


def recording(name: str) -> Recording:
    """The recording of this name."""
    found = json.loads((FOLDER / f"{name}.json").read_text())
    return Recording(found["printed"], found.get("state", {}), found.get("lock", {}), tuple(found.get("events", ())))
