"""What is said on stderr while a verb works."""

import pytest

from leptonctl.progress import Progress, silent
from leptonctl.talk import talk

MADE = Progress("platform", "step", "core/box-1", "made the host", is_changed=True)
TASK = Progress("configure", "step", "core/box-1", "changed", role="base", task="Write \x1b[31mit", is_changed=True)
DONE = Progress("configure", "done", "core/box-1", "base: 3 tasks changed something")
FAILED = Progress("configure", "failed", "core/box-1", "no space", role="base", task="Write it")


def said(capsys: pytest.CaptureFixture[str], level: str) -> list[str]:
    report = talk(level=level, output="json")
    for progress in (MADE, TASK, DONE, FAILED):
        report(progress)
    captured = capsys.readouterr()
    assert captured.out == ""
    return [line.partition("s ")[2] for line in captured.err.splitlines()]


def test_a_log_gets_what_was_made_ended_or_failed(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "normal") == [
        "core/box-1: made the host",
        "core/box-1: base: 3 tasks changed something",
        "core/box-1 base: FAILED Write it: no space",
    ]


def test_verbose_adds_each_task_with_escapes_made_visible(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "verbose")[1] == "core/box-1 base: Write \\x1b[31mit: changed"


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "quiet") == []
    assert talk(level="quiet", output="text") is silent
