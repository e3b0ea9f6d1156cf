"""The program that runs on a host, run here on files of a folder of the test's own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leptonctl.hosts.probe import _modules
from leptonctl.hosts.remote import host_side
from leptonctl.hosts.remote.compare import differences_of

Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    monkeypatch.setattr(host_side, "MANIFEST", tmp_path / "state" / "manifest.json")

    def run(**request: object) -> dict[str, Any]:
        assert host_side.main(request) == 0
        answer: dict[str, Any] = json.loads(capsys.readouterr().out)
        return answer

    return run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "settings"
    path.write_text("one\n")
    path.chmod(0o644)
    return path


def recorded(ask: Ask, *entries: dict[str, Any], keep: tuple[str, ...] = ("base",), **more: Any) -> dict[str, Any]:
    role = {"source": "s", "settings": {"a": 1}, "entries": list(entries), "not_observed": []}
    return ask(do="record", address="core/box-1", digest=None, keep=list(keep), roles={"base": role}) | more


def messages(ask: Ask, digest: str | None) -> list[str]:
    answer = ask(do="look", digest=digest)
    return [found["message"] for found in answer["roles"].get("base", {}).get("differences", [])]


def test_a_file_as_recorded_is_in_order(ask: Ask, file: Path) -> None:
    digest = recorded(ask, {"kind": "file", "path": str(file)})["digest"]
    answer = ask(do="look", digest=digest)
    assert (answer["manifest"], answer["roles"]["base"]["differences"]) == ("trusted", [])
    assert answer["roles"]["base"]["settings"] == {"a": 1}


def test_content_counts_and_not_the_time_stamp(ask: Ask, file: Path) -> None:
    digest = recorded(ask, {"kind": "file", "path": str(file)})["digest"]
    os.utime(file, (1, 1))
    assert messages(ask, digest) == []
    before = file.stat()
    file.write_text("two\n")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert messages(ask, digest) == [f"{file}: content changed"]


def test_mode_kind_and_absence_are_seen(ask: Ask, file: Path, tmp_path: Path) -> None:
    digest = recorded(ask, {"kind": "file", "path": str(file)})["digest"]
    file.chmod(0o666)
    assert messages(ask, digest) == [f"{file}: mode 0666, should be 0644"]
    file.unlink()
    assert messages(ask, digest) == [f"{file} is missing"]
    file.symlink_to(tmp_path / "elsewhere")
    assert messages(ask, digest) == [f"{file} is a link, should be a file"]


def test_links_folders_and_paths_that_should_be_absent_are_compared(ask: Ask, tmp_path: Path) -> None:
    link, folder, gone = tmp_path / "link", tmp_path / "folder", tmp_path / "gone"
    link.symlink_to("a")
    folder.mkdir(mode=0o755)
    digest = recorded(
        ask,
        {"kind": "link", "path": str(link)},
        {"kind": "directory", "path": str(folder)},
        {"kind": "absent", "path": str(gone)},
    )["digest"]
    assert messages(ask, digest) == []
    link.unlink()
    link.symlink_to("b")
    folder.chmod(0o700)
    gone.write_text("")
    assert messages(ask, digest) == [
        f"{link} points to b, should point to a",
        f"{folder}: mode 0700, should be 0755",
        f"{gone} is there, should be absent",
    ]


def test_an_account_that_is_not_there_is_not_recorded(ask: Ask, file: Path) -> None:
    refused = recorded(ask, {"kind": "user", "name": "nobody-of-this-name"}, {"kind": "absent", "path": str(file)})
    assert refused["refused"] == [
        "base: user nobody-of-this-name is not there",
        f"base: {file} is still there",
    ]


def test_a_file_that_changed_while_the_role_ran_is_refused(ask: Ask, file: Path) -> None:
    refused = recorded(ask, {"kind": "file", "path": str(file), "sha1": "0" * 40})
    assert refused["refused"] == [f"base: {file} changed while the role ran"]


@pytest.mark.parametrize("forged", ["", "{", "[]", '{"schema": 1, "roles": {}}'])
def test_a_manifest_that_the_controller_did_not_write_is_not_looked_into(ask: Ask, file: Path, forged: str) -> None:
    digest = recorded(ask, {"kind": "file", "path": str(file)})["digest"]
    host_side.MANIFEST.write_text(forged)
    answer = ask(do="look", digest=digest)
    assert (answer["manifest"], answer["roles"]) == ("untrusted", {})


def test_without_a_manifest_or_without_its_digest_nothing_is_trusted(ask: Ask, file: Path) -> None:
    assert ask(do="look", digest="x")["manifest"] == "missing"
    recorded(ask, {"kind": "file", "path": str(file)})
    assert ask(do="look", digest=None)["manifest"] == "untrusted"


def test_the_manifest_is_for_root_alone(ask: Ask, file: Path) -> None:
    recorded(ask, {"kind": "file", "path": str(file)})
    assert host_side.MANIFEST.stat().st_mode & 0o777 == 0o600
    assert host_side.MANIFEST.parent.stat().st_mode & 0o777 == 0o700


def test_roles_that_did_not_run_keep_their_part_and_unwanted_ones_lose_it(ask: Ask, file: Path) -> None:
    digest = recorded(ask, {"kind": "file", "path": str(file)})["digest"]
    other = {"source": "s", "settings": {}, "entries": [], "not_observed": ["Run a thing"]}
    both = ask(do="record", address="a", digest=digest, keep=["base", "other"], roles={"other": other})["digest"]
    answer = ask(do="look", digest=both)
    assert sorted(answer["roles"]) == ["base", "other"]
    assert answer["roles"]["other"]["not_observed"] == ["Run a thing"]
    one = ask(do="record", address="a", digest=both, keep=["other"], roles={})["digest"]
    assert sorted(ask(do="look", digest=one)["roles"]) == ["other"]


def test_an_entry_of_an_unknown_kind_is_never_in_order() -> None:
    assert differences_of({"kind": "hologram", "name": "x"}, {"package": {}, "unit": {}}) == [
        {"item": "hologram", "message": "an entry of the kind hologram is not understood"}
    ]


def test_whatever_goes_wrong_is_an_answer(ask: Ask) -> None:
    assert ask(do="dance") == {"schema": 1, "error": "KeyError: 'dance'"}


def test_it_runs_from_standard_input_with_nothing_installed() -> None:
    start = (Path(host_side.__file__).parent / "start.py").read_text()
    text = json.dumps({"modules": _modules(), "request": {"do": "dance"}})
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-"],
        input=f"{start}\n\nstart({text!r})\n",
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == {"schema": 1, "error": "KeyError: 'dance'"}
