"""Runs on a host, as root, sent over SSH: puts a load on its GPUs with what is installed. Prints one JSON object."""

from __future__ import annotations

import json
import shutil
import sys
from typing import Any

from leptonctl.hosts.remote.bounded import run_bounded
from leptonctl.hosts.remote.facts import run

SCHEMA = 1
HAS_CUDA = "import sys, torch; sys.exit(0 if torch.cuda.is_available() else 3)"


def main(request: dict[str, Any]) -> int:
    """Burn with DCGM's diagnostic where that is installed, else with PyTorch; say so where neither is."""
    if shutil.which("dcgmi"):
        answer: dict[str, Any] = {"program": "dcgmi", **with_dcgm(request)}
    elif run(["python3", "-c", HAS_CUDA], 60)[0] == 0:
        answer = {"program": "torch", **with_torch(request)}
    else:
        answer = {"program": None, "failed": "no burn program is installed (dcgmi, or PyTorch with CUDA)"}
    sys.stdout.write(json.dumps({"schema": SCHEMA, **answer}) + "\n")
    return 0


def with_dcgm(request: dict[str, Any]) -> dict[str, str]:
    """Run DCGM's diagnostic; it exits with another status than 0 where a test failed, and its answer says which."""
    status, out, err = run_bounded(["dcgmi", "diag", "--run", str(request["run"]), "--json"], request["limit_s"])
    if status == 124 or "{" not in out:  # noqa: PLR2004 - as `timeout` has it
        return {"failed": f"dcgmi diag: exit {status}: {' '.join((err or out).split())[-300:] or 'it said nothing'}"}
    return {"text": out}


def with_torch(request: dict[str, Any]) -> dict[str, str]:
    """Run our own burn under PyTorch, for a share of the limit: starting takes a while too."""
    argv = ["env", "BURN_S=%d" % min(120, request["limit_s"] / 2), "python3", "-"]
    status, out, err = run_bounded(argv, request["limit_s"], stdin=request["torch_program"])
    if status != 0:
        return {"failed": f"PyTorch burn: exit {status}: {' '.join((err or out).split())[-300:] or 'it said nothing'}"}
    return {"text": out}
