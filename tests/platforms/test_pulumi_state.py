from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from leptonctl import __version__
from leptonctl.errors import ExitCode, PlatformFailed, Refused
from leptonctl.platforms.pulumi_state import FORMAT, KEPT_COPIES, States
from leptonctl.platforms.state_store import FolderStore
from tests.platforms.test_state_store import store

if TYPE_CHECKING:
    from pathlib import Path

    from leptonctl.platforms.state_store import Store

__all__ = ["store"]


def put(states: States, stack: str, latest: object) -> None:
    text = json.dumps({"version": 3, "checkpoint": {"stack": stack, "latest": latest}})
    states.store.write(states.key(stack), text.encode())


def test_the_stacks_of_a_site_are_those_with_a_state(store: Store) -> None:
    states = States(store, "thin")
    assert (states.kept(), states.exists("core"), states.read("core")) == ({}, False, None)
    put(states, "core", {"resources": []})
    put(states, "regions.west", None)
    put(States(store, "thin-2"), "edges.shop", {})
    store.write(".pulumi/stacks/thin/core.json.bak", b"{}")
    assert list(states.kept()) == ["core", "regions.west"]
    assert (states.exists("core"), states.exists("cor")) == (True, False)
    assert states.read("core") == {"version": 3, "deployment": {"resources": []}}
    assert states.read("regions.west") is None


def test_what_is_written_in_place_of_a_state_leaves_the_rest_of_it_as_it_is(store: Store) -> None:
    states = States(store, "thin")
    text = {"version": 3, "features": ["refreshBeforeUpdate"], "checkpoint": {"stack": "organization/thin/core"}}
    store.write(states.key("core"), json.dumps(text).encode())
    state = {"version": 3, "deployment": {"resources": [], "pending_operations": [{"type": "creating"}]}}
    states.write("core", state)
    assert states.read("core") == state
    kept = json.loads(store.read(states.key("core")) or b"")
    assert (kept["features"], kept["checkpoint"]["stack"]) == (["refreshBeforeUpdate"], "organization/thin/core")


def test_what_is_noted_beside_a_state_is_no_stack_and_goes_with_it(store: Store) -> None:
    states = States(store, "thin")
    assert states.fingerprint("core") is None
    states.note_fingerprint("core", "abc")
    states.note_fingerprint("regions.west", "def")
    assert (states.fingerprint("core"), states.kept()) == ("abc", {})
    states.forget("core")
    states.forget("core")
    assert (states.fingerprint("core"), states.fingerprint("regions.west")) == (None, "def")


def test_a_state_that_is_not_understood_is_no_empty_one(tmp_path: Path) -> None:
    states = States(FolderStore(tmp_path), "thin")
    states.store.write(states.key("core"), b"nonsense")
    with pytest.raises(PlatformFailed) as caught:
        states.read("core")
    assert caught.value.message.startswith(f"the state {states.place('core')} was not understood (JSONDecodeError: ")
    assert caught.value.hint == f"put a copy of it back: they are in {tmp_path}/copies/thin/core"


def test_the_newest_copies_of_a_state_are_kept_and_those_of_other_stacks_left_alone(store: Store) -> None:
    states = States(store, "thin")
    other = states.keep("core-2", {"n": "other"})
    places = [states.keep("core", {"n": number}) for number in range(KEPT_COPIES + 3)]
    assert [store.place(one.key) for one in states.copies("core")] == places[-KEPT_COPIES:]
    assert json.loads(store.read(states.copies("core")[-1].key) or b"") == {"n": KEPT_COPIES + 2}
    assert [store.place(one.key) for one in states.copies("core-2")] == [other]


def test_states_that_a_newer_leptonctl_wrote_are_refused(store: Store) -> None:
    states = States(store, "thin")
    states.refuse_newer()
    states.mark()
    states.refuse_newer()
    key = "leptonctl/thin.json"
    assert json.loads(store.read(key) or b"") == {"format": FORMAT, "leptonctl": __version__}
    store.write(key, json.dumps({"format": FORMAT + 1, "leptonctl": "9.1.0", "more": [1]}).encode())
    with pytest.raises(Refused) as caught:
        states.refuse_newer()
    assert caught.value.exit_code == ExitCode.REFUSED
    assert caught.value.message == (
        f"the states of site thin were written by leptonctl 9.1.0, in a format (in {store.place(key)}) that leptonctl "
        f"{__version__} does not know"
    )
    assert caught.value.hint == "install leptonctl 9.1.0 or newer; nothing was touched"
    store.write(key, b"nonsense")
    with pytest.raises(Refused, match="written by leptonctl unknown"):
        states.refuse_newer()
