"""The PCIe link of a GPU: lanes, generation and replays, from a recorded answer with one place changed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from leptonctl.health.judge import judge
from leptonctl.health.policy import default_policy
from leptonctl.health.verdict import Verdict
from tests.health.recorded import A100, NOW_S, ONE, edited, host

if TYPE_CHECKING:
    from leptonctl.health.readings import Declared, HostReading

PERSISTENT = ("<persistence_mode>Disabled<", "<persistence_mode>Enabled<")
FINE = host(edited(A100, PERSISTENT))


def told(reading: HostReading, declared: Declared = ONE) -> list[tuple[str, Verdict, str, str, str]]:
    found = judge(reading, declared, default_policy())
    return [(one.check, one.verdict, one.measured, one.threshold, one.source) for one in found.findings]


def pair(*edits: tuple[str, str]) -> HostReading:
    """A host with two GPUs, of which the second is as edited."""
    first, second = host(edited(A100, PERSISTENT)), host(edited(A100, PERSISTENT, *edits))
    assert first.smi is not None
    assert second.smi is not None
    gpus = (*first.smi.gpus, *(replace(gpu, bus_id="0000:02:00.0", uuid="GPU-2") for gpu in second.smi.gpus))
    smi = replace(first.smi, gpus=gpus, attached_count=2)
    return replace(first, smi=smi, pci_bus_ids=tuple(gpu.bus_id for gpu in gpus))


def test_a_link_as_declared_has_no_finding_and_an_idle_one_that_saves_power_neither() -> None:
    assert told(FINE, replace(ONE, pcie_width=16, pcie_generation=4)) == []
    idle = host(edited(A100, PERSISTENT, ("<current_link_gen>4<", "<current_link_gen>1<")))
    assert told(idle, replace(ONE, pcie_generation=4)) == []


def test_a_generation_below_the_declared_one_or_below_that_of_the_other_gpus_is_degraded() -> None:
    assert told(FINE, replace(ONE, pcie_generation=5)) == [
        ("PCIe", Verdict.DEGRADED, "generation 4 at most", "generation 5", "the site file")
    ]
    slow = pair(("<max_link_gen>4<", "<max_link_gen>3<"))
    assert told(slow, replace(ONE, count=2)) == [
        ("PCIe", Verdict.DEGRADED, "generation 3 at most", "generation 4", "the host's other GPUs")
    ]


@pytest.mark.parametrize(
    ("replays", "minutes", "verdict", "measured"),
    [
        (80, 10, None, ""),
        (90, 10, Verdict.DEGRADED, "90 replays, 9 a minute since the host booted"),
        (2010, 10, Verdict.FAILED, "2010 replays, 201 a minute since the host booted"),
        (9, 0, Verdict.DEGRADED, "9 replays, 9 a minute since the host booted"),
        (90, 1440, None, ""),
    ],
)
def test_replays_count_by_the_minute_since_the_boot(
    replays: int, minutes: int, verdict: Verdict | None, measured: str
) -> None:
    reading = host(edited(A100, PERSISTENT, ("<replay_counter>0<", f"<replay_counter>{replays}<")))
    found = told(replace(reading, booted_s=NOW_S - minutes * 60))
    assert [(one[1], one[2]) for one in found] == ([] if verdict is None else [(verdict, measured)])
