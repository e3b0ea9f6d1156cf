"""Runs on a monitor of a Ceph cluster, as root, sent over SSH: gives the keys that other hosts need. One JSON object.

`is_begun` is whether this host is a monitor at all. `keys` are by name: `mon`, `admin`, `bootstrap_osd`, and
`client.NAME` for each client that is asked for; those are made, with the capabilities that are asked for.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from leptonctl.hosts.remote.facts import run

SCHEMA = 1
LIMIT_S = 60
MONITORS = Path("/var/lib/ceph/mon")
KEPT = {"mon": "mon.", "admin": "client.admin"}
BOOTSTRAP = ("client.bootstrap-osd", "mon", "allow profile bootstrap-osd")


class Failed(Exception):
    """A command that did not do what it should, with what it said."""


def main(request: dict[str, Any]) -> int:
    """Do what was asked and print the answer."""
    answer: dict[str, Any] = {"is_begun": any(MONITORS.glob("*/done"))}
    try:
        answer["keys"] = keys(request) if answer["is_begun"] else {}
    except Failed as failure:
        answer = {"error": str(failure)}
    sys.stdout.write(json.dumps({"schema": SCHEMA, **answer}) + "\n")
    return 0


def said(*arguments: str) -> str:
    """What the cluster answers to its administrator."""
    status, out, err = run(["ceph", "--connect-timeout", "20", *arguments], LIMIT_S)
    if status != 0:
        last = " ".join((err or out).split())[-300:]
        raise Failed(f"ceph {' '.join(arguments[:3])}: exit {status}: {last or 'it said nothing'}")
    return out.strip()


def keys(request: dict[str, Any]) -> dict[str, str]:
    """Every key that was asked for."""
    found = {name: said("auth", "print-key", KEPT[name]) for name in request["kinds"] if name in KEPT}
    if "bootstrap_osd" in request["kinds"]:
        found["bootstrap_osd"] = said("auth", "get-or-create-key", *BOOTSTRAP)
    for client in request["clients"]:
        name = "client.{}".format(client["name"])
        found[name] = key_of(name, client["caps"])
    return found


def key_of(name: str, caps: list[str]) -> str:
    """A client's key, with these capabilities: a key that is there keeps its value and gets them."""
    status, out, _ = run(["ceph", "--connect-timeout", "20", "auth", "print-key", name], LIMIT_S)
    if status == 0:
        said("auth", "caps", name, *caps)
        return out.strip()
    return said("auth", "get-or-create-key", name, *caps)
