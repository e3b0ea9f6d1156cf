from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from leptonctl.errors import Locked, PlatformFailed
from leptonctl.platforms.pulumi_locks import Engines, age, end_orphans, release_dead_locks
from leptonctl.platforms.pulumi_state import States
from leptonctl.platforms.state_store import FolderStore

if TYPE_CHECKING:
    from pathlib import Path

    from leptonctl.platforms.pulumi_locks import LockOwner

NOW = datetime.now(UTC)


class FakeBucket(FolderStore):
    """A folder that says it is shared, as a bucket is. Nothing else of a bucket is in it."""

    @property
    def is_shared(self) -> bool:
        return True


def states(folder: Path, *, is_shared: bool = False) -> States:
    return States(FakeBucket(folder) if is_shared else FolderStore(folder), "thin")


def lock(state: States, *, pid: int, host: str, since: datetime) -> str:
    """A lock as the engine writes it; gives its key."""
    key = f".pulumi/locks/organization/thin/core/{pid}.json"
    told = {"pid": pid, "username": "ops", "hostname": host, "timestamp": since.isoformat()}
    state.store.write(key, json.dumps(told).encode())
    state.store.write(f"{key}.attrs", b'{"user.content_type": "text/plain"}')
    return key


def release(state: States, engines: Engines, now: datetime = NOW) -> tuple[LockOwner, ...]:
    return release_dead_locks(state.locks("core"), state.store, engines, location="core", now=now)


def dead_pid() -> int:
    done = subprocess.Popen(["/bin/true"])
    done.wait()
    return done.pid


@pytest.fixture
def engines(tmp_path: Path) -> Engines:
    return Engines(tmp_path / "engines" / "core")


def test_the_lock_of_a_dead_process_of_this_machine_is_taken_away(tmp_path: Path, engines: Engines) -> None:
    state = states(tmp_path / "state")
    lock(state, pid=dead_pid(), host=socket.gethostname(), since=NOW)
    assert [owner.user for owner in release(state, engines)] == ["ops"]
    assert state.locks("core") == ()


def test_a_process_that_began_after_the_lock_is_not_its_owner(tmp_path: Path) -> None:
    state = states(tmp_path)
    lock(state, pid=os.getpid(), host=socket.gethostname(), since=NOW - timedelta(days=365))
    assert state.locks("core")[0].is_dead()


def test_a_process_whose_end_nobody_has_asked_for_yet_is_gone(tmp_path: Path) -> None:
    state = states(tmp_path)
    ended = subprocess.Popen(["/bin/true"])
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
    lock(state, pid=ended.pid, host=socket.gethostname(), since=NOW)
    assert state.locks("core")[0].is_dead()
    ended.wait()


def test_the_lock_of_a_living_process_is_shown_and_left_alone(tmp_path: Path, engines: Engines) -> None:
    state = states(tmp_path / "state")
    lock(state, pid=dead_pid(), host=socket.gethostname(), since=NOW - timedelta(minutes=9))
    lock(state, pid=os.getpid(), host=socket.gethostname(), since=NOW + timedelta(seconds=1))
    with pytest.raises(Locked) as caught:
        release(state, engines, NOW + timedelta(minutes=3, seconds=5))
    assert caught.value.message == (
        f"core: its stack is locked by ops, pid {os.getpid()} on {socket.gethostname()}, for 3 min 4 s"
    )
    assert len(state.locks("core")) == 2


@pytest.mark.parametrize("is_shared", [False, True])
def test_the_lock_of_another_machine_is_never_taken_away(tmp_path: Path, engines: Engines, *, is_shared: bool) -> None:
    state = states(tmp_path / "state", is_shared=is_shared)
    pid = dead_pid()
    engines.begun(pid)
    key = lock(state, pid=pid, host="elsewhere", since=NOW)
    with pytest.raises(Locked) as caught:
        release(state, engines)
    assert caught.value.hint == (
        "wait for it to end; if that process is surely gone, `leptonctl state unlock SITE core` takes the lock away "
        f"({tmp_path}/state/{key})"
    )
    assert [owner.pid for owner in state.locks("core")] == [pid]


def test_a_shared_lock_under_this_machines_name_is_its_own_only_where_it_remembers_the_process(
    tmp_path: Path, engines: Engines
) -> None:
    state = states(tmp_path / "state", is_shared=True)
    pid = dead_pid()
    lock(state, pid=pid, host=socket.gethostname(), since=NOW)
    with pytest.raises(Locked):
        release(state, engines)
    engines.begun(pid)
    assert [owner.pid for owner in release(state, engines)] == [pid]
    assert not engines.knows(pid)
    assert state.locks("core") == ()


def test_an_engine_that_ended_well_is_forgotten(engines: Engines) -> None:
    engines.ended(1)
    engines.begun(1)
    engines.begun(2)
    engines.ended(1)
    assert (engines.knows(1), engines.knows(2)) == (False, True)


def test_a_lock_that_is_not_understood_is_no_free_stack(tmp_path: Path) -> None:
    state = states(tmp_path)
    key = lock(state, pid=1, host="x", since=NOW)
    state.store.write(key, b"{}")
    with pytest.raises(PlatformFailed) as caught:
        state.locks("core")
    assert caught.value.message == f"the engine's lock {tmp_path}/{key} was not understood (KeyError: 'timestamp')"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min 0 s"), (3661, "1 h 1 min"), (90000, "1 d 1 h"), (-5, "0 s")],
)
def test_an_age_is_told_in_its_two_largest_units(seconds: int, text: str) -> None:
    assert age(NOW, NOW - timedelta(seconds=seconds)) == text


def test_what_a_dead_engine_left_at_work_is_ended_and_nothing_of_a_living_one(tmp_path: Path) -> None:
    state = states(tmp_path)
    engine = subprocess.Popen(["/bin/bash", "-c", "sleep 600 & echo $!; wait"], start_new_session=True,
                              stdout=subprocess.PIPE, text=True)  # fmt: skip
    assert engine.stdout is not None
    left = int(engine.stdout.readline())
    lock(state, pid=engine.pid, host=socket.gethostname(), since=datetime.now(UTC))
    owner = state.locks("core")[0]
    assert end_orphans(owner) == ()
    os.kill(engine.pid, signal.SIGKILL)
    engine.wait()
    assert end_orphans(replace(owner, host="elsewhere")) == ()
    assert end_orphans(owner) == (left,)
    # Its pipe ends with it.
    assert engine.stdout.read() == ""
    engine.stdout.close()


def test_when_an_engine_was_at_work_last_is_remembered_until_it_has_ended_well(engines: Engines) -> None:
    assert engines.last_seen() is None
    engines.begun(1)
    os.utime(engines.folder / "1", (1000, 1000))
    assert engines.last_seen() == datetime.fromtimestamp(1000, UTC)
    engines.alive(1)
    assert (engines.last_seen() or NOW) > NOW - timedelta(minutes=1)
    engines.ended(1)
    assert engines.last_seen() is None
