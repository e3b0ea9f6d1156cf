"""A load ends by itself, at its limit, or with whoever asked for it; on a host where a fake dcgmi stands in."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from leptonctl.hosts import loads
from leptonctl.hosts.remote.bounded import run_bounded

if TYPE_CHECKING:
    from pathlib import Path

    from tests.hosts.box import Box

FAKE = "/usr/local/bin/dcgmi"


def test_what_a_program_prints_and_how_it_ends_comes_back() -> None:
    assert run_bounded(["sh", "-c", "cat; echo odd >&2; exit 3"], 10, stdin="word") == (3, "word", "odd\n")
    assert run_bounded(["/nowhere"], 10) == (127, "", "/nowhere: No such file or directory")


def test_a_program_and_all_that_it_started_end_at_the_limit(tmp_path: Path) -> None:
    mark = tmp_path / "child"
    script = f"sh -c 'echo $$ >{mark}; exec sleep 300' & echo begun; wait"
    begun = time.monotonic()
    assert run_bounded(["sh", "-c", script], 0.5) == (124, "begun\n", "it did not end within 0 s")
    assert time.monotonic() - begun < 30
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)


@pytest.mark.hosts
def test_where_nothing_is_installed_that_could_burn_the_host_says_so(box: Box) -> None:
    assert loads.burn([box.target], limit_s=30) == {
        box.target.address: "no burn program is installed (dcgmi, or PyTorch with CUDA)"
    }
    found = loads.all_reduce({"core/box": [box.target]}, gpu_counts={"core/box": 1}, limit_s=30)
    assert found == {"core/box": "nccl-tests' all_reduce_perf is not installed"}


@pytest.mark.hosts
def test_a_load_ends_on_the_host_when_the_connection_does(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.run(f"printf '#!/bin/sh\\nexec sleep 9753\\n' >{FAKE}; chmod 755 {FAKE}")
    monkeypatch.setattr(loads, "_BESIDE_S", -57.0)
    try:
        # The connection is closed after 3 s, as Ctrl-C does, long before the load's own limit.
        (said,) = loads.burn([box.target], limit_s=60).values()
        assert said == "logged in, but the command did not end within 3 s"
        box.run("for _ in $(seq 100); do pgrep -f 'sleep 975[3]' >/dev/null || exit 0; sleep 0.2; done; exit 1")
    finally:
        box.run(f"rm {FAKE}")
