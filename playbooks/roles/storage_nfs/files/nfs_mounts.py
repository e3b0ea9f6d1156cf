#!/usr/bin/python3
# Managed by leptonctl: the next run puts this file back.
"""Mounts folders of NFS servers, or says why not.

Usage: nfs_mounts UNIT... has systemd start each mount, and does not wait: a server may not be there yet. Prints
`changed: ...` for each that was not mounted. nfs_mounts --check PATH prints `mounted`, or what is in the way.
"""

import subprocess
import sys
from pathlib import Path


def is_mounted(path: str) -> bool:
    """Whether an NFS file system is mounted there."""
    words = (line.split() for line in Path("/proc/mounts").read_text().splitlines())
    return any(line[1] == path and line[2].startswith("nfs") for line in words)


def check(path: str) -> str:
    """What is in the way, or `mounted`."""
    if is_mounted(path):
        return "mounted"
    known = {line.split()[-1] for line in Path("/proc/filesystems").read_text().splitlines()}
    if "nfs4" not in known:
        return "installed, not there: no such device (this kernel has no client of NFS version 4)"
    return "installed, not there: the server does not answer, or does not let this host in"


def start(unit: str) -> None:
    """Have a mount started."""
    state = subprocess.run(["systemctl", "is-active", unit], text=True, capture_output=True, check=False).stdout
    if state.strip() not in {"active", "activating"}:
        subprocess.run(["systemctl", "reset-failed", unit], check=False, capture_output=True)
        subprocess.run(["systemctl", "start", "--no-block", unit], check=True)
        known = {line.split()[-1] for line in Path("/proc/filesystems").read_text().splitlines()}
        # Where the kernel cannot, trying again changes nothing.
        if "nfs4" in known:
            print(f"changed: {unit} starts")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--check"]:
        print(check(sys.argv[2]))
    else:
        for name in sys.argv[1:]:
            start(name)
