"""An engine that is killed or asked to end in the middle: what it made is found again, and nothing is made twice.

Only the real engine can show this.
"""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from leptonctl.errors import Interrupted, LeptonError, Locked, PlatformFailed
from leptonctl.planning.plan import Action
from leptonctl.platforms.pulumi_pending import pending_operations
from leptonctl.progress import Progress, silent
from tests.engine.double.provider import SLOW_VARIABLE
from tests.engine.machines import is_as_planned
from tests.engine.sites import core_of, open_site, platform_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from leptonctl.planning.desired import DesiredLocation
    from leptonctl.platforms.aws import AwsPlatform
    from leptonctl.platforms.pulumi_locks import LockOwner
    from leptonctl.platforms.pulumi_state import States

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


@dataclass(frozen=True)
class Slow:
    """The core of a site that is being made so slowly that there is time to do harm."""

    platform: AwsPlatform
    core: DesiredLocation
    attempt: Attempt

    @property
    def state(self) -> States:
        return self.platform.stacks.states


@pytest.fixture
def slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Slow:
    session = open_site("thin", tmp_path)
    platform, core = platform_of(session), core_of(session)
    with monkeypatch.context() as patch:
        # An engine takes its environment with it at its start.
        patch.setenv(SLOW_VARIABLE, SLOW)
        attempt = Attempt(platform, core)
        wait_for(lambda: platform.stacks.states.locks("core"))
    return Slow(platform, core, attempt)


def plugins_of(owner: LockOwner) -> list[int]:
    """The processes that an engine has begun and that still live."""
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [pid for pid in pids if pid != owner.pid and session_of(pid) == owner.pid]


def session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None


def unfinished(slow: Slow) -> set[str]:
    return {one.name for one in pending_operations(slow.state.read("core") or {})}


def test_after_a_kill_the_lock_goes_what_was_made_is_adopted_and_nothing_is_made_twice(
    slow: Slow, tmp_path: Path
) -> None:
    wait_for(lambda: len(instances()) == 2)
    owner = slow.state.locks("core")[0]
    os.kill(owner.pid, signal.SIGKILL)
    assert isinstance(slow.attempt.end(), PlatformFailed)
    assert owner.is_dead()
    assert unfinished(slow) == {"box-1", "box-2"}
    at_work = plugins_of(owner)
    assert at_work
    before = set(instances())

    told: list[Progress] = []
    again = open_site("thin", tmp_path)
    made = platform_of(again).ensure(core_of(again), told.append)
    assert is_as_planned(again, made)
    assert set(instances()) == before
    wait_for(lambda: not plugins_of(owner))
    warnings = [progress.message for progress in told if progress.state == "warning"]
    assert warnings[0].startswith("the lock of a process that is gone was taken away (")
    assert warnings[1] == f"what it had left at work was ended (pid {', '.join(map(str, at_work))})"
    adopted = re.compile(r"creating (box-[12]) was interrupted: i-\w+ was found and is adopted")
    assert sorted(adopted.sub(r"\1", line) for line in warnings[2:]) == ["box-1", "box-2"]
    assert {change.action for change in platform_of(again).preview(core_of(again))} == {Action.KEEP}


def test_one_interrupt_ends_well_and_the_next_run_goes_on_from_there(slow: Slow, tmp_path: Path) -> None:
    wait_for(lambda: len(instances()) == 2)
    slow.platform.interrupt()
    slow.platform.interrupt()
    error = slow.attempt.end()
    assert isinstance(error, Interrupted)
    assert error.message == "core: interrupted; what was begun has been brought to its end"
    assert slow.state.locks("core") == ()
    assert unfinished(slow) == set()

    before = set(instances())
    again = open_site("thin", tmp_path)
    assert is_as_planned(again, platform_of(again).ensure(core_of(again), silent))
    assert set(instances()) == before


def test_a_lock_of_a_living_process_is_shown_with_its_owner_and_left_alone(slow: Slow, tmp_path: Path) -> None:
    owner = slow.state.locks("core")[0]
    with pytest.raises(Locked) as caught:
        platform_of(open_site("thin", tmp_path)).ensure(slow.core, silent)
    assert caught.value.message.startswith(
        f"core: its stack is locked by {owner.user}, pid {owner.pid} on {owner.host}"
    )
    assert slow.state.locks("core") == (owner,)
    assert owner.is_alive()
    assert slow.attempt.end() is None
