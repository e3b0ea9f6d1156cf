"""Runs on one host of a group, as root, sent over SSH: an all-reduce over all of them. Prints one JSON object."""

from __future__ import annotations

import json
import shutil
import sys
from typing import Any

from leptonctl.hosts.remote.bounded import run_bounded

SCHEMA = 1
# Messages that are large enough that bandwidth counts and not latency.
SIZES = ("-b", "512M", "-e", "8G", "-f", "2")
PROGRAMS = ("all_reduce_perf_mpi", "all_reduce_perf")


def main(request: dict[str, Any]) -> int:
    """Run nccl-tests' all_reduce_perf, alone or by mpirun over the hosts that are named."""
    sys.stdout.write(json.dumps({"schema": SCHEMA, **answer_to(request)}) + "\n")
    return 0


def answer_to(request: dict[str, Any]) -> dict[str, str]:
    """Give what it printed, or why there is nothing."""
    hosts, gpus = request["hosts"], request["gpu_count"]
    program = next(filter(None, map(shutil.which, PROGRAMS if len(hosts) > 1 else PROGRAMS[::-1])), None)
    if program is None:
        return {"failed": "nccl-tests' all_reduce_perf is not installed"}
    argv = [program, *SIZES, "-g", str(gpus)]
    if len(hosts) > 1:
        if shutil.which("mpirun") is None:
            return {"failed": "mpirun is not installed: all_reduce_perf runs over several hosts only with it"}
        slots = ",".join("%s:%d" % (host, gpus) for host in hosts)
        argv = ["mpirun", "--allow-run-as-root", "-np", str(gpus * len(hosts)), "-H", slots, program, *SIZES, "-g", "1"]
    status, out, err = run_bounded(argv, request["limit_s"])
    if status != 0 and "# Out of bounds values" not in out:
        return {"failed": f"{argv[0]}: exit {status}: {' '.join((err or out).split())[-300:] or 'it said nothing'}"}
    return {"text": out}
