"""Prints as JSON what the role `kubernetes` has to know of a host before it changes anything. Reads only."""

import json
import os
import re
import subprocess
from pathlib import Path

NEEDED_CGROUPS = ("cpu", "cpuset", "memory", "pids")
LISTENS = "0A"


def swap() -> list[str]:
    """Devices and files that the kernel swaps to."""
    return [line.split()[0] for line in Path("/proc/swaps").read_text(encoding="utf-8").splitlines()[1:]]


def memory_mib() -> int:
    """All memory that the kernel has."""
    found = re.search(r"^MemTotal:\s+(\d+) kB", Path("/proc/meminfo").read_text(encoding="utf-8"), re.MULTILINE)
    return int(found.group(1)) // 1024


def missing_cgroups() -> list[str]:
    """Controllers that a kubelet needs and the kernel does not offer, in either version of cgroups."""
    unified = Path("/sys/fs/cgroup/cgroup.controllers")
    if unified.exists():
        offered = set(unified.read_text(encoding="utf-8").split())
    else:
        offered = {line.split()[0] for line in Path("/proc/cgroups").read_text(encoding="utf-8").splitlines()[1:]}
    return [name for name in NEEDED_CGROUPS if name not in offered]


def ports() -> list[int]:
    """TCP ports that somebody listens on."""
    found = set()
    for name in ("tcp", "tcp6"):
        table = Path("/proc/net", name)
        for line in table.read_text(encoding="utf-8").splitlines()[1:] if table.exists() else []:
            words = line.split()
            if words[3] == LISTENS:
                found.add(int(words[1].rpartition(":")[2], 16))
    return sorted(found)


def kubelet() -> str | None:
    """The version of the kubelet that is installed; None where there is none."""
    try:
        said = subprocess.run(["kubelet", "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return None
    found = re.search(r"v(\d+\.\d+\.\d+)", said)
    return found.group(1) if found else None


print(
    json.dumps(
        {
            "swap": swap(),
            "memory_mib": memory_mib(),
            "cpus": os.cpu_count(),
            "missing_cgroups": missing_cgroups(),
            "ports": ports(),
            "kubelet": kubelet(),
            "is_member": Path("/etc/kubernetes/kubelet.conf").exists(),
        }
    )
)
