#!/usr/bin/python3
# Managed by leptonctl: the next run puts this file back.
"""Figures of this host's object store for the node exporter.

Usage: objects_metrics FILE   write them as Prometheus takes them
"""

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import eventlet

eventlet.monkey_patch()

from swift.common.internal_client import InternalClient, UnexpectedResponse  # noqa: E402 - as eventlet wants it

SETTINGS = Path("/etc/leptonctl/objects.json")
CLIENT = "/etc/swift/objects-client.conf"
ACCOUNT = "AUTH_site"
QUARANTINE = Path("/srv/objects/data/quarantined")
PARTS = "+segments"


def is_up(port: int) -> bool:
    """Whether the service answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthcheck", timeout=10) as answer:
            return answer.status == HTTPStatus.OK
    except (OSError, urllib.error.URLError):
        return False


def lines(name: str, text: str, values: dict[str, object]) -> Iterator[str]:
    """One figure with its labels."""
    yield f"# HELP leptonctl_objects_{name} {text}"
    yield f"# TYPE leptonctl_objects_{name} gauge"
    for labels, value in values.items():
        yield f"leptonctl_objects_{name}{labels} {value}"


def metrics() -> Iterator[str]:
    """All of them. Where the store does not answer there is no figure of its buckets."""
    yield from lines(
        "up", "Whether the object store answers.", {"": int(is_up(json.loads(SETTINGS.read_text())["port"]))}
    )
    # Found by the auditors: their checksum does not match. There is one copy, so that they are lost.
    found = sum(1 for one in QUARANTINE.glob("*/*")) if QUARANTINE.is_dir() else 0
    yield from lines("quarantined", "Objects and lists whose checksum did not match.", {"": found})
    try:
        client = InternalClient(CLIENT, "leptonctl", 1)
        buckets = [one for one in client.iter_containers(ACCOUNT) if not one["name"].endswith(PARTS)]
    except (UnexpectedResponse, OSError):
        return
    named = {f'{{bucket="{one["name"]}"}}': one for one in buckets}
    yield from lines("bytes", "Bytes of a bucket.", {key: one["bytes"] for key, one in named.items()})
    yield from lines("count", "Objects of a bucket.", {key: one["count"] for key, one in named.items()})


if __name__ == "__main__":
    target = Path(sys.argv[1])
    scratch = target.with_suffix(".new")
    scratch.write_text("\n".join(metrics()) + "\n")
    scratch.chmod(0o644)
    scratch.rename(target)
