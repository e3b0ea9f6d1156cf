from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from leptonctl.errors import ConfigurationFailed
from leptonctl.hosts.configure import configure, private_folder
from leptonctl.hosts.configured import Configured, Failure
from leptonctl.hosts.target import Target
from leptonctl.planning.desired import DesiredRole
from leptonctl.planning.observed import Endpoint

if TYPE_CHECKING:
    from collections.abc import Callable

    from leptonctl.progress import Progress

PLAY = Path(__file__).parent / "data" / "play" / "site.yml"
SECRET = "https://hooks.example.com/T0K3N?a={{ 1 + 1 }}&b='quoted \"text\"'"
MARKS = ("T0K3N", "quoted")


def target(name: str, *roles: DesiredRole) -> Target:
    return Target(f"core/{name}", name, "core", "core", Endpoint("127.0.0.1"), roles)


def base(folder: Path, **settings: object) -> DesiredRole:
    return DesiredRole("base", {"folder": str(folder), **settings})


def server(folder: Path) -> DesiredRole:
    settings = {"folder": str(folder), "webhook_url": "env:HOOK"}
    return DesiredRole("monitoring_server", settings)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(condition: Callable[[], bool], limit_s: float = 60) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def pid_in(folder: Path) -> int | None:
    try:
        return int((folder / "pid").read_text())
    except (OSError, ValueError):
        return None


@pytest.fixture(scope="module")
def hosts_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hosts")


@pytest.fixture(scope="module")
def seen() -> list[Progress]:
    return []


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs") / "configure-1"


@pytest.fixture(scope="module")
def found_in_processes() -> list[str]:
    return []


@pytest.fixture(scope="module")
def done(hosts_folder: Path, run_folder: Path, seen: list[Progress], found_in_processes: list[str]) -> Configured:
    """One run over three hosts, of which `core/b` fails in its second role."""

    def watch(progress: Progress) -> None:
        seen.append(progress)
        for process in Path("/proc").iterdir():
            if process.name.isdigit():
                try:
                    text = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
                except OSError:
                    continue
                found_in_processes.extend(mark for mark in MARKS[:1] if mark.encode() in text)

    targets = [target(name, base(hosts_folder), server(hosts_folder)) for name in "abc"]
    return configure(targets, folder=run_folder, report=watch, secrets={"env:HOOK": SECRET}, playbook=PLAY)


def test_a_host_that_fails_stops_no_other(done: Configured, hosts_folder: Path) -> None:
    assert {address: host.status for address, host in done.hosts.items()} == {
        "core/a": "ok",
        "core/b": "failed",
        "core/c": "ok",
    }
    assert sorted(path.name for path in hosts_folder.glob("*.end")) == ["a.end", "c.end"]


def test_the_failure_names_role_task_and_last_lines_without_escapes_and_secrets(done: Configured) -> None:
    assert done.hosts["core/b"].failure == Failure(
        role="monitoring_server",
        task="Fail on one host",
        message="non-zero return code",
        last_lines=("first", "red [secret]"),
    )


def test_the_roles_before_the_failed_one_are_finished(done: Configured) -> None:
    assert {address: host.roles for address, host in done.hosts.items()} == {
        "core/a": ("base", "monitoring_server"),
        "core/b": ("base",),
        "core/c": ("base", "monitoring_server"),
    }
    assert set(done.hosts["core/b"].records) == {"base"}


def test_a_loop_gives_one_record_for_each_item(done: Configured, hosts_folder: Path) -> None:
    records = [record for record in done.hosts["core/a"].records["base"] if record.task == "Write files"]
    assert [record.result["dest"] for record in records] == [f"{hosts_folder}/a.one", f"{hosts_folder}/a.two"]
    assert {record.module for record in records} == {"ansible.builtin.copy"}
    assert all("checksum" in record.result and "diff" not in record.result for record in records)


def test_a_hidden_result_is_a_hidden_record(done: Configured) -> None:
    hidden = [record.task for record in done.hosts["core/a"].records["monitoring_server"] if record.is_hidden]
    assert hidden == ["Write what is secret"]


def test_a_secret_arrives_as_literal_text(done: Configured, hosts_folder: Path) -> None:
    assert done.hosts["core/a"].status == "ok"
    assert (hosts_folder / "a.secret").read_text() == SECRET


def test_no_secret_is_in_the_folder_the_log_the_progress_or_any_command_line(
    done: Configured, run_folder: Path, seen: list[Progress], found_in_processes: list[str]
) -> None:
    assert done.log == run_folder / "ansible.log"
    for path in run_folder.rglob("*"):
        if path.is_file():
            text = path.read_text(errors="replace")
            assert [mark for mark in MARKS if mark in text] == [], path
    assert [progress for progress in seen if any(mark in repr(progress) for mark in MARKS)] == []
    assert found_in_processes == []
    assert "[secret]" in done.log.read_text()


