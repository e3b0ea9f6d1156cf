"""Reads what the kernel says of network ports: each value is read, not offered, or not understood."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from leptonctl.health.readings import PortReading
from leptonctl.health.smi import NotUnderstood

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# `4: ACTIVE`, `5: LinkUp`; `400 Gb/sec (4X NDR)`.
_STATE = re.compile(r"\d+: (\w+)")
_RATE = re.compile(r"(\d+(?:\.\d+)?) Gb/sec(?: .*)?")
_ETHERNET = frozenset({"up", "down", "unknown", "dormant", "lowerlayerdown", "notpresent", "testing"})


def read_infiniband(ports: Iterable[Mapping[str, Any]]) -> tuple[PortReading, ...]:
    """Every port. Raises NotUnderstood for the first state or rate of another shape."""
    found = []
    for port in ports:
        state, physical = _STATE.fullmatch(port["state"]), _STATE.fullmatch(port["physical"])
        rate = _RATE.fullmatch(port["rate"])
        if state is None or physical is None or rate is None:
            said = f"{port['state']!r}, {port['physical']!r}, {port['rate']!r}"
            raise NotUnderstood(f"the state of the port {port['name']} was not understood: {said}")
        found.append(
            PortReading(
                name=port["name"],
                is_up=(state[1], physical[1]) == ("ACTIVE", "LinkUp"),
                state=f"{state[1]}, {physical[1]}",
                gbps=float(rate[1]),
                down_count=_count(port["downs"]),
            )
        )
    return tuple(found)


def read_ethernet(interfaces: Iterable[Mapping[str, Any]]) -> tuple[PortReading, ...]:
    """Every interface; one that is down has no speed. Raises NotUnderstood for a state of another shape."""
    found = []
    for one in interfaces:
        if one["state"] not in _ETHERNET:
            raise NotUnderstood(f"the state of the interface {one['name']} was not understood: {one['state']!r}")
        # In Mbit/s; -1 is the kernel's word for unknown.
        speed = int(one["speed"]) if re.fullmatch(r"\d+", one["speed"]) else None
        found.append(
            PortReading(
                name=one["name"],
                is_up=one["state"] == "up",
                state=one["state"],
                gbps=None if speed is None else speed / 1000,
                down_count=_count(one["downs"]),
            )
        )
    return tuple(found)


def _count(text: str) -> int | None:
    return int(text) if text.isdecimal() else None
