"""A drill lies where only leptonctl reads, is found whoever laid it, and makes a host look worse, never better."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from leptonctl.health.answer import reading_of
from leptonctl.health.judge import judge
from leptonctl.health.policy import default_policy
from leptonctl.health.verdict import Verdict
from leptonctl.hosts.remote import drill
from tests.health.recorded import A100, ONE, edited

if TYPE_CHECKING:
    from pathlib import Path

MESSAGE = "NVRM: Xid (PCI:0000:01:00): 79, a drill of leptonctl, laid by ops"
LAY = {"do": "lay", "name": "xid 79", "by": "ops", "message": MESSAGE}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(drill, "DRILL", tmp_path / "run" / "drill")
    return tmp_path / "run" / "drill"


def ask(capsys: pytest.CaptureFixture[str], request: dict[str, Any]) -> dict[str, Any]:
    assert drill.main(request) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_what_was_laid_is_found_and_taken_away_whole(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(capsys, LAY)["about"]["name"] == "xid 79"
    assert drill.drill_log().endswith(f" leptonctl kernel: {MESSAGE}\n")
    assert ask(capsys, {"do": "end"})["about"]["by"] == "ops"
    assert not folder.exists()
    assert (drill.about_drill(), drill.drill_log()) == (None, "")
    assert ask(capsys, {"do": "end"})["about"] is None


def test_a_second_drill_is_refused_and_leaves_the_first(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ask(capsys, LAY)
    assert ask(capsys, {**LAY, "by": "another"})["refused"]["by"] == "ops"
    assert folder.exists()


def test_a_drill_that_was_killed_while_it_laid_its_fault_is_found(folder: Path) -> None:
    folder.mkdir(parents=True)
    assert drill.about_drill() == {"name": "unknown", "by": "somebody", "at_s": 0.0}


def test_a_host_with_a_drill_does_not_pass_and_says_why(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    about = ask(capsys, LAY)["about"]
    answer = {
        "now_s": about["at_s"],
        "booted_s": 0.0,
        "pci": ["0000:01:00.0"],
        "smi": {"text": edited(A100, ("<persistence_mode>Disabled<", "<persistence_mode>Enabled<"))},
        "log": {"text": drill.drill_log()},
        "fabric_manager": "unknown",
        "drill": about,
    }
    found = judge(reading_of(answer), ONE, default_policy())
    assert [(one.check, one.verdict, one.measured) for one in found.findings] == [
        ("Xid", Verdict.FAILED, "Xid 79 (the GPU has fallen off the bus)"),
        (
            "drill",
            Verdict.UNKNOWN,
            "a drill is in force: xid 79, laid by ops; `leptonctl drill end` takes it away",
        ),
    ]
    assert folder.exists()
