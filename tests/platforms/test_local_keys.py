from __future__ import annotations

import io
import stat
import tarfile
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from leptonctl.errors import PlatformFailed, PreflightFailed
from leptonctl.platforms.local_keys import ensure_site_key, new_host_key, planted_files, read_site_key, site_key_path

if TYPE_CHECKING:
    from pathlib import Path


def mode(path: Path) -> str:
    return oct(stat.S_IMODE(path.stat().st_mode))


def test_a_site_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    state = tmp_path / "state"
    key = ensure_site_key(state)
    assert ensure_site_key(state) == key == read_site_key(state)
    assert key.public.startswith("ssh-ed25519 AAAA")
    assert key.fingerprint.startswith("SHA256:")
    assert [mode(path) for path in (state, state / "ssh", key.path)] == ["0o700", "0o700", "0o600"]
    assert [path.name for path in (state / "ssh").iterdir()] == ["id_ed25519"]


def test_runs_at_the_same_time_come_to_the_same_site_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(max_workers=4) as pool:
        keys = {key.public for key in pool.map(ensure_site_key, [tmp_path] * 4)}
    assert len(keys) == 1


def test_reading_makes_no_site_key(tmp_path: Path) -> None:
    assert read_site_key(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_site_key_that_cannot_be_used_is_told_and_left_alone(tmp_path: Path) -> None:
    path = site_key_path(tmp_path)
    path.parent.mkdir()
    path.write_text("not a key\n")
    path.chmod(0o600)
    with pytest.raises(PlatformFailed) as caught:
        ensure_site_key(tmp_path)
    assert caught.value.message.startswith(f"the site's SSH key {path} cannot be used: ")
    assert caught.value.hint == "move the file away; `leptonctl up` then makes a new key and plants it on the hosts"
    assert path.read_text() == "not a key\n"


def test_without_ssh_keygen_the_error_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PreflightFailed) as caught:
        ensure_site_key(tmp_path)
    assert caught.value.message == "ssh-keygen is not installed"
    assert caught.value.hint == "install it: sudo apt-get install --yes openssh-client"


def test_every_host_key_is_another_one_and_stays_nowhere_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert new_host_key().public != new_host_key().public
    assert list(tmp_path.iterdir()) == []


def test_planted_files_are_roots_and_the_private_key_is_for_root_alone(tmp_path: Path) -> None:
    host_key, site_key = new_host_key(), ensure_site_key(tmp_path)
    with tarfile.open(fileobj=io.BytesIO(planted_files(host_key, site_key))) as archive:
        entries = {entry.name: (oct(entry.mode), entry.uid, entry.gid) for entry in archive}
        authorized = archive.extractfile("root/.ssh/authorized_keys")
        assert authorized is not None
        assert authorized.read().decode() == f"{site_key.public} leptonctl\n"
    assert entries == {
        "root/.ssh": ("0o700", 0, 0),
        "root/.ssh/authorized_keys": ("0o600", 0, 0),
        "etc/ssh/ssh_host_ed25519_key": ("0o600", 0, 0),
        "etc/ssh/ssh_host_ed25519_key.pub": ("0o644", 0, 0),
    }


def test_planting_again_touches_no_host_key(tmp_path: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(planted_files(None, ensure_site_key(tmp_path)))) as archive:
        assert archive.getnames() == ["root/.ssh", "root/.ssh/authorized_keys"]
