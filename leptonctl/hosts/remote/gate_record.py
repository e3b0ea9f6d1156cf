"""Runs on a host, as root, sent over SSH: keeps there what the health gate said of it. Prints one JSON object.

It is kept on the host because the hosts are the record: an operator's disk can be lost, and a host without its record
is judged again before it takes part.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from leptonctl.hosts.remote.private_file import write_private

SCHEMA = 1
GATE_RECORD = Path("/var/lib/leptonctl/gate.json")
MANIFEST = Path("/var/lib/leptonctl/manifest.json")


def main(request: dict[str, Any]) -> int:
    """Write the record, bound to the manifest that the host has now."""
    try:
        record = {**request["record"], "schema": SCHEMA, "manifest": manifest_digest()}
        write_private(GATE_RECORD, json.dumps(record, sort_keys=True) + "\n")
        answer: dict[str, Any] = {"written": True}
    except Exception as error:  # noqa: BLE001 - on a host in any state, whatever goes wrong is an answer
        answer = {"error": f"{type(error).__name__}: {error}"}
    sys.stdout.write(json.dumps({"schema": SCHEMA, **answer}) + "\n")
    return 0


def read_gate_record() -> dict[str, Any] | None:
    """Give the record; one that is not there or has another shape counts as none, and the host is judged again."""
    try:
        record = json.loads(GATE_RECORD.read_bytes())
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and record.get("schema") == SCHEMA else None


def manifest_digest() -> str | None:
    """Give the SHA-256 of the manifest, or None where there is none."""
    try:
        return hashlib.sha256(MANIFEST.read_bytes()).hexdigest()
    except OSError:
        return None
