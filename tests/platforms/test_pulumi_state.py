from __future__ import annotations

import json
import os
import socket
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from leptonctl.errors import Locked, PlatformFailed
from leptonctl.platforms.pulumi_state import (
    KEPT_EXPORTS,
    StateFolder,
    pending_operations,
    release_dead_locks,
    with_adopted,
)

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime.now(UTC)
URN = "urn:pulumi:core::thin::leptonctl:nodegroup:NodeGroup$aws:ec2/instance:Instance::box-1"


def lock(state: StateFolder, *, pid: int, host: str, since: datetime) -> Path:
    """A lock as the engine writes it."""
    folder = state.folder / ".pulumi" / "locks" / "organization" / "thin" / "core"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{pid}.json"
    told = {"pid": pid, "username": "ops", "hostname": host, "timestamp": since.isoformat()}
    path.write_text(json.dumps(told))
    return path


def dead_pid() -> int:
    done = subprocess.Popen(["/bin/true"])
    done.wait()
    return done.pid


def test_the_lock_of_a_dead_process_of_this_machine_is_taken_away(tmp_path: Path) -> None:
    state = StateFolder(tmp_path, "thin")
    path = lock(state, pid=dead_pid(), host=socket.gethostname(), since=NOW)
    assert [owner.user for owner in release_dead_locks(state.locks("core"), "core", NOW)] == ["ops"]
    assert not path.exists()


def test_a_process_that_began_after_the_lock_is_not_its_owner(tmp_path: Path) -> None:
    state = StateFolder(tmp_path, "thin")
    lock(state, pid=os.getpid(), host=socket.gethostname(), since=NOW - timedelta(days=365))
    assert state.locks("core")[0].is_dead()


def test_the_lock_of_a_living_process_is_shown_and_left_alone(tmp_path: Path) -> None:
    state = StateFolder(tmp_path, "thin")
    dead = lock(state, pid=dead_pid(), host=socket.gethostname(), since=NOW - timedelta(minutes=9))
    living = lock(state, pid=os.getpid(), host=socket.gethostname(), since=NOW + timedelta(seconds=1))
    with pytest.raises(Locked) as caught:
        release_dead_locks(state.locks("core"), "core", NOW + timedelta(minutes=3, seconds=5))
    assert caught.value.message == (
        f"core: its stack is locked by ops, pid {os.getpid()} on {socket.gethostname()}, for 3 min 4 s"
    )
    assert dead.exists()
    assert living.exists()


def test_the_lock_of_another_machine_is_never_taken_away(tmp_path: Path) -> None:
    state = StateFolder(tmp_path, "thin")
    path = lock(state, pid=dead_pid(), host="elsewhere", since=NOW)
    with pytest.raises(Locked) as caught:
        release_dead_locks(state.locks("core"), "core", NOW)
    assert caught.value.hint == (
        f"wait for it to end; if that process is surely gone on the other machine, remove {path}"
    )


def test_a_lock_that_is_not_understood_is_no_free_stack(tmp_path: Path) -> None:
    state = StateFolder(tmp_path, "thin")
    lock(state, pid=1, host="x", since=NOW).write_text("{}")
    with pytest.raises(PlatformFailed, match="was not understood"):
        state.locks("core")


def test_the_newest_copies_of_a_state_are_kept_for_their_owner_only(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "pulumi", "thin")
    state.make("core")
    paths = [state.keep("core", {"version": 3, "deployment": {"n": number}}) for number in range(KEPT_EXPORTS + 3)]
    left = sorted((tmp_path / "pulumi" / "exports").iterdir())
    assert left == paths[-KEPT_EXPORTS:]
    assert {path.stat().st_mode & 0o777 for path in left} == {0o600}
    assert state.folder.stat().st_mode & 0o777 == 0o700


def test_the_passphrase_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "pulumi", "thin")
    state.make("core")
    text = state.passphrase_file.read_text()
    state.make("regions.west")
    assert state.passphrase_file.read_text() == text
    assert len(text) > 30
    assert state.passphrase_file.stat().st_mode & 0o777 == 0o600


def interrupted(*kinds: str) -> dict[str, Any]:
    """A state with operations that were begun, in the form in which the real engine (3.260) leaves it."""
    resource = {"urn": URN, "custom": True, "type": "aws:ec2/instance:Instance", "inputs": {"ami": "ami-1"}}
    vpc = {"urn": "urn:pulumi:core::thin::aws:ec2/vpc:Vpc::v", "custom": True, "type": "aws:ec2/vpc:Vpc", "id": "vpc-1"}
    pending = [{"resource": resource, "type": kind} for kind in kinds]
    return {"version": 3, "deployment": {"resources": [vpc], "pending_operations": pending}}


def test_what_an_interrupted_creation_made_is_adopted_behind_everything_else() -> None:
    state = interrupted("creating")
    assert [one.name for one in pending_operations(state)] == ["box-1"]
    adopted = with_adopted(state, {URN: "i-1"})
    assert pending_operations(adopted) == ()
    assert [(one["id"], one.get("outputs")) for one in adopted["deployment"]["resources"]] == [
        ("vpc-1", None),
        ("i-1", {"ami": "ami-1"}),
    ]
    assert "pending_operations" in state["deployment"]


@pytest.mark.parametrize("kind", ["updating", "deleting", "creating"])
def test_other_operations_and_what_was_not_found_are_only_forgotten(kind: str) -> None:
    adopted = with_adopted(interrupted(kind), {} if kind == "creating" else {URN: "i-1"})
    assert [one["id"] for one in adopted["deployment"]["resources"]] == ["vpc-1"]
    assert pending_operations(adopted) == ()
