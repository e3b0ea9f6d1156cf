"""Reads the driver's errors (Xid) from the kernel log, as `journalctl -k -o short-unix` prints it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from leptonctl.health.readings import XidEvent
from leptonctl.health.smi import NotUnderstood, short_bus_id

if TYPE_CHECKING:
    from collections.abc import Iterable

_MARK = "NVRM: Xid"
_EVENT = re.compile(
    r"(?P<at>\d+\.\d+) \S+ kernel: (?:\[[^]]*\] )?NVRM: Xid "
    r"\(PCI:(?P<bus>[0-9a-fA-F]{4,8}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2}(?:\.[0-7])?)(?: GPU-I:\d+)?\): (?P<code>\d+)"
    r"(?:, (?P<text>.*))?"
)
# The part of the GPU that a memory fault (31) or an exception (13) names: the same part twice is the card's fault.
_UNIT = re.compile(r"\b(?P<client>[A-Z]+CLIENT_[A-Z0-9_]+)\b|\((?P<place>GPC \d+, TPC \d+(?:, SM \d+)?)\)")


def read_kernel_log(lines: Iterable[str]) -> tuple[XidEvent, ...]:
    """Every Xid, in the order of the log; all other lines are passed over.

    Raises NotUnderstood for a line that carries an Xid in another shape: it must not be lost in silence.
    """
    events: list[XidEvent] = []
    for line in lines:
        if _MARK not in line:
            continue
        found = _EVENT.fullmatch(line.rstrip())
        if found is None:
            raise NotUnderstood(f"a line with an Xid was not understood: {line.strip()[:200]!r}")
        text = found["text"] or ""
        unit = _UNIT.search(text)
        events.append(
            XidEvent(
                at_s=float(found["at"]),
                bus_id=short_bus_id(found["bus"]),
                code=int(found["code"]),
                text=text,
                unit=(unit["client"] or unit["place"]) if unit else None,
            )
        )
    return tuple(events)