def test_events_are_kept_without_diffs(done: Configured, run_folder: Path) -> None:
    assert done.hosts
    events = [json.loads(line) for line in (run_folder / "events.jsonl").read_text().splitlines()]
    assert {"playbook_on_stats", "runner_on_ok", "runner_on_failed"} <= {event["event"] for event in events}
    assert '"diff"' not in (run_folder / "events.jsonl").read_text()


def test_the_folder_is_for_its_owner_alone(done: Configured, run_folder: Path) -> None:
    assert done.hosts
    assert oct(run_folder.stat().st_mode & 0o777) == "0o700"


def test_changes_are_counted_as_ansible_counts_them(done: Configured, run_folder: Path) -> None:
    events = [json.loads(line) for line in (run_folder / "events.jsonl").read_text().splitlines()]
    counts = next(event for event in events if event["event"] == "playbook_on_stats")
    assert {address: (host.ok_count, host.changed_count) for address, host in done.hosts.items()} == {
        address: (counts["ok"][address], counts["changed"][address]) for address in counts["processed"]
    }
    assert done.hosts["core/a"].changed_count == 3


def test_progress_names_host_role_and_task_and_what_changed(done: Configured, seen: list[Progress]) -> None:
    assert done.hosts
    of_a = [(p.role, p.task, p.is_changed) for p in seen if p.address == "core/a" and p.role is not None]
    assert of_a[:2] == [
        ("base", "Write files", True),
        ("monitoring_server", "Write what is secret", False),
    ]
    failed = [(p.role, p.task, p.message) for p in seen if p.state == "failed"]
    assert failed == [("monitoring_server", "Fail on one host", "non-zero return code")]


@pytest.mark.hosts
def test_a_run_that_is_cancelled_ends_its_processes_and_says_interrupted(tmp_path: Path) -> None:
    done = configure(
        [target("a", base(tmp_path, waits=True))],
        folder=tmp_path / "run",
        report=lambda _: None,
        secrets={},
        is_cancelled=lambda: pid_in(tmp_path) is not None,
        playbook=PLAY,
    )
    pid = pid_in(tmp_path)
    assert pid is not None
    assert not alive(pid)
    assert done.hosts["core/a"].failure == Failure(role=None, task="", message="interrupted")
    assert done.hosts["core/a"].roles == ()


SCRIPT = """
import sys
from pathlib import Path
from leptonctl.hosts.configure import configure
from tests.hosts.test_configure import PLAY, base, target
folder = Path(sys.argv[1])
configure([target("a", base(folder, waits=True))], folder=folder / "run", report=print, secrets={}, playbook=PLAY)
"""


@pytest.mark.hosts
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_a_run_that_is_stopped_from_outside(tmp_path: Path, how: signal.Signals) -> None:
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    run = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: pid_in(tmp_path) is not None)
    run.send_signal(how)
    _, said = run.communicate(timeout=60)
    pid = pid_in(tmp_path)
    assert pid is not None
    until(lambda: not alive(pid))
    if how is signal.SIGINT:
        assert "leptonctl.errors.Interrupted: interrupted; Ansible has ended" in said


def test_a_playbook_that_cannot_be_read_is_told_with_the_log(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yml"
    broken.write_text("- hosts: all\n  tasks: [{no.such.module: }]\n")
    with pytest.raises(ConfigurationFailed) as raised:
        configure(
            [target("a", base(tmp_path))], folder=tmp_path / "run", report=lambda _: None, secrets={}, playbook=broken
        )
    assert raised.value.hint == f"its own words are in {tmp_path}/run/ansible.log"
    assert "no.such.module" in raised.value.message + (tmp_path / "run" / "ansible.log").read_text()


@pytest.mark.parametrize(("more", "is_used"), [(0, True), (1, False)])
def test_sockets_lie_where_the_longest_name_that_ssh_makes_still_fits(
    monkeypatch: pytest.MonkeyPatch, more: int, *, is_used: bool
) -> None:
    longest = "j" * 6 + "c" * 40 + "." + "r" * 16
    place = Path(tempfile.mkdtemp(prefix="p" * (9 + more), dir="/tmp"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(place))
    try:
        with private_folder() as private, socket.socket(socket.AF_UNIX) as made:
            assert (private.parent == place) == is_used
            sockets = private / "s"
            sockets.mkdir()
            made.bind(str(sockets / longest))
            if is_used:
                assert len(str(sockets / longest)) == 107
    finally:
        place.rmdir()
