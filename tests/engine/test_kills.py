"""An engine that is killed or asked to end in the middle: what it made is found again, and nothing is made twice.

Only the real engine can show this.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from leptonctl.errors import Interrupted, LeptonError, Locked, PlatformFailed
from leptonctl.planning.plan import Action
from leptonctl.planning.resources import resource_changes
from leptonctl.platforms.pulumi_pending import pending_operations
from leptonctl.progress import Progress, silent
from tests.engine.double.provider import SLOW_VARIABLE
from tests.engine.sites import core_of, open_site, platform_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from leptonctl.platforms.aws import AwsPlatform

pytestmark = [
    pytest.mark.engine,
    pytest.mark.usefixtures("real_engine", "aws", "swept"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
REGION = "eu-central-1"
SLOW = json.dumps({"aws:ec2/instance:Instance": 3, "aws:ec2/vpc:Vpc": 0.5})


class Attempt:
    """`ensure` of the core in a thread, and how it ended."""

    def __init__(self, platform: AwsPlatform, core: Any) -> None:
        self.error: LeptonError | None = None
        self._thread = threading.Thread(target=self._run, args=(platform, core))
        self._thread.start()

    def _run(self, platform: AwsPlatform, core: Any) -> None:
        try:
            platform.ensure(core, silent)
        except LeptonError as error:
            self.error = error

    def end(self) -> LeptonError | None:
        self._thread.join(timeout=120)
        assert not self._thread.is_alive()
        return self.error


def wait_for(what: Callable[[], object], *, limit_s: float = 60) -> None:
    end = time.monotonic() + limit_s
    while not what():
        assert time.monotonic() < end, "it did not come"
        threading.Event().wait(0.05)


def instances() -> list[str]:
    found = boto3.client("ec2", region_name=REGION).describe_instances()["Reservations"]
    return [one["InstanceId"] for group in found for one in group["Instances"] if one["State"]["Name"] != "terminated"]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_after_a_kill_the_lock_goes_what_was_made_is_adopted_and_nothing_is_made_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = open_site("thin", tmp_path)
    platform, core = platform_of(session), core_of(session)
    state = platform.stacks.states
    monkeypatch.setenv(SLOW_VARIABLE, SLOW)
    attempt = Attempt(platform, core)
    wait_for(lambda: len(instances()) == 2)
    owner = state.locks("core")[0]
    os.kill(owner.pid, signal.SIGKILL)
    assert isinstance(attempt.end(), PlatformFailed)
    assert owner.is_dead()
    waiting = {one.name for one in pending_operations(state.read("core") or {})}
    assert waiting == {"box-1", "box-2"}
    monkeypatch.delenv(SLOW_VARIABLE)
    before = set(instances())

    told: list[Progress] = []
    made = platform.ensure(core, told.append)
    assert all(change.action is Action.KEEP for change in resource_changes(core, made))
    assert set(instances()) == before
    warnings = [progress.message for progress in told if progress.state == "warning"]
    assert warnings[0].startswith("the lock of a process that is gone was taken away (")
    assert sorted(line.partition(": ")[0] for line in warnings[1:]) == [
        "creating box-1 was interrupted",
        "creating box-2 was interrupted",
    ]
    assert all(line.endswith("was found and is adopted") for line in warnings[1:])
    assert {change.action for change in platform.preview(core)} == {Action.KEEP}


def test_one_interrupt_ends_well_and_the_next_run_goes_on_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = open_site("thin", tmp_path)
    platform, core = platform_of(session), core_of(session)
    state = platform.stacks.states
    monkeypatch.setenv(SLOW_VARIABLE, SLOW)
    attempt = Attempt(platform, core)
    wait_for(lambda: len(instances()) == 2)
    platform.interrupt()
    platform.interrupt()
    error = attempt.end()
    assert isinstance(error, Interrupted)
    assert error.message == "core: interrupted; what was begun has been brought to its end"
    assert state.locks("core") == ()
    assert pending_operations(state.read("core") or {}) == ()
    monkeypatch.delenv(SLOW_VARIABLE)

    before = set(instances())
    again = open_site("thin", tmp_path)
    made = platform_of(again).ensure(core_of(again), silent)
    assert all(change.action is Action.KEEP for change in resource_changes(core, made))
    assert set(instances()) == before


def test_a_lock_of_a_living_process_is_shown_with_its_owner_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = open_site("thin", tmp_path)
    platform, core = platform_of(session), core_of(session)
    state = platform.stacks.states
    monkeypatch.setenv(SLOW_VARIABLE, SLOW)
    attempt = Attempt(platform, core)
    wait_for(lambda: state.locks("core"))
    owner = state.locks("core")[0]
    with pytest.raises(Locked) as caught:
        platform_of(open_site("thin", tmp_path)).ensure(core, silent)
    assert caught.value.message.startswith(
        f"core: its stack is locked by {owner.user}, pid {owner.pid} on {owner.host}"
    )
    assert state.locks("core") == (owner,)
    assert alive(owner.pid)
    assert attempt.end() is None
