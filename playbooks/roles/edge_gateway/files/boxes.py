#!/usr/bin/python3
# Managed by leptonctl: the next run puts this file back.
"""Whether a gateway lets in its boxes and nobody else: prints `all of them, and nobody else`, or what is wrong.

Which boxes it has stands in a file of the role; who comes in now is asked of WireGuard; and lepton.peers decides who
does after the next start. Reads only.
"""

import json
import subprocess
import sys
from pathlib import Path

INTERFACE = "lepton"
BOXES = Path("/etc/leptonctl/boxes.json")
PEERS = Path("/etc/wireguard/lepton.peers")


def main() -> int:
    """Look once."""
    asked = ["wg", "show", INTERFACE, "allowed-ips"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=10)
    if done.returncode != 0:
        print(f"no interface {INTERFACE}: {done.stderr.strip()}")
        return 1
    boxes = json.loads(BOXES.read_text(encoding="utf-8"))
    wrong = problem(boxes, done.stdout, PEERS.read_text(encoding="utf-8") if PEERS.exists() else "")
    print(wrong or "all of them, and nobody else")
    return 1 if wrong else 0


def problem(boxes: "dict[str, str]", now: str, file: str) -> "str | None":
    """What is wrong, of boxes with their addresses in the tunnel, WireGuard's table and the text of its file."""
    ranges = {f"{address}/32": host for host, address in boxes.items()}
    let_in = {tuple(sorted(line.split()[1:])): line.split()[0] for line in now.splitlines()}
    known = {one for taken in let_in for one in taken}
    for one, host in sorted(ranges.items()):
        if one not in known:
            return f"{host} is not let in"
    for taken in sorted(let_in):
        if len(taken) != 1 or taken[0] not in ranges:
            return f"{let_in[taken]} is let in as {', '.join(taken)}, and is no box of the site"
    if of_file(file) != sorted((key, *taken) for taken, key in let_in.items()):
        return f"{PEERS} lets in others than come in now"
    return None


def of_file(text: str) -> "list[tuple[str, ...]]":
    """Key and ranges of each peer of WireGuard's file."""
    found = []
    for part in text.split("[Peer]")[1:]:
        settings = dict(line.split("=", 1) for line in part.splitlines() if "=" in line and not line.startswith("#"))
        named = {name.strip().lower(): value.strip() for name, value in settings.items()}
        ranges = [one.strip() for one in named.get("allowedips", "").split(",")]
        found.append((named.get("publickey", ""), *sorted(ranges)))
    return sorted(found)


if __name__ == "__main__":
    sys.exit(main())
