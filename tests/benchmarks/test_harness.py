"""The benchmark harness: it measures the command and not itself, and its verdict is the exit status."""

import sys
from pathlib import Path

import pytest

from harness import CommandFailed, interleaved, tool, verdict

PYTHON = sys.executable


def test_commands_run_in_turn_after_the_warm_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log"
    append = "import sys; open(sys.argv[1], 'a').write(sys.argv[2])"
    commands = {name: [PYTHON, "-S", "-c", append, str(log), name] for name in "ab"}
    measured = interleaved(commands, runs=3, warm_up_runs=1)
    assert log.read_text() == "ab" * 4
    assert {name: one.runs for name, one in measured.items()} == {"a": 3, "b": 3}
    assert [line.split("|")[1].strip() for line in capsys.readouterr().out.splitlines()[2:]] == ["a", "b"]


def test_peak_memory_is_that_of_the_command_whatever_the_harness_holds() -> None:
    held = b"x" * 200_000_000
    allocate = "b'x' * 60_000_000"
    measured = interleaved({"small": ["true"], "big": [PYTHON, "-S", "-c", allocate]}, runs=1, warm_up_runs=0)
    assert len(held) > 0
    assert measured["small"].peak_mib < 20
    assert 60 < measured["big"].peak_mib < 90


def test_cpu_time_counts_the_children_that_the_command_waited_for() -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-S', '-c', {burn!r}])"
    measured = interleaved({"parent": [PYTHON, "-S", "-c", parent]}, runs=1, warm_up_runs=0)
    assert measured["parent"].cpu_s >= 0.3


def test_a_measured_command_is_compiled_once_and_not_at_each_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    check = [PYTHON, "-S", "-c", "import sys; sys.exit(sys.dont_write_bytecode)"]
    assert interleaved({"check": check}, runs=1, warm_up_runs=0)["check"].runs == 1


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["sh", "-c", "echo broken >&2; exit 3"], "sh -c echo broken >&2; exit 3: exit 3\nbroken"),
        (["sh", "-c", "kill -9 $$"], "sh -c kill -9 $$: exit -9"),
    ],
)
def test_a_command_that_fails_is_no_measurement(command: list[str], message: str) -> None:
    with pytest.raises(CommandFailed) as failed:
        interleaved({"broken": command}, runs=1, warm_up_runs=0)
    assert str(failed.value) == message


def test_a_command_that_does_not_exist_is_no_measurement() -> None:
    with pytest.raises(CommandFailed, match="no-such-command: could not be started\n"):
        interleaved({"absent": ["no-such-command"]}, runs=1, warm_up_runs=0)


@pytest.mark.parametrize(
    ("ratio", "goal", "line", "status"),
    [
        (0.31, 0.4, "ratio 0.31 goal 0.40", 0),
        (0.4, 0.4, "ratio 0.40 goal 0.40", 0),
        (0.41, 0.4, "ratio 0.41 goal 0.40", 1),
        (0.034, 0.03, "ratio 0.034 goal 0.030", 1),
    ],
)
def test_the_verdict_is_the_last_line_and_the_exit_status(
    ratio: float, goal: float, line: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verdict(ratio, goal) == status
    assert capsys.readouterr().out == f"{line}\n"


def test_a_tool_is_the_one_installed_beside_this_python() -> None:
    assert Path(tool("ansible")).parent == Path(sys.executable).parent
