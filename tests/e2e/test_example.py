"""The example as its user runs it: one command, from nothing to figures, with nothing left behind."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.e2e.local_site import podman

pytestmark = [pytest.mark.hosts, pytest.mark.matrix]

ROOT = Path(__file__).parents[2]


def test_the_example_trains_serves_survives_a_fault_and_loses_nothing() -> None:
    site = f"vision-{os.getpid()}"
    done = subprocess.run(
        [ROOT / "scripts" / "example.sh"],
        env={**os.environ, "SITE": site},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["accuracy"] > 0.95
    assert figures["served_accuracy"] > 0.95
    assert (figures["lost"], figures["edge_needs_core"]) == (0, False)
    assert set(figures["fault_replicas"]) == {"one", "two"}
    assert figures["edge_median_ms"] < figures["far_core_median_ms"]
    assert figures["all_s"] < 900
    assert podman("ps", "--all", "--quiet", f"--filter=label=leptonctl.site={site}") == ""
