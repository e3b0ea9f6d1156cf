"""Keys of tunnels, made and told by the program that is sent: run here, in a folder."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from leptonctl.hosts.remote import tunnel

if TYPE_CHECKING:
    from pathlib import Path

FIRST, SECOND = "A" * 43 + "=", "B" * 43 + "="


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tunnel, "KEY", tmp_path / "lepton.key")
    monkeypatch.setattr(tunnel, "PEERS", tmp_path / "lepton.peers")
    return tmp_path


def ask(capsys: pytest.CaptureFixture[str], **request: object) -> dict[str, Any]:
    assert tunnel.main(dict(request)) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_a_key_is_made_once_for_root_alone_and_only_its_public_half_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = ask(capsys, do="key")
    private = (folder / "lepton.key").read_text()
    assert len(base64.b64decode(private)) == len(base64.b64decode(first["public_key"])) == 32
    assert (folder / "lepton.key").stat().st_mode & 0o777 == 0o600
    assert private.strip() not in json.dumps(first)
    assert ask(capsys, do="key") == first
    assert (folder / "lepton.key").read_text() == private


def test_the_public_key_is_the_one_of_the_private_key(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "lepton.key").write_text(base64.b64encode(bytes(range(32))).decode() + "\n")
    # Computed by `wg pubkey` of wireguard-tools 1.0.20210914.
    assert ask(capsys, do="key")["public_key"] == "j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8="


def test_boxes_are_let_in_by_key_and_address_and_one_that_does_not_answer_keeps_its_own(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(capsys, do="admit", boxes={"10.213.0.5": FIRST, "10.213.0.6": SECOND})
    before = (folder / "lepton.peers").read_text()
    assert before == (
        f"[Peer]\nPublicKey = {FIRST}\nAllowedIPs = 10.213.0.5/32\n\n"
        f"[Peer]\nPublicKey = {SECOND}\nAllowedIPs = 10.213.0.6/32\n"
    )
    assert ask(capsys, do="admit", boxes={"10.213.0.5": None, "10.213.0.6": SECOND})["admitted"] == [
        "10.213.0.5",
        "10.213.0.6",
    ]
    assert (folder / "lepton.peers").read_text() == before


def test_a_box_that_left_is_shut_out_and_what_is_no_key_never_comes_in(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(capsys, do="admit", boxes={"10.213.0.5": FIRST, "10.213.0.6": SECOND})
    ask(capsys, do="admit", boxes={"10.213.0.6": "no key\nPublicKey = x"})
    assert (folder / "lepton.peers").read_text() == ""


def test_what_others_wrote_into_the_file_goes_whatever_its_form(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(capsys, do="admit", boxes={"10.213.0.5": FIRST})
    ours = (folder / "lepton.peers").read_text()
    (folder / "lepton.peers").write_text(f"{ours}\n[Peer]\npublickey={SECOND}\nallowedips=10.213.0.9/32, 0.0.0.0/0\n")
    assert ask(capsys, do="admit", boxes={"10.213.0.5": None})["admitted"] == ["10.213.0.5"]
    assert (folder / "lepton.peers").read_text() == ours
