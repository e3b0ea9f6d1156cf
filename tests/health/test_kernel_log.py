"""The driver's errors are found in the kernel log, and none is lost in silence."""

from __future__ import annotations

import pytest

from leptonctl.health.kernel_log import read_kernel_log
from leptonctl.health.readings import XidEvent
from leptonctl.health.smi import NotUnderstood
from tests.health.recorded import DATA


def test_a_recorded_log_has_its_one_kind_of_error_and_nothing_else() -> None:
    found = read_kernel_log((DATA / "kernel.log").read_text().splitlines())
    assert {(event.bus_id, event.code) for event in found} == {("0000:9b:00.0", 119)}
    assert found[0].at_s == 1740327858.0
    assert found[0].text.startswith("pid=2024380, name=nvidia-smi, Timeout after 6s of waiting for RPC response")


@pytest.mark.parametrize(
    ("text", "code", "unit"),
    [
        ("79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.", 79, None),
        (
            "31, pid=77, name=python, Ch 00000008, intr 1. MMU Fault: ENGINE GRAPHICS GPCCLIENT_T1_0 faulted @ 0x7f",
            31,
            "GPCCLIENT_T1_0",
        ),
        (
            "13, pid=77, name=python, Graphics SM Warp Exception on (GPC 1, TPC 0, SM 1): Out Of Range Address",
            13,
            "GPC 1, TPC 0, SM 1",
        ),
        ("79", 79, None),
    ],
)
def test_code_and_unit_are_read(text: str, code: int, unit: str | None) -> None:
    (event,) = read_kernel_log([f"1700000000.250000 box kernel: NVRM: Xid (PCI:0000:3b:00): {text}"])
    told = text.partition(", ")[2]
    assert event == XidEvent(at_s=1700000000.25, bus_id="0000:3b:00.0", code=code, text=told, unit=unit)


def test_an_error_in_another_shape_is_not_passed_over() -> None:
    line = "1700000000.250000 box kernel: NVRM: Xid {PCI 3b}: seventy-nine"
    with pytest.raises(NotUnderstood) as caught:
        read_kernel_log([line])
    assert caught.value.message == f"a line with an Xid was not understood: {line!r}"
