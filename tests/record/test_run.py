"""Run folders."""

import json
import stat
from pathlib import Path

import pytest

from leptonctl.errors import LeptonError, PlatformFailed
from leptonctl.progress import Progress
from leptonctl.record.run import open_run, past_runs, write_json


def test_a_run_folder_is_private_and_kept_out_of_git(tmp_path: Path) -> None:
    with open_run(tmp_path / ".leptonctl" / "demo", "up") as run:
        run.event(Progress("platform", "done", "core", "made"))
    assert stat.S_IMODE(run.folder.stat().st_mode) == 0o700
    assert (tmp_path / ".leptonctl" / ".gitignore").read_text() == "*\n"
    line = json.loads((run.folder / "events.jsonl").read_text())
    assert (line["address"], line["message"]) == ("core", "made")


def test_a_failure_is_kept_with_its_exit_code_and_listed(tmp_path: Path) -> None:
    state = tmp_path / ".leptonctl" / "demo"
    with pytest.raises(PlatformFailed), open_run(state, "up"):
        raise PlatformFailed("podman does not answer")
    (listed,) = past_runs(state)
    assert (listed.verb, listed.exit_code) == ("up", 4)


def test_a_bug_leaves_its_traceback_in_the_folder_and_one_line_for_the_operator(tmp_path: Path) -> None:
    with pytest.raises(LeptonError) as caught, open_run(tmp_path / "a" / "demo", "up") as run:
        raise ZeroDivisionError("oh")
    assert caught.value.message == "this is a bug in leptonctl: ZeroDivisionError: oh"
    assert caught.value.hint == f"the traceback is in {run.folder / 'traceback.txt'}; please report it"
    assert "ZeroDivisionError: oh" in (run.folder / "traceback.txt").read_text()


def test_json_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    write_json(path, {"a": 1})
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(ValueError, match="Circular"):
        write_json(path, loop)
    assert json.loads(path.read_text()) == {"a": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["result.json"]
