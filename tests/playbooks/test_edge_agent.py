"""The agent of an edge box refuses state that is forged, cut off, another's or stale, and unpacks nothing of it."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from leptonctl.assets import asset
from leptonctl.hosts.signing import public_key, sign

if TYPE_CHECKING:
    from pathlib import Path

ADDRESS = "edges/shop/box-1"
NAME = "edges.shop.box-1.tar.gz"
SERIAL = 1_700_000_000
DONE, REFUSED, NO_ANSWER = 0, 7, 9


def make_key(folder: Path, name: str) -> Path:
    made = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(made)], check=True)
    return made


def archive(*, address: str = ADDRESS, serial: int = SERIAL) -> bytes:
    state = json.dumps({"schema": 1, "address": address, "serial": serial}).encode()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as files:
        entry = tarfile.TarInfo("state.json")
        entry.size = len(state)
        files.addfile(entry, io.BytesIO(state))
    return packed.getvalue()


class Agent:
    """The agent's own program, with its folders below one of the test."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        spec = importlib.util.spec_from_file_location(
            "lepton_agent", asset("playbooks", "roles", "edge", "files", "agent.py")
        )
        assert spec is not None
        assert spec.loader is not None
        self.module: Any = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.module)
        self.capsys, self.served, self.key = capsys, folder / "served", make_key(folder, "key")
        self.served.mkdir()
        places = {name: folder / name.lower() for name in ("SETTINGS", "SIGNERS", "FOLDER", "SERIAL", "MANIFEST")}
        for name, path in places.items():
            setattr(self.module, name, path)
        places["SETTINGS"].write_text(json.dumps({"address": ADDRESS, "url": "http://127.0.0.1:1"}))
        places["SIGNERS"].write_text(f'leptonctl namespaces="leptonctl-state" {public_key(self.key)}\n')
        self.places = places
        monkeypatch.setattr(sys, "argv", ["agent", "--from", str(self.served)])

    def serve(self, content: bytes, *, key: Path | None = None) -> None:
        (self.served / NAME).write_bytes(content)
        (self.served / f"{NAME}.sig").write_bytes(sign(content, key or self.key))

    def run(self) -> tuple[int, str]:
        code = self.module.main()
        assert not self.places["FOLDER"].exists()
        return code, self.capsys.readouterr().out.strip()


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Agent:
    return Agent(tmp_path, monkeypatch, capsys)


def test_state_that_another_key_signed_is_refused(agent: Agent, tmp_path: Path) -> None:
    agent.serve(archive(), key=make_key(tmp_path, "forger"))
    code, said = agent.run()
    assert code == REFUSED
    assert said.startswith("refused: it is not signed by who may publish: ")


def test_state_that_was_changed_or_cut_off_after_it_was_signed_is_refused(agent: Agent) -> None:
    agent.serve(archive())
    whole = (agent.served / NAME).read_bytes()
    for content in (whole[:-7], whole[:20] + b"x" + whole[21:], b""):
        (agent.served / NAME).write_bytes(content)
        code, said = agent.run()
        assert code == REFUSED
        assert said.startswith("refused: it is not signed by who may publish: ")


def test_a_signature_that_was_made_for_something_else_is_refused(agent: Agent) -> None:
    agent.serve(archive())
    command = ["ssh-keygen", "-Y", "sign", "-f", str(agent.key), "-n", "git"]
    done = subprocess.run(command, input=(agent.served / NAME).read_bytes(), capture_output=True, check=True)
    (agent.served / f"{NAME}.sig").write_bytes(done.stdout)
    assert agent.run()[0] == REFUSED


def test_the_state_of_another_box_is_refused(agent: Agent) -> None:
    agent.serve(archive(address="edges/shop/box-2"))
    assert agent.run() == (REFUSED, "refused: it is the state of edges/shop/box-2, and this is edges/shop/box-1")


def test_state_that_is_older_than_the_last_is_refused(agent: Agent) -> None:
    agent.serve(archive())
    agent.places["SERIAL"].write_text(f"{SERIAL + 1}\n")
    assert agent.run() == (
        REFUSED,
        f"refused: it is stale: its serial is {SERIAL}, and {SERIAL + 1} was brought about before",
    )


def test_state_that_is_older_than_a_push_is_refused(agent: Agent) -> None:
    agent.serve(archive())
    agent.places["MANIFEST"].write_text("{}")
    os.utime(agent.places["MANIFEST"], (SERIAL + 60, SERIAL + 60))
    assert agent.run() == (
        REFUSED,
        f"refused: it is stale: it was published at {SERIAL}, and the box was configured by push at {SERIAL + 60}",
    )


def test_the_same_state_is_not_brought_about_again(agent: Agent) -> None:
    agent.serve(archive())
    agent.places["SERIAL"].write_text(f"{SERIAL}\n")
    assert agent.run() == (DONE, f"nothing newer than {SERIAL}")


def test_a_region_that_does_not_answer_is_told_and_nothing_changes(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["agent"])
    code, said = agent.run()
    assert code == NO_ANSWER
    assert said.startswith("no state could be fetched: ")
