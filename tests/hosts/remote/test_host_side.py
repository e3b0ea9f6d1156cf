"""The program that runs on a host, run here on files of a folder of the test's own."""

import hashlib
import json
import os
import pwd
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leptonctl.hosts.probe import _MODULES
from leptonctl.hosts.remote import compare, complete, host_side
from leptonctl.hosts.remote.compare import differences_of
from leptonctl.hosts.sent import _packed

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


def recorded(ask: Ask, *entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    role = {"source": "s", "settings": {"a": 1}, "entries": list(entries), "not_observed": []}
    return ask(do="record", address="core/box-1", digest=None, drop=[], roles={"base": role}) | more


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


def test_a_host_that_is_not_as_the_role_asked_is_refused_and_nothing_is_written(ask: Ask, file: Path) -> None:
    refused = recorded(
        ask,
        {"kind": "user", "name": "nobody-of-this-name", "groups": [], "password": "kept"},
        {"kind": "absent", "path": str(file)},
        {"kind": "file", "path": str(file), "mode": "0600"},
        {"kind": "directory", "path": f"{file}.d", "mode": "0755"},
        {"kind": "package", "name": "no-such-package"},
        {"kind": "gone", "of": "user", "name": "root"},
        {"kind": "line", "path": str(file), "line": "two"},
        {"kind": "group", "name": "no-such-group"},
    )
    assert refused["refused"] == [
        "base: user nobody-of-this-name is missing",
        f"base: {file} is there, should be absent",
        f"base: {file}: mode 0644, should be 0600",
        f"base: {file}.d is missing",
        "base: package no-such-package is not installed",
        "base: user root is there, should be absent",
        f"base: {file}: the line `two` is missing",
        "base: group no-such-group is missing",
    ]
    assert not host_side.MANIFEST.exists()


def test_what_the_role_asked_for_is_the_norm_and_not_what_was_there(ask: Ask, file: Path) -> None:
    digest = recorded(ask, {"kind": "file", "path": str(file), "mode": "0644"})["digest"]
    file.chmod(0o600)
    role = {"source": "s", "settings": {}, "entries": [{"kind": "file", "path": str(file), "mode": "0644"}]}
    again = ask(do="record", address="a", digest=digest, drop=[], roles={"base": {**role, "not_observed": []}})
    assert again["refused"] == [f"base: {file}: mode 0600, should be 0644"]
    assert messages(ask, digest) == [f"{file}: mode 0600, should be 0644"]


def test_an_account_keeps_the_number_that_it_had(ask: Ask) -> None:
    wanted = {"kind": "user", "name": "daemon", "groups": [], "password": "kept"}
    digest = recorded(ask, dict(wanted))["digest"]
    manifest = json.loads(host_side.MANIFEST.read_text())
    (entry,) = manifest["roles"]["base"]["entries"]
    entry["uid"] = 4321  # as if somebody had given it the number of now later
    text = json.dumps(manifest)
    host_side.MANIFEST.write_text(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    role = {"source": "s", "settings": {}, "not_observed": []}

    def record(entry: dict[str, Any]) -> dict[str, Any]:
        roles = {"base": {**role, "entries": [entry]}}
        return ask(do="record", address="a", digest=digest, drop=[], roles=roles)

    number = pwd.getpwnam("daemon").pw_uid
    assert record(dict(wanted))["refused"] == [f"base: user daemon: uid is {number}, should be 4321"]
    assert "digest" in record({**wanted, "is_made": True})


def test_lines_and_blocks_are_compared_and_an_earlier_line_does_not_override(ask: Ask, file: Path) -> None:
    file.write_text("# begin\na\n# end\nA=1\n")
    digest = recorded(
        ask,
        {"kind": "line", "path": str(file), "line": "A=1", "pattern": "^A="},
        {"kind": "line", "path": str(file), "pattern": "^B="},
        {"kind": "block", "path": str(file), "lines": ["# begin", "a", "# end"]},
    )["digest"]
    assert messages(ask, digest) == []
    file.write_text("A=0\nB=1\n# begin\n# end\nA=1\n")
    assert messages(ask, digest) == [
        f"{file}: the line `A=0` should not be there",
        f"{file}: the line `B=1` should not be there",
        f"{file}: the block after `# begin` is missing or changed",
    ]
    file.unlink()
    assert messages(ask, digest)[0] == f"{file}: the line `A=1` is missing"


def test_a_file_that_changed_while_the_role_ran_is_refused(ask: Ask, file: Path) -> None:
    refused = recorded(ask, {"kind": "file", "path": str(file), "sha1": "0" * 40})
    assert refused["refused"] == [f"base: {file} changed while the role ran"]


def test_a_quick_check_is_a_difference_of_its_role_unless_what_it_rests_on_differs(ask: Ask, file: Path) -> None:
    digest = recorded(ask, {"kind": "file", "path": str(file)})["digest"]
    check = {"kind": "command", "title": "it holds", "argv": ["false"], "expect": "", "limit_s": 5, "role": "base"}
    checks = [{**check, "is_quick": True, "rests_on": [str(file)]}]
    answer = ask(do="look", digest=digest, checks=checks)
    assert [found["message"] for found in answer["roles"]["base"]["differences"]] == [
        "it holds: no: exit 1: it said nothing"
    ]
    assert answer["checks"] == []
    file.chmod(0o600)
    answer = ask(do="look", digest=digest, checks=[*checks, check], is_thorough=True)
    assert [found["message"] for found in answer["roles"]["base"]["differences"]] == [
        f"{file}: mode 0600, should be 0644"
    ]
    assert len(answer["checks"]) == 1


def test_a_secret_is_kept_as_a_salted_digest_and_told_when_it_is_another_one(ask: Ask) -> None:
    role = {"source": "s", "settings": {}, "entries": [], "not_observed": [], "secrets": {"hook": "http://one"}}
    digest = ask(do="record", address="a", digest=None, drop=[], roles={"base": role})["digest"]
    assert "http://one" not in host_side.MANIFEST.read_text()

    def changed(**values: str) -> list[str]:
        answer = ask(do="look", digest=digest, secrets={"base": values})
        found: list[str] = answer["roles"]["base"]["changed_secrets"]
        return found

    assert (changed(), changed(hook="http://one"), changed(other="x")) == ([], [], [])
    assert changed(hook="http://two") == ["hook"]


@pytest.mark.parametrize("forged", ["", "{", "[]", '{"schema": 1, "roles": {}}'])
def test_a_manifest_that_the_controller_did_not_write_is_not_looked_into(ask: Ask, file: Path, forged: str) -> None:
    digest = recorded(ask, {"kind": "file", "path": str(file)})["digest"]
    host_side.MANIFEST.write_text(forged)
    answer = ask(do="look", digest=digest)
    assert (answer["manifest"], answer["roles"]) == ("untrusted", {})


def test_of_anothers_manifest_of_this_host_only_the_names_of_its_roles_are_told(ask: Ask, file: Path) -> None:
    recorded(ask, {"kind": "file", "path": str(file)})
    roles = json.loads(host_side.MANIFEST.read_text())["roles"]
    host_side.MANIFEST.write_text(json.dumps({"address": "core/box-1", "roles": {"edge": {}, **roles}}))
    answer = ask(do="look", address="core/box-1", digest="x")
    assert (answer["manifest"], answer["roles"], answer["named"]) == ("untrusted", {}, sorted(["edge", *roles]))
    assert ask(do="look", address="core/box-2", digest="x")["named"] == []
    for forged in ("", "[]", '{"roles": {"edge": {}}}', '{"address": "core/box-1", "roles": 1}'):
        host_side.MANIFEST.write_text(forged)
        assert ask(do="look", address="core/box-1", digest="x")["named"] == []


def test_without_a_manifest_or_without_its_digest_nothing_is_trusted(ask: Ask, file: Path) -> None:
    assert ask(do="look", digest=None)["manifest"] == "missing"
    # The controller wrote one: where it is gone, that is no new host.
    assert ask(do="look", digest="x")["manifest"] == "untrusted"
    recorded(ask, {"kind": "file", "path": str(file)})
    assert ask(do="look", digest=None)["manifest"] == "untrusted"


def test_a_controller_without_a_record_accepts_only_who_was_accepted_before_it(ask: Ask) -> None:
    def record(digest: str | None) -> dict[str, Any]:
        entry = {"kind": "roots", "name": "sudo", "may": ["root"], "listed": ["root"]}
        role = {"source": "s", "settings": {}, "entries": [entry], "not_observed": []}
        ask(do="record", address="a", digest=digest, drop=[], roles={"base": role})
        found: dict[str, Any] = json.loads(host_side.MANIFEST.read_text())["roles"]["base"]["entries"][0]["accepted"]
        return found

    first = record(None)
    assert "root" in first["accounts"]
    manifest = json.loads(host_side.MANIFEST.read_text())
    manifest["roles"]["base"]["entries"][0]["accepted"]["members"] = ["carl"]
    host_side.MANIFEST.write_text(json.dumps(manifest))
    assert record(None)["members"] == ["carl"]
    host_side.MANIFEST.write_text(json.dumps(manifest))
    assert record("a digest that it has not")["members"] == []
    host_side.MANIFEST.write_text('{"roles": {"base": {"entries": [{"kind": "roots", "accepted": 1}]}}}')
    assert record(None)["members"] == []


def test_a_folder_in_the_place_of_the_manifest_is_put_aside(ask: Ask, file: Path) -> None:
    host_side.MANIFEST.mkdir(parents=True)
    assert ask(do="look", digest=None)["manifest"] == "untrusted"
    digest = recorded(ask, {"kind": "file", "path": str(file)})["digest"]
    assert ask(do="look", digest=digest)["manifest"] == "trusted"


def test_the_manifest_is_for_root_alone(ask: Ask, file: Path) -> None:
    recorded(ask, {"kind": "file", "path": str(file)})
    assert host_side.MANIFEST.stat().st_mode & 0o777 == 0o600
    assert host_side.MANIFEST.parent.stat().st_mode & 0o777 == 0o700


def test_roles_that_did_not_run_keep_their_part_and_those_taken_off_lose_it(ask: Ask, file: Path) -> None:
    digest = recorded(ask, {"kind": "file", "path": str(file)})["digest"]
    other = {"source": "s", "settings": {}, "entries": [], "not_observed": ["Run a thing"]}
    both = ask(do="record", address="a", digest=digest, drop=[], roles={"other": other})["digest"]
    answer = ask(do="look", digest=both)
    assert sorted(answer["roles"]) == ["base", "other"]
    assert answer["roles"]["other"]["not_observed"] == ["Run a thing"]
    one = ask(do="record", address="a", digest=both, drop=["base"], roles={})["digest"]
    assert sorted(ask(do="look", digest=one)["roles"]) == ["other"]


def test_an_entry_of_an_unknown_kind_is_never_in_order() -> None:
    assert differences_of({"kind": "hologram", "name": "x"}, {"package": {}, "unit": {}}) == [
        {"item": "hologram", "message": "an entry of the kind hologram is not understood"}
    ]


def test_whatever_goes_wrong_is_an_answer(ask: Ask) -> None:
    assert ask(do="dance") == {"schema": 1, "error": "KeyError: 'dance'"}


def test_it_runs_from_standard_input_with_nothing_installed() -> None:
    start = (Path(host_side.__file__).parent / "start.py").read_text()
    call = f"start({_packed(_MODULES)!r}, {json.dumps({'do': 'dance'})!r})"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-"],
        input=f"{start}\n\n{call}\n",
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == {"schema": 1, "error": "KeyError: 'dance'"}


def test_whether_a_process_has_read_its_settings_does_not_hang_on_the_clock(
    ask: Ask, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = ["one", file.stat().st_mtime_ns + 10**9]
    for module in (compare, complete):
        monkeypatch.setattr(module, "invocation_of", lambda _unit: tuple(running))
    entry = {"kind": "fresh", "name": "x.service", "files": [str(file)]}
    digest = recorded(ask, dict(entry))["digest"]
    os.utime(file, (4e9, 4e9))  # the process is the one that read it: no time stamp counts
    assert messages(ask, digest) == []
    running[:] = ["two", file.stat().st_ctime_ns - 1]
    assert messages(ask, digest) == [f"unit x.service runs older settings than {file}"]
    os.utime(file, (1, 1))  # the kernel's own stamp cannot be set back
    assert messages(ask, digest) == [f"unit x.service runs older settings than {file}"]
    # The clock was ahead when it started, the role wrote new settings, and nothing restarted it.
    running[:] = ["one", 2**62]
    file.write_text("two\n")
    role = {"source": "s", "settings": {}, "entries": [entry], "not_observed": []}
    assert ask(do="record", address="a", digest=digest, drop=[], roles={"base": role})["refused"] == [
        "base: unit x.service still runs the settings of before: `systemctl restart x.service`"
    ]
