"""Checks of the PCIe link of each GPU: its lanes, the generation that card and slot can do, and repeated packets."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from leptonctl.health.findings import degraded, failed
from leptonctl.health.verdict import Action, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from leptonctl.health.readings import Case


def width(case: Case) -> Iterator[Finding]:
    """Lanes against the declared ones; without those, against the other GPUs: a slot may be narrower than the card."""
    declared = case.declared.pcie_width
    usual = declared or _usual([gpu.pcie_width for gpu in case.gpus])
    source = _source(declared)
    for gpu in case.gpus:
        if usual is not None and gpu.pcie_width is not None and gpu.pcie_width < usual:
            yield degraded("PCIe", gpu, f"{gpu.pcie_width} lanes", f"{usual} lanes", source, Action.INSPECT)


def generation(case: Case) -> Iterator[Finding]:
    """The highest generation that card and slot agree on. Not the present one: an idle GPU lowers it to save power."""
    declared = case.declared.pcie_generation
    usual = declared or _usual([gpu.pcie_generation_max for gpu in case.gpus])
    source = _source(declared)
    for gpu in case.gpus:
        if usual is not None and gpu.pcie_generation_max is not None and gpu.pcie_generation_max < usual:
            what = f"generation {gpu.pcie_generation_max} at most"
            yield degraded("PCIe", gpu, what, f"generation {usual}", source, Action.INSPECT)


def replays(case: Case) -> Iterator[Finding]:
    """Packets that were sent again, a minute, over the time since the host booted.

    The counter starts at the earliest then, so that the true rate was this at least: no false alarm, but a short storm
    after a long rest is only seen in the metrics.
    """
    minutes = max((case.reading.now_s - case.reading.booted_s) / 60, 1.0)
    for gpu in case.gpus:
        rate = (gpu.pcie_replays or 0) / minutes
        for name, finding, action in (
            ("pcie_replays_failed", failed, Action.DRAIN),
            ("pcie_replays_degraded", degraded, Action.INSPECT),
        ):
            most = case.policy[name]
            if rate > most:
                what = f"{gpu.pcie_replays} replays, {rate:.0f} a minute since the host booted"
                yield finding("PCIe", gpu, what, f"at most {most} a minute", case.policy.source(name), action)
                break


def _usual(found: Sequence[int | None]) -> int | None:
    """What most GPUs of the host have; None where all are the same."""
    known = [one for one in found if one is not None]
    return Counter(known).most_common(1)[0][0] if len(set(known)) > 1 else None


def _source(declared: int | None) -> str:
    return "the site file" if declared else "the host's other GPUs"
