#!/usr/bin/python3
# Managed by leptonctl: the next run puts this file back.
"""Tells what devices hold that an OSD would overwrite. Changes nothing, and needs only what Python brings.

Prints JSON: for each device among the arguments what it holds, null where it is blank or an OSD of ours lies on it.
"""

import json
import subprocess
import sys
from pathlib import Path

OSDS = Path("/var/lib/ceph/osd")
LOOKED_AT = 4 << 20


def osd_homes() -> dict[str, Path]:
    """The OSDs of this host by what they lie on, as this program noted it."""
    return {
        (home / "leptonctl-on").read_text().strip(): home
        for home in sorted(OSDS.glob("ceph-*"))
        if (home / "leptonctl-on").exists()
    }


def holds(device: str) -> str | None:
    """What is on a device that an OSD would overwrite; None where it is blank."""
    path = Path(device)
    if not path.is_block_device():
        return "it is no block device that is there"
    name = path.resolve().name
    below = [part.name for part in Path("/sys/class/block", name).glob(f"{name}*")]
    below += [one.name for one in Path("/sys/class/block", name, "holders").glob("*")]
    if below:
        return f"it is used by {', '.join(sorted(below))}"
    if any(line.split()[0] in {device, f"/dev/{name}"} for line in Path("/proc/mounts").read_text().splitlines()):
        return "it is mounted"
    signatures = signatures_on(device)
    if signatures:
        return f"it holds {', '.join(sorted(set(signatures)))}"
    with path.open("rb") as file:
        return "its first bytes are not blank" if file.read(LOOKED_AT).strip(b"\0") else None


def signatures_on(device: str) -> list[str]:
    """The kinds of file systems, partition tables and volumes that begin on a device."""
    argv = ["wipefs", "--no-act", "--noheadings", "--output", "TYPE", device]
    done = subprocess.run(argv, text=True, capture_output=True, check=False, timeout=60)
    if done.returncode != 0:
        sys.exit(f"wipefs {device}: exit {done.returncode}: {' '.join(done.stderr.split())[-300:]}")
    return done.stdout.split()


if __name__ == "__main__":
    KNOWN = osd_homes()
    print(json.dumps({on: None if on in KNOWN else holds(on) for on in sys.argv[1:]}))
