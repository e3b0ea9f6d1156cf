from __future__ import annotations

import gc
import json
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from leptonctl.errors import PlatformFailed, Refused
from leptonctl.platforms.key_sealing import PassphraseSealer
from leptonctl.platforms.local_keys import ensure_site_key, read_site_key, site_key_path
from leptonctl.platforms.site_keys import SiteKeys
from leptonctl.platforms.state_store import FolderStore

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class FakeSharedStore(FolderStore):
    """A folder in place of a bucket; it knows nothing of accounts, versions or denials."""

    @property
    def is_shared(self) -> bool:
        return True


@pytest.fixture
def store(tmp_path: Path) -> FakeSharedStore:
    return FakeSharedStore(tmp_path / "bucket")


def machine(name: str, store: FolderStore) -> tuple[SiteKeys, Path]:
    """The site's keys on another machine, and its state folder."""
    state_dir = store.folder.parent / name
    return SiteKeys("demo", state_dir, store, lambda: PassphraseSealer("correct horse", "state.passphrase")), state_dir


def test_every_machine_gets_the_key_that_the_first_one_made(store: FakeSharedStore) -> None:
    (first, _), (second, state_dir) = machine("first", store), machine("second", store)
    made = first.ensure()
    taken = second.ensure()
    assert taken.public == made.public
    assert taken.path == site_key_path(state_dir)
    assert taken.path.read_bytes() == made.path.read_bytes()
    assert stat.S_IMODE(taken.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(taken.path.parent.stat().st_mode) == 0o700
    kept = (store.folder / "keys" / "demo.json").read_text()
    assert json.loads(kept)["public"] == made.public
    assert "PRIVATE KEY" not in kept


def test_a_look_borrows_the_key_and_leaves_nothing_behind(store: FakeSharedStore) -> None:
    made = machine("first", store)[0].ensure()
    keys, state_dir = machine("second", store)
    assert keys.public() == made.public
    path = keys.path()
    assert path.read_bytes() == made.path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert keys.path() == path
    assert not state_dir.exists()
    del keys
    gc.collect()
    assert not path.parent.exists()


def test_before_there_is_a_key_a_look_names_its_place_and_makes_none(store: FakeSharedStore) -> None:
    keys, state_dir = machine("first", store)
    assert keys.public() is None
    assert keys.path() == site_key_path(state_dir)
    assert not state_dir.exists()
    assert not store.folder.exists()


def test_a_key_that_was_there_before_states_were_shared_is_shared_as_it_is(store: FakeSharedStore) -> None:
    keys, state_dir = machine("first", store)
    own = ensure_site_key(state_dir)
    assert keys.ensure().public == own.public
    assert machine("second", store)[0].ensure().public == own.public


def test_another_key_on_this_machine_is_refused(store: FakeSharedStore) -> None:
    machine("first", store)[0].ensure()
    keys, state_dir = machine("second", store)
    own = ensure_site_key(state_dir)
    with pytest.raises(Refused) as caught:
        keys.ensure()
    assert caught.value.message == (
        f"the site's SSH key on this machine, {own.path}, is not the one in {store.folder}/keys/demo.json, which lets "
        "everybody else in"
    )
    assert caught.value.hint == "move the file away: the next `up` takes the shared one"
    assert read_site_key(state_dir) == own


def test_a_key_that_is_sealed_otherwise_or_not_understood_is_told(store: FakeSharedStore) -> None:
    machine("first", store)[0].ensure()
    place = store.folder / "keys" / "demo.json"
    told = json.loads(place.read_text())
    place.write_text(json.dumps({**told, "sealed_by": "kms"}))
    keys, state_dir = machine("second", store)
    with pytest.raises(Refused, match="is sealed with kms, and the site file says passphrase"):
        keys.ensure()
    place.write_text("{}")
    with pytest.raises(PlatformFailed, match="was not understood"):
        keys.ensure()
    assert not site_key_path(state_dir).exists()


def test_states_that_are_files_share_nothing(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "pulumi")
    keys, state_dir = machine("only", store)
    assert keys.ensure() == read_site_key(state_dir)
    assert keys.path() == site_key_path(state_dir)
    assert not store.folder.exists()
