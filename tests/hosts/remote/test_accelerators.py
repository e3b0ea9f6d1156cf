"""What runs on a host to read its GPUs, run here: on the files of a folder, and with programs of the test's own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from leptonctl.hosts.remote import accelerators

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with two GPUs, an audio function of one of them, and a card of somebody else on the bus."""
    devices = {
        "0000:3b:00.0": ("0x10de", "0x030200"),
        "0000:3b:00.1": ("0x10de", "0x040300"),
        "0000:5e:00.0": ("0x10de", "0x030200"),
        "0000:00:02.0": ("0x8086", "0x030000"),
    }
    for name, (vendor, kind) in devices.items():
        folder = tmp_path / "sys/bus/pci/devices" / name
        folder.mkdir(parents=True)
        (folder / "vendor").write_text(vendor + "\n")
        (folder / "class").write_text(kind + "\n")
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/stat").write_text("cpu 1 2 3\nbtime 1700000000\n")
    return tmp_path


def answer(root: Path, capsys: pytest.CaptureFixture[str], **request: object) -> dict[str, Any]:
    assert accelerators.main({"root": str(root), "look_back_s": 3600, **request}) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_every_nvidia_gpu_on_the_bus_is_counted_and_nothing_else(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = answer(root, capsys)
    assert found["pci"] == ["0000:3b:00.0", "0000:5e:00.0"]
    assert found["booted_s"] == 1700000000.0


def test_a_source_that_is_not_there_or_fails_says_so_in_its_own_words(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(root / "bin"))
    assert answer(root, capsys)["smi"] == {"failed": "nvidia-smi -q: exit 127: nvidia-smi: No such file or directory"}
    program(root / "bin", "nvidia-smi", "echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18")
    found = answer(root, capsys, with_links=True)
    said = "exit 18: Failed to initialize NVML: Driver/library version mismatch"
    assert found["smi"] == {"failed": f"nvidia-smi -q: {said}"}
    assert found["links"] == {"failed": f"nvidia-smi nvlink: {said}"}


def test_what_a_source_prints_comes_back_as_it_is(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(root / "bin"))
    program(root / "bin", "nvidia-smi", 'echo "smi $*"')
    program(root / "bin", "journalctl", 'echo "log $1 $2 $3 $4"')
    found = answer(root, capsys)
    assert found["smi"] == {"text": "smi -q -x\n"}
    assert found["log"] == {"text": "log --dmesg --boot=all --output=short-unix --no-pager\n"}
    assert "links" not in found


def test_an_endless_answer_is_no_answer(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accelerators, "LOG_LIMIT", 5)
    monkeypatch.setenv("PATH", str(root / "bin"))
    program(root / "bin", "nvidia-smi", "echo 123456")
    assert answer(root, capsys)["smi"] == {"failed": "nvidia-smi -q: it said more than 5 characters"}
