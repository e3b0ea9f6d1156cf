"""The collector: the controller's own judging modules, started by the Python of a host that has nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest

from leptonctl.assets import asset
from leptonctl.health.readings import Declared
from leptonctl.hosts.collector import collector_modules
from leptonctl.hosts.remote import accelerators, collector
from tests.health.recorded import A100, edited

if TYPE_CHECKING:
    from pathlib import Path

BUS = "0000:01:00.0"
# As the role writes it: JSON knows no tuples.
DECLARED = json.loads(json.dumps(asdict(Declared(count=1, model="A100", memory_gib=80))))


def program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A root with one GPU on its bus, a fake nvidia-smi that says what a real A100 said, and an empty kernel log."""
    device = tmp_path / "sys/bus/pci/devices" / BUS
    device.mkdir(parents=True)
    (device / "vendor").write_text("0x10de\n")
    (device / "class").write_text("0x030200\n")
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/stat").write_text("btime 1700000000\n")
    programs = tmp_path / "bin"
    programs.mkdir()
    answer = tmp_path / "answer.xml"
    answer.write_text(edited(A100, ("<persistence_mode>Disabled<", "<persistence_mode>Enabled<")))
    program(programs, "nvidia-smi", f"exec /bin/cat {answer}")
    program(programs, "journalctl", "exit 0")
    program(programs, "systemctl", "exit 0")
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr(collector, "SETTINGS", tmp_path / "gpu_health.json")
    monkeypatch.setattr(collector, "METRICS", tmp_path / "out.prom")
    monkeypatch.setattr(collector, "DCGM_METRICS", tmp_path / "dcgm.prom")
    monkeypatch.setattr(collector, "DCGM", ("127.0.0.1", 9))
    read_host = accelerators.read_host
    monkeypatch.setattr(collector, "read_host", lambda request: read_host({**request, "root": str(tmp_path)}))
    return tmp_path


def test_the_same_modules_give_the_same_text() -> None:
    first = collector_modules()
    collector_modules.cache_clear()
    assert collector_modules() == first


def test_a_host_with_nothing_but_python_can_run_it(tmp_path: Path) -> None:
    shutil.copy(asset("playbooks", "roles", "gpu_health", "files", "gpu_health.py"), tmp_path / "gpu_health")
    (tmp_path / "gpu_health.modules").write_text(f"# Managed by leptonctl.\n{collector_modules()}\n")
    command = ["/usr/bin/python3", "-I", "-S", str(tmp_path / "gpu_health")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    path = "/etc/leptonctl/gpu_health.json"
    said = f"{path}: it does not say what to judge by: [Errno 2] No such file or directory: '{path}'\n"
    assert (done.returncode, done.stderr) == (1, said)


def test_it_leaves_metrics_of_what_the_controller_would_say(host: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (host / "gpu_health.json").write_text(json.dumps({"declared": DECLARED, "policy": {}}))
    assert collector.main({}) == 0
    assert capsys.readouterr().out == "healthy: healthy\n"
    text = (host / "out.prom").read_text()
    assert 'lepton_gpu_health_verdict{verdict="healthy"} 1\n' in text
    assert (host / "out.prom").stat().st_mode & 0o777 == 0o644
    assert [path.name for path in host.glob(".out.prom*")] == []


def test_what_is_declared_otherwise_fails_there_too(host: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (host / "gpu_health.json").write_text(json.dumps({"declared": {**DECLARED, "count": 2}, "policy": {}}))
    assert collector.main({}) == 0
    assert capsys.readouterr().out.startswith("failed: count: 1 GPUs on the PCI bus (should be: 2 are declared)")
    assert 'lepton_gpu_health_verdict{verdict="failed"} 1\n' in (host / "out.prom").read_text()


def test_a_threshold_of_the_site_holds_on_the_host(host: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (host / "gpu_health.json").write_text(json.dumps({"declared": DECLARED, "policy": {"power_max_w": 1}}))
    assert collector.main({}) == 0
    assert capsys.readouterr().out == "degraded: degraded\n"


class FakeExporter(BaseHTTPRequestHandler):
    """A fake of NVIDIA's DCGM exporter: a few lines as it writes them, and one of its own process."""

    TEXT = (
        "# HELP DCGM_FI_DEV_GPU_TEMP GPU temperature (in C).\n"
        "# TYPE DCGM_FI_DEV_GPU_TEMP gauge\n"
        'DCGM_FI_DEV_GPU_TEMP{gpu="0",UUID="GPU-1",device="nvidia0",modelName="NVIDIA A100-SXM4-80GB"} 27\n'
    )

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{self.TEXT}process_cpu_seconds_total 3\n".encode())

    def log_message(self, *_: object) -> None:
        pass


def test_what_the_dcgm_exporter_says_is_passed_on_while_it_answers(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (host / "gpu_health.json").write_text(json.dumps({"declared": DECLARED, "policy": {}}))
    with HTTPServer(("127.0.0.1", 0), FakeExporter) as server:
        monkeypatch.setattr(collector, "DCGM", server.server_address)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        assert collector.main({}) == 0
        server.shutdown()
        thread.join()
    assert (host / "dcgm.prom").read_text() == FakeExporter.TEXT
    assert collector.main({}) == 0
    assert not (host / "dcgm.prom").exists()
