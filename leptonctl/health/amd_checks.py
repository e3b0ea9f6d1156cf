"""Checks of what only AMD's GPUs have: amdgpu's errors, links by XGMI, and the level that the clocks are kept at."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING

from leptonctl.health.amdgpu import known_error
from leptonctl.health.findings import degraded, failed, unknown
from leptonctl.health.verdict import Action, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.health.readings import Case, DriverError

# A counter of a card that sleeps reads as all ones, and grows by as much with each look: found on real cards.
_ALL_ONES = 0xFFFF0
# Levels that keep a clock at its lowest. The others leave it to the card, hold it up, or are a person's own choice.
_KEPT_DOWN = frozenset({"low", "stable_min_mclk", "stable_min_sclk"})


def errors(case: Case) -> Iterator[Finding]:
    """What amdgpu logged, within the look-back; nothing from before the last boot but its last two hours."""
    reading, policy = case.reading, case.policy
    since = max(reading.now_s - policy["look_back_s"], reading.booted_s - policy["look_back_after_boot_s"])
    own = [one for one in reading.driver_errors or () if one.at_s >= since]
    for (bus_id, name), group in groupby(sorted(own, key=_place), key=_place):
        found = list(group)
        believed = [one for one in found if one.count is None or one.count % _ALL_ONES]
        if believed:
            known = known_error(name)
            yield Finding("amdgpu", known.verdict, bus_id, _told(name, believed), "none", known.source, known.action)
        else:
            text = f"amdgpu counts {found[-1].count} errors, which is what the counter of a sleeping card reads as"
            yield unknown("amdgpu", bus_id, text)


def xgmi(case: Case) -> Iterator[Finding]:
    """GPUs that each GPU reaches over XGMI: as many as are declared; without that, as many as the others reach."""
    declared = case.declared.xgmi_peers
    known = [gpu.xgmi_peers for gpu in case.gpus if gpu.xgmi_peers is not None]
    usual = Counter(known).most_common(1)[0][0] if len(set(known)) > 1 else None
    for gpu in case.gpus:
        peers = gpu.xgmi_peers
        what = f"reaches {peers} GPUs over XGMI"
        if declared is not None and peers is None:
            if "xgmi_peers" not in gpu.unreadable:
                yield unknown("XGMI", gpu.bus_id, "rocm-smi does not tell how the GPUs are linked")
        elif declared is not None and peers != declared:
            yield failed("XGMI", gpu, what, f"{declared} are declared", "the site file", Action.REBOOT)
        elif declared is None and usual is not None and peers is not None and peers < usual:
            yield degraded("XGMI", gpu, what, f"{usual}", "the host's other GPUs", Action.INSPECT)


def performance_level(case: Case) -> Iterator[Finding]:
    """A level that somebody set and that keeps the clocks down."""
    for gpu in case.gpus:
        if gpu.performance_level in _KEPT_DOWN:
            source = "amdgpu: power_dpm_force_performance_level, as rocm-smi names its levels"
            yield degraded("clocks", gpu, f"performance level {gpu.performance_level}", "auto", source, Action.NOTHING)


def _place(error: DriverError) -> tuple[str, str]:
    return error.bus_id or "", error.name


def _told(name: str, errors: list[DriverError]) -> str:
    parts = ", ".join(sorted({one.part for one in errors if one.part}))
    times = f", {len(errors)} times" if len(errors) > 1 else ""
    return f"{name}{f' ({parts})' if parts else ''}{times}"
