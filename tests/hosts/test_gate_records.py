"""What the gate said is kept on the host, bound to its manifest; what cannot be read of it counts as not judged."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from leptonctl.health.verdict import Verdict
from leptonctl.hosts.gate_records import gate_record_of, write_gate_records
from leptonctl.hosts.remote import gate_record
from leptonctl.planning.observed import GateRecord

if TYPE_CHECKING:
    from pathlib import Path

    from tests.hosts.box import Box

RECORD = GateRecord(Verdict.FAILED, "2026-11-21T10:00:00+00:00", None, "Xid 79; reboot the host", is_held=True)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(gate_record, "GATE_RECORD", tmp_path / "state" / "gate.json")
    monkeypatch.setattr(gate_record, "MANIFEST", tmp_path / "manifest.json")
    return tmp_path


def write(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    stored = {"verdict": "failed", "at": RECORD.at, "manifest": None, "reason": RECORD.reason, "is_held": True}
    assert gate_record.main({"record": stored}) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_a_record_comes_back_as_it_was_written_with_the_manifest_of_that_moment(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "manifest.json").write_text("what the roles ensure")
    assert write(capsys) == {"schema": 1, "written": True}
    assert (folder / "state" / "gate.json").stat().st_mode & 0o777 == 0o600
    found = gate_record_of(gate_record.read_gate_record())
    assert found is not None
    assert found.manifest == hashlib.sha256(b"what the roles ensure").hexdigest()
    assert (found.verdict, found.reason, found.is_held, found.is_shadow) == (Verdict.FAILED, RECORD.reason, True, False)


def test_what_is_missing_damaged_or_of_another_shape_is_no_record(folder: Path) -> None:
    assert gate_record.read_gate_record() is None
    path = folder / "state" / "gate.json"
    path.parent.mkdir()
    for text in ("{", "[]", '{"schema": 2, "verdict": "healthy"}'):
        path.write_text(text)
        assert gate_record.read_gate_record() is None, text
    for odd in (None, {"schema": 1}, {"verdict": "fine", "at": "", "manifest": None, "reason": ""}):
        assert gate_record_of(odd) is None, odd


def test_a_record_that_cannot_be_written_says_why(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "state").write_text("a file in its place")
    said = write(capsys)["error"]
    assert str(said).startswith("FileExistsError: ")


@pytest.mark.hosts
def test_a_look_at_a_host_brings_what_the_gate_said_of_it(box: Box) -> None:
    assert box.look().gate is None
    try:
        assert write_gate_records([box.target], {box.target.address: RECORD}) == {}
        found = box.look()
        assert found.gate is not None
        assert (found.gate.reason, found.gate.manifest) == (RECORD.reason, found.manifest_digest)
    finally:
        box.run("rm -f /var/lib/leptonctl/gate.json")
