"""Runs on a host, as root, sent over SSH: lays the fault of a drill, or takes it away. Prints one JSON object.

The fault lies in a folder of its own that only leptonctl reads, beside what the kernel really said; never in the
kernel's log itself. It is on a file system that a reboot empties.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

SCHEMA = 1
DRILL = Path("/run/leptonctl/drill")


def main(request: dict[str, Any]) -> int:
    """Lay or take away, and say what is there after it."""
    try:
        answer = {"lay": lay, "end": end}[request["do"]](request)
    except Exception as error:  # noqa: BLE001 - on a host in any state, whatever goes wrong is an answer
        answer = {"error": f"{type(error).__name__}: {error}"}
    sys.stdout.write(json.dumps({"schema": SCHEMA, **answer}) + "\n")
    return 0


def lay(request: dict[str, Any]) -> dict[str, Any]:
    """Lay the fault, whole or not at all; refused where one lies already."""
    found = about_drill()
    if found is not None:
        return {"refused": found}
    about = {"name": request["name"], "by": request["by"], "at_s": time.time()}
    line = "%f leptonctl kernel: %s\n" % (about["at_s"], request["message"])
    # The marker is there first: a drill that was killed between the two is still found.
    DRILL.mkdir(parents=True, mode=0o700)
    (DRILL / "about.json").write_text(json.dumps(about) + "\n")
    (DRILL / "kernel.log").write_text(line)
    return {"about": about}


def end(_request: dict[str, Any]) -> dict[str, Any]:
    """Take away whatever lies there."""
    found = about_drill()
    if DRILL.exists():
        shutil.rmtree(DRILL)
    return {"about": found}


def about_drill() -> dict[str, Any] | None:
    """Give what is known of the drill that lies there; None where there is none."""
    if not DRILL.exists():
        return None
    try:
        found = json.loads((DRILL / "about.json").read_text())
        return {"name": str(found["name"]), "by": str(found["by"]), "at_s": float(found["at_s"])}
    except (OSError, ValueError, KeyError, TypeError):
        return {"name": "unknown", "by": "somebody", "at_s": 0.0}


def drill_log() -> str:
    """Give the lines that the drill adds to the kernel's log."""
    try:
        return (DRILL / "kernel.log").read_text()
    except OSError:
        return ""
