"""How long the role storage_hdfs waits for its daemons, by a clock that the test moves."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from leptonctl.assets import asset

PROGRAM = asset("playbooks", "roles", "storage_hdfs", "files", "hdfs_health.py")
LACKING = "data nodes that do not answer: core/data-2"
CLOSED = "it takes no changes: Safe mode is ON."


class Daemon:
    """What a daemon says at which second, and how late it is."""

    def __init__(self, *said: tuple[int, list[str]]) -> None:
        self.said, self.now = said, 0

    def monotonic(self) -> int:
        return self.now

    def sleep(self, seconds: int) -> None:
        self.now += seconds

    def problems(self, _part: str) -> list[str]:
        return [found for since, found in self.said if since <= self.now][-1]


@pytest.mark.parametrize(
    ("daemon", "found", "waited_s"),
    [
        pytest.param(Daemon((0, [CLOSED]), (7, [])), [], 7, id="until it is in order"),
        pytest.param(Daemon((0, [CLOSED])), [CLOSED], 121, id="two minutes for its own"),
        pytest.param(Daemon((0, [LACKING])), [LACKING], 21, id="twenty seconds for others, who may come later"),
        pytest.param(Daemon((0, [LACKING, CLOSED])), [LACKING, CLOSED], 121, id="for both as for its own"),
        pytest.param(Daemon((0, [CLOSED]), (60, [LACKING])), [LACKING], 60, id="no longer for others than in all"),
    ],
)
def test_it_waits_for_itself_longer_than_for_others(
    monkeypatch: pytest.MonkeyPatch, daemon: Daemon, found: list[str], waited_s: int
) -> None:
    spec = importlib.util.spec_from_file_location("hdfs_health", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    program: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    monkeypatch.setattr(program, "time", daemon)
    monkeypatch.setattr(program, "problems", daemon.problems)
    assert program.waited("name_node") == found
    assert daemon.now == waited_s
