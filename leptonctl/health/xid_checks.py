"""Checks of the errors that the driver logged."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING

from leptonctl.health.verdict import Action, Finding, Verdict
from leptonctl.health.xid import xid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.health.policy import Policy
    from leptonctl.health.readings import Case, XidEvent

PREEMPTED = 45
SMOOTHING_BACK, SMOOTHING_GONE = 162, 163
REPEATED_BY_UNIT = frozenset({13, 31})


def xids(case: Case) -> Iterator[Finding]:
    """What the driver logged, within the look-back; nothing from before the last boot but its last two hours."""
    reading, policy = case.reading, case.policy
    since = max(reading.now_s - policy["look_back_s"], reading.booted_s - policy["look_back_after_boot_s"])
    events = [one for one in reading.xids or () if one.at_s >= since]
    for bus_id, group in groupby(sorted(events, key=lambda one: (one.bus_id, one.at_s)), key=lambda one: one.bus_id):
        own = list(group)
        codes = Counter(one.code for one in own)
        for code, times in sorted(codes.items()):
            if (code == PREEMPTED and len(codes) > 1) or (code == SMOOTHING_GONE and _is_over(own)):
                continue
            yield _xid_finding(bus_id, code, times, own, policy)


def _is_over(events: list[XidEvent]) -> bool:
    last = {one.code: one.at_s for one in events}
    return last.get(SMOOTHING_BACK, 0.0) > last[SMOOTHING_GONE]


def _xid_finding(bus_id: str, code: int, times: int, events: list[XidEvent], policy: Policy) -> Finding:
    known = xid(code)
    verdict, action, source, threshold = known.verdict, known.action, known.source, "none"
    units = Counter(one.unit for one in events if one.code == code and one.unit)
    unit, most = units.most_common(1)[0] if units else (None, 0)
    if code in REPEATED_BY_UNIT and most >= policy["unit_repeats"]:
        verdict, action, source = Verdict.DEGRADED, Action.INSPECT, policy.source("unit_repeats")
        threshold = f"fewer than {policy['unit_repeats']} times on {unit}"
    elif verdict == Verdict.FAILED and times >= policy["fatal_repeats"]:
        action, source = Action.SUPPORT, policy.source("fatal_repeats")
        threshold = f"fewer than {policy['fatal_repeats']} times"
    what = f"Xid {code}{f' ({known.name})' if known.name else ''}{f', {times} times' if times > 1 else ''}"
    return Finding("Xid", verdict, bus_id, what, threshold, source, action)
