"""Logs that a reset would take away are kept in the run folder, for its owner alone, and without secrets."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from leptonctl.hosts.fault_logs import collect_fault_logs, without_secrets
from leptonctl.hosts.remote import fault_logs

if TYPE_CHECKING:
    from tests.hosts.box import Box


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("serve --token abc123 --port 80", "serve --token [secret] --port 80"),
        ("HF_TOKEN=hf_abc vllm", "HF_TOKEN=[secret] vllm"),
        ('{"password": "hunter2", "user": "ops"}', '{"password": "[secret]", "user": "ops"}'),
        ("AWS_SECRET_ACCESS_KEY=abc/def+1", "AWS_SECRET_ACCESS_KEY=[secret]"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer [secret]"),
        ("https://ops:hunter2@mirror.example.com/x", "https://[secret]@mirror.example.com/x"),
        ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\nrest", "[secret]\nrest"),
        ("NVRM: Xid (PCI:0000:3b:00): 79, pid=1", "NVRM: Xid (PCI:0000:3b:00): 79, pid=1"),
    ],
)
def test_what_looks_like_a_secret_is_hidden_and_the_rest_stays(text: str, expected: str) -> None:
    assert without_secrets(text) == expected


def program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_what_there_is_is_read_and_what_there_is_not_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report"
    report.write_bytes(gzip.compress(b"what the driver knows"))
    program(tmp_path, "journalctl", "echo kernel")
    program(tmp_path, "nvidia-smi", "echo 'No devices were found' >&2; exit 6")
    program(tmp_path, "nvidia-bug-report.sh", f'/bin/cp {report} "$3.gz"')
    monkeypatch.setenv("PATH", str(tmp_path))
    assert fault_logs.main({}) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert answer["logs"] == {
        "kernel.log": {"text": "kernel\n"},
        "nvidia-smi.txt": {"failed": "nvidia-smi: exit 6: No devices were found"},
        "nvidia-bug-report.log": {"text": "what the driver knows"},
    }


@pytest.mark.hosts
def test_the_logs_of_a_host_lie_in_the_run_folder_without_the_sites_secrets(box: Box, tmp_path: Path) -> None:
    box.run("printf '#!/bin/sh\\necho hook http://127.0.0.1:9/hook?token=one\\n' >/usr/local/bin/nvidia-smi")
    box.run("chmod 755 /usr/local/bin/nvidia-smi")
    try:
        secrets = {"env:HOOK": "http://127.0.0.1:9/hook?token=one"}
        found = collect_fault_logs([box.target], tmp_path / "health", secrets=secrets)
    finally:
        box.run("rm /usr/local/bin/nvidia-smi")
    folder = Path(found[box.target.address])
    assert folder == tmp_path / "health" / "core.box-1"
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == dict.fromkeys(
        ("kernel.log", "nvidia-bug-report.log", "nvidia-smi.txt"), 0o600
    )
    assert (folder / "nvidia-smi.txt").read_text() == "hook [secret]\n"
    assert (folder / "nvidia-bug-report.log").read_text() == (
        "not collected: nvidia-bug-report.sh: it is not installed\n"
    )
