"""Reads a host's network ports and processes from files of the kernel: as it is, without a program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def infiniband(root: Path) -> list[dict[str, Any]]:
    """Give every InfiniBand port: `4: ACTIVE`, `5: LinkUp`, `400 Gb/sec (4X NDR)`, and how often its link was lost."""
    return [
        {
            "name": f"{port.parent.parent.name}/{port.name}",
            "state": text_of(port / "state"),
            "physical": text_of(port / "phys_state"),
            "rate": text_of(port / "rate"),
            "layer": text_of(port / "link_layer"),
            "downs": text_of(port / "counters/link_downed"),
        }
        for port in sorted((root / "sys/class/infiniband").glob("*/ports/*"))
    ]


def ethernet(root: Path) -> list[dict[str, Any]]:
    """Give every network interface that is a device of the machine, and none of those that software made."""
    return [
        {
            "name": interface.name,
            "state": text_of(interface / "operstate"),
            "speed": text_of(interface / "speed"),
            "downs": text_of(interface / "carrier_down_count"),
        }
        for interface in sorted((root / "sys/class/net").glob("*"))
        if (interface / "device").exists()
    ]


def zombies(root: Path) -> int:
    """Count the processes that have ended and that nobody asked for."""
    count = 0
    for path in (root / "proc").glob("[0-9]*/stat"):
        # The name stands in brackets and may hold anything; the state follows it.
        state = text_of(path).rpartition(")")[2].split()
        count += bool(state) and state[0] == "Z"
    return count


def text_of(path: Path) -> str:
    """Give what a file says; empty where it cannot be read (an interface that is down has no speed)."""
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
