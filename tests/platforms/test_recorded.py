"""What the real engine does and says when it is disturbed, as it was recorded: locks, pending operations, messages."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from leptonctl.errors import Interrupted, Locked, PlatformFailed
from leptonctl.platforms.aws_adopting import marks_of
from leptonctl.platforms.aws_cloud import AwsCloud
from leptonctl.platforms.aws_pending import Look, settle
from leptonctl.platforms.pulumi_failures import AGAIN, Attempt, failure_of
from leptonctl.platforms.pulumi_pending import pending_operations, with_adopted, with_unanswered
from leptonctl.platforms.pulumi_state import States
from leptonctl.platforms.state_store import FolderStore
from leptonctl.progress import silent
from tests.platforms.marks import REGION, start
from tests.platforms.recordings import recording
from tests.platforms.test_pulumi_engine import EndedBadlyError, command

if TYPE_CHECKING:
    from pathlib import Path

ATTEMPT = Attempt(where="core", what="up", sealed_from="state.passphrase", is_interrupted=False)


def nobody() -> str:
    raise AssertionError("nobody is asked who holds the stack")


def test_a_stack_that_is_locked_is_told_with_its_owner() -> None:
    failed = failure_of(recording("locked").printed, ATTEMPT, lambda: "ops, pid 4711 on runner-7, for 3 s")
    assert isinstance(failed, Locked)
    assert failed.message == ("core: its stack was locked while this run began, by ops, pid 4711 on runner-7, for 3 s")


def test_an_engine_that_ended_because_it_was_asked_to_is_no_failure() -> None:
    interrupted = recording("interrupted")
    steps = interrupted.told()
    attempt = replace(ATTEMPT, is_interrupted=True, told=steps.errors)
    failed = failure_of(interrupted.printed, attempt, nobody)
    assert isinstance(failed, Interrupted)
    assert failed.message == "core: interrupted; what was begun has been brought to its end"
    # It waits for what it has begun: that is in its state, and nothing is left pending.
    assert steps.unanswered == ()
    assert pending_operations(interrupted.state) == ()
    names = {one["urn"].rpartition("::")[2] for one in interrupted.state["deployment"]["resources"]}
    assert {"box-1", "box-2"} <= names


def test_an_engine_that_was_killed_says_nothing() -> None:
    failed = failure_of(recording("killed").printed, ATTEMPT, nobody)
    assert isinstance(failed, PlatformFailed)
    assert failed.message.startswith("core: the engine failed at up: ")


def test_a_provider_that_died_is_told_with_what_it_was_making_and_what_to_do() -> None:
    crashed = recording("crashed")
    steps = crashed.told()
    names = sorted(one.name for one in steps.unanswered)
    assert "box-1" in names
    attempt = replace(ATTEMPT, told=steps.errors, unanswered=names)
    failed = failure_of(crashed.printed, attempt, nobody)
    assert isinstance(failed, PlatformFailed)
    assert failed.message == (
        f"core: the engine's plug-in for AWS died while it was making {', '.join(names)}, and nobody knows yet how "
        "that ended"
    )
    assert failed.hint == AGAIN
    assert [(one.message, one.hint, one.where) for one in failed.problems] == [
        (f"{name}: error reading from server: EOF", AGAIN, "core") for name in names
    ]


def test_what_got_no_answer_is_pending_and_goes_before_everything_else() -> None:
    crashed = recording("crashed")
    # The engine itself has forgotten them.
    assert pending_operations(crashed.state) == ()
    unanswered = crashed.told().unanswered
    kept = with_unanswered(crashed.state, unanswered)
    assert pending_operations(kept) == tuple(replace(one, parent="", provider="") for one in unanswered)
    urns = {one["urn"] for one in kept["deployment"]["resources"]}
    for one in kept["deployment"]["pending_operations"]:
        resource = one["resource"]
        assert {resource["parent"].rpartition("::")[2]} == {"box"}
        assert resource["provider"].rpartition("::")[0] in urns
        assert {urn.rpartition("::")[2] for urn in resource["dependencies"]} >= {"network-vpc"}
        assert "userData" not in resource["inputs"], "of a secret the events have only a mask"
    machines = [
        one["resource"] for one in kept["deployment"]["pending_operations"] if "tags" in one["resource"]["inputs"]
    ]
    assert [one["inputs"]["tags"]["leptonctl:address"] for one in machines] == ["core/box-1"]
    assert with_unanswered(kept, unanswered) == kept


def test_a_lock_of_the_real_engine_is_understood(tmp_path: Path) -> None:
    state = States(FolderStore(tmp_path), "thin")
    state.store.write(".pulumi/locks/organization/thin/core/1.json", json.dumps(recording("killed").lock).encode())
    owner = state.locks("core")[0]
    assert (owner.pid, owner.user, owner.host) == (4711, "ops", "runner-7")
    assert owner.text(owner.since + timedelta(seconds=61)) == "ops, pid 4711 on runner-7, for 1 min 1 s"


def test_a_state_of_a_killed_engine_gets_what_it_made_and_loses_nothing() -> None:
    state = recording("killed").state
    operations = pending_operations(state)
    assert {(one.kind, one.name) for one in operations} == {("creating", "box-1"), ("creating", "box-2")}
    before = [one["urn"] for one in state["deployment"]["resources"]]
    adopted = with_adopted(state, {one.urn: f"i-{one.name}" for one in operations})
    assert pending_operations(adopted) == ()
    found = adopted["deployment"]["resources"]
    assert [one["urn"] for one in found[: len(before)]] == before
    made = {one["id"]: one for one in found[len(before) :]}
    assert set(made) == {"i-box-1", "i-box-2"}
    for one in made.values():
        # What it was made with, and after what, is as the engine had written it down.
        assert one["outputs"] == one["inputs"]
        assert one["inputs"]["userData"]["ciphertext"] == "scrubbed"
        assert one["dependencies"]
        assert one["provider"]
    assert {**adopted["deployment"], "resources": 0} == {
        **{name: value for name, value in state["deployment"].items() if name != "pending_operations"},
        "resources": 0,
    }


def test_the_machines_of_a_killed_engine_are_found_by_the_marks_in_its_state(ec2: Any) -> None:
    state = recording("killed").state
    ids = {one.name: start(ec2, marks_of(one.inputs)) for one in pending_operations(state)}
    settled = settle(state, AwsCloud(REGION), "core", Look(None), silent)
    assert settled is not None
    found = {one["urn"].rpartition("::")[2]: one.get("id") for one in settled["deployment"]["resources"]}
    assert ids.items() <= found.items()


def test_one_signal_is_forwarded_and_what_the_engine_then_says_is_told_as_an_interruption(tmp_path: Path) -> None:
    printed = tmp_path / "printed"
    printed.write_text(recording("interrupted").printed)
    found: list[str] = []
    told = threading.Event()
    own = command("ends-as-recorded")

    def run() -> None:
        try:
            own.run(["up"], str(tmp_path), {"RECORDED_FILE": str(printed)}, lambda _: told.set())
        except EndedBadlyError as error:
            found.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    assert told.wait(30)
    own.interrupt()
    thread.join(30)
    assert not thread.is_alive()
    attempt = Attempt(where="core", what="up", sealed_from="", is_interrupted=own.is_interrupted)
    assert isinstance(failure_of(found[0], attempt, str), Interrupted)
