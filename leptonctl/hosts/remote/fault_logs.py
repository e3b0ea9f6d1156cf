"""Runs on a host, as root, sent over SSH: reads what the next reset would take away. Prints one JSON object.

The bug report of the driver is written to a folder of its own, which is removed.
"""

from __future__ import annotations

import gzip
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from leptonctl.hosts.remote.facts import run

SCHEMA = 1
DAY_S = 86400
LIMIT_S = 60
# The report asks a driver that may hang; without it the other two are still there.
REPORT_LIMIT_S = 150
# Of each log its end: what happened last is what is asked for.
SIZE_MAX = 8 * 1024 * 1024


def main(_request: dict[str, Any]) -> int:
    """Read every log and print what it said, or why there is none."""
    since = "@%d" % (time.time() - DAY_S)
    journal = ["journalctl", "--dmesg", "--boot=all", "--output=short-iso-precise", "--no-pager", "--since", since]
    logs = {
        "kernel.log": printed(journal),
        "nvidia-smi.txt": printed(["nvidia-smi", "-q"]),
        "nvidia-bug-report.log": bug_report(),
    }
    sys.stdout.write(json.dumps({"schema": SCHEMA, "logs": logs}) + "\n")
    return 0


def printed(argv: list[str]) -> dict[str, str]:
    """Give the end of what a program printed, or why there is nothing."""
    status, out, err = run(argv, LIMIT_S)
    if status != 0:
        return {"failed": f"{argv[0]}: exit {status}: {' '.join((err or out).split())[-300:]}"}
    return {"text": out[-SIZE_MAX:]}


def bug_report() -> dict[str, str]:
    """Give what nvidia-bug-report.sh collects, unpacked, so that secrets can be taken out of it."""
    if shutil.which("nvidia-bug-report.sh") is None:
        return {"failed": "nvidia-bug-report.sh: it is not installed"}
    with tempfile.TemporaryDirectory(prefix="leptonctl-") as folder:
        path = Path(folder) / "report.log"
        argv = ["nvidia-bug-report.sh", "--safe-mode", "--output-file", str(path)]
        status, out, err = run(argv, REPORT_LIMIT_S)
        packed = path.with_name(path.name + ".gz")
        try:
            text = gzip.decompress(packed.read_bytes()) if packed.exists() else path.read_bytes()
        except (OSError, EOFError) as error:
            said = " ".join((err or out).split())[-300:]
            return {"failed": f"nvidia-bug-report.sh: exit {status}: {said or error}"}
    return {"text": text.decode(errors="replace")[-SIZE_MAX:]}
