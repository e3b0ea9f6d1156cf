"""Runs on a host, as root, sent over SSH: reads what tells of its GPUs, as it is. Prints one JSON object.

Nothing is judged and nothing is changed here. Each source is `{"text": ...}` or `{"failed": reason}`.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from leptonctl.hosts.remote.amd import QUESTION, TOPOLOGY, of_driver
from leptonctl.hosts.remote.drill import about_drill, drill_log
from leptonctl.hosts.remote.facts import run
from leptonctl.hosts.remote.links import ethernet, infiniband, zombies
from leptonctl.hosts.remote.versions import versions

SCHEMA = 1
# A driver that hangs on a lost GPU lets nvidia-smi wait for minutes; then the answer is that there was none.
SMI_LIMIT_S = 60
LOG_LIMIT = 4 * 1024 * 1024
KERNEL_LOG = ("journalctl", "--dmesg", "--boot=all", "--output=short-unix", "--no-pager")
VENDORS = {"nvidia": "0x10de", "amd": "0x1002"}
# Display and 3D controllers, and processing accelerators (AMD's from MI300X on), by the first byte of the class.
CLASSES = ("0x03", "0x12")
SMI = {"nvidia": ["nvidia-smi", "-q", "-x"], "amd": QUESTION}


def main(request: dict[str, Any]) -> int:
    """Read every source and print what it said."""
    sys.stdout.write(json.dumps(read_host(request)) + "\n")
    return 0


def read_host(request: dict[str, Any]) -> dict[str, Any]:
    """Give what every source said."""
    root = Path(request.get("root", "/"))
    booted_s = boot_time(root)
    vendor = request.get("vendor", "nvidia")
    bus_ids = pci_bus_ids(root, vendor)
    answer: dict[str, Any] = {
        "schema": SCHEMA,
        "now_s": time.time(),
        "booted_s": booted_s,
        "vendor": vendor,
        "pci": bus_ids,
        "smi": said(SMI[vendor]),
        "log": said(
            ["journalctl", "--dmesg", "--boot=all", "--output=short-unix", "--no-pager", "--since", since(request)]
        ),
        "fabric_manager": unit_state("nvidia-fabricmanager.service"),
    }
    if request.get("with_links"):
        answer["links"] = said(["nvidia-smi", "nvlink", "--status"])
        answer["link_errors"] = said(["nvidia-smi", "nvlink", "--errorcounters"])
    if vendor == "amd":
        answer["driver"] = of_driver(root, bus_ids)
        answer["topology"] = said(TOPOLOGY)
    answer["infiniband"], answer["ethernet"] = infiniband(root), ethernet(root)
    answer["zombie_count"] = zombies(root)
    answer["versions"] = versions(root)
    # A drill adds to what the kernel said, and takes nothing away: it can make a host look worse, never better.
    answer["drill"] = about_drill()
    if answer["drill"] is not None and "text" in answer["log"]:
        answer["log"]["text"] += drill_log()
    return answer


def since(request: dict[str, Any]) -> str:
    """Give the moment from which the kernel log is read, as journalctl takes it."""
    return "@%d" % (time.time() - request["look_back_s"])


def said(argv: list[str]) -> dict[str, str]:
    """What a program printed, or why there is nothing to go by."""
    status, out, err = run(argv, SMI_LIMIT_S)
    if status != 0:
        reason = " ".join((err or out).split())[-300:] or "it said nothing"
        return {"failed": f"{' '.join(argv[:2])}: exit {status}: {reason}"}
    if len(out) > LOG_LIMIT:
        return {"failed": f"{' '.join(argv[:2])}: it said more than {LOG_LIMIT} characters"}
    return {"text": out}


def boot_time(root: Path) -> float:
    """Give the start of the kernel, in Unix time."""
    for line in (root / "proc/stat").read_text().splitlines():
        if line.startswith("btime "):
            return float(line.split()[1])
    return 0.0


def pci_bus_ids(root: Path, maker: str) -> list[str]:
    """Every GPU of a maker that answers on the PCI bus, whether a driver has it or not."""
    found = []
    for device in sorted((root / "sys/bus/pci/devices").glob("*")):
        vendor = (device / "vendor").read_text().strip()
        if vendor == VENDORS[maker] and (device / "class").read_text().startswith(CLASSES):
            found.append(device.name)
    return found


def unit_state(name: str) -> str:
    """Give systemd's word for a unit: active, inactive, failed; `unknown` where there is none."""
    _, out, _ = run(["systemctl", "show", "--property=ActiveState,LoadState", "--", name])
    states = dict(line.split("=", 1) for line in out.splitlines() if "=" in line)
    return states.get("ActiveState", "unknown") if states.get("LoadState") == "loaded" else "unknown"
