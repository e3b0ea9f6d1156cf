"""What is published for a box: all that it needs, and nothing that it may not have."""

import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from leptonctl.errors import PreflightFailed
from leptonctl.hosts.manifest import role_source
from leptonctl.hosts.published import state_archive
from leptonctl.hosts.signing import public_key, sign
from leptonctl.hosts.target import Target
from leptonctl.planning.desired import DesiredRole
from leptonctl.planning.observed import Endpoint
from leptonctl.sitefile.software import SETTINGS

SERIAL = 1_700_000_000


def target() -> Target:
    roles = tuple(DesiredRole(name, SETTINGS[name]().model_dump(mode="json")) for name in ("base", "edge"))
    endpoint = Endpoint("192.0.2.1", host_keys=("ssh-ed25519 AAAA",))
    return Target("edges/shop/box-1", "box-1", "edges/shop", "edge", endpoint, roles)


@pytest.fixture(scope="module")
def archive() -> bytes:
    return state_archive(target(), recorded=target(), site="demo", serial=SERIAL)


@pytest.fixture(scope="module")
def unpacked(archive: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("state")
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    return folder


def test_the_same_state_is_the_same_bytes(archive: bytes) -> None:
    assert state_archive(target(), recorded=target(), site="demo", serial=SERIAL) == archive


def test_it_says_whose_it_is_how_new_and_what_the_manifest_shall_say(unpacked: Path) -> None:
    state = json.loads((unpacked / "state.json").read_text())
    assert (state["schema"], state["site"], state["address"], state["serial"]) == (
        1,
        "demo",
        "edges/shop/box-1",
        SERIAL,
    )
    assert [(role["name"], role["source"]) for role in state["roles"]] == [
        (name, role_source(name)) for name in ("base", "edge")
    ]


def test_ansible_is_run_on_the_box_itself_and_nothing_tells_how_push_reaches_it(unpacked: Path) -> None:
    told = json.loads((unpacked / "inventory" / "inventory.json").read_text())
    (box,) = told["_meta"]["hostvars"].values()
    assert (box["ansible_connection"], box["lepton_roles"], box["edge_buffer_hours"]) == ("local", ["base", "edge"], 24)
    assert "192.0.2.1" not in json.dumps(told)


def test_what_reads_the_events_on_the_box_needs_no_library_but_what_python_brings(unpacked: Path) -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import leptonctl.hosts.pulled, leptonctl.hosts.events, leptonctl.hosts.entries\n"
        "import leptonctl.hosts.remote.host_side, leptonctl.hosts.collector, leptonctl.devices.drivers\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, str(unpacked)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_key_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("no key\n")
    for attempt in (lambda: public_key(tmp_path / "key"), lambda: sign(b"state", tmp_path / "key")):
        with pytest.raises(PreflightFailed, match="cannot be signed with") as raised:
            attempt()
        assert raised.value.hint == (
            "name the file of a private ed25519 key without a passphrase: ssh-keygen -t ed25519 -N '' -f FILE"
        )
