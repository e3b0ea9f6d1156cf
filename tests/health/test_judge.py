"""The verdict on a host: what is declared is compared, what was not read is unknown, and unknown never passes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from leptonctl.health.judge import judge
from leptonctl.health.policy import default_policy
from leptonctl.health.readings import Declared, HostReading, LinkReading, XidEvent
from leptonctl.health.verdict import Action, Verdict
from tests.health.recorded import A10G, A100, ADA, NOW_S, ONE, T4, edited, host, text_of

POLICY = default_policy()
FINE = edited(A100, ("<persistence_mode>Disabled<", "<persistence_mode>Enabled<"))
BUS = "0000:01:00.0"
REMAP_PENDING = (
    "<remapped_rows><remapped_row_corr>0</remapped_row_corr><remapped_row_unc>1</remapped_row_unc>"
    "<remapped_row_pending>Yes</remapped_row_pending><remapped_row_failure>No</remapped_row_failure></remapped_rows>"
)


def told(reading: HostReading, declared: Declared = ONE) -> list[tuple[str, Verdict, str, str, str, Action]]:
    found = judge(reading, declared, POLICY)
    return [(one.check, one.verdict, one.subject, one.measured, one.threshold, one.action) for one in found.findings]


def test_a_card_in_order_has_no_finding_and_passes() -> None:
    found = judge(host(FINE), Declared(count=1, model="A100", memory_gib=80, serials=("1650522003820",)), POLICY)
    assert (found.verdict, found.action, found.findings) == (Verdict.HEALTHY, Action.NOTHING, ())
    assert found.gpus == {BUS: Verdict.HEALTHY}


@pytest.mark.parametrize("name", [A10G, T4])
def test_cards_of_cloud_machines_in_a_narrow_slot_raise_no_alarm_about_it(name: str) -> None:
    assert [one[0] for one in told(host(text_of(name)))] == ["persistence"]


def test_a_card_in_use_is_not_called_full_of_leftovers() -> None:
    assert told(host(text_of(ADA))) == []


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (
            ("<gpu_temp>27 C<", "<gpu_temp>86 C<"),
            ("temperature", Verdict.DEGRADED, BUS, "86 C", "at most 85 C", Action.INSPECT),
        ),
        (
            ("<memory_temp>44 C<", "<memory_temp>96 C<"),
            ("memory temperature", Verdict.DEGRADED, BUS, "96 C", "at most 95 C", Action.INSPECT),
        ),
        (
            (
                ">Not Active</clocks_event_reason_hw_thermal_slowdown>",
                ">Active</clocks_event_reason_hw_thermal_slowdown>",
            ),
            ("clocks", Verdict.DEGRADED, BUS, "hw thermal slowdown", "no slowdown", Action.INSPECT),
        ),
        (
            (
                "<remapped_rows>N/A</remapped_rows>",
                REMAP_PENDING,
            ),
            ("row remapping", Verdict.FAILED, BUS, "a remap is pending", "none", Action.RESET_GPU),
        ),
        (
            ("<power_draw>67.03 W<", "<power_draw>1800.00 W<"),
            ("power", Verdict.DEGRADED, BUS, "1800 W", "0 to 1500 W", Action.INSPECT),
        ),
        (
            ("<replay_counter>0<", "<replay_counter>Unknown Error<"),
            (
                "reading",
                Verdict.UNKNOWN,
                BUS,
                "nvidia-smi's pcie_replays were not understood",
                "an answer",
                Action.DRAIN,
            ),
        ),
    ],
)
def test_each_fault_is_one_finding_with_its_figures(edit: tuple[str, str], expected: tuple[str, ...]) -> None:
    text = FINE
    assert text.count(edit[0]) == 1, edit
    assert told(host(text.replace(*edit))) == [expected]


def test_uncorrectable_errors_fail_the_card() -> None:
    text = FINE.replace("<dram_uncorrectable>0<", "<dram_uncorrectable>2<", 1)
    assert told(host(text)) == [
        ("ecc", Verdict.FAILED, BUS, "2 uncorrectable since the driver was loaded", "at most 0", Action.RESET_GPU)
    ]


def test_a_gpu_that_fell_off_the_bus_is_failed_and_not_undeclared() -> None:
    reading = replace(host(FINE), pci_bus_ids=(BUS, "0000:41:00.0"))
    assert told(reading, Declared(count=2)) == [
        (
            "count",
            Verdict.FAILED,
            "",
            "1 GPUs that answer the driver; 0000:41:00.0 are on the bus and do not answer",
            "2 are declared",
            Action.DRAIN,
        )
    ]
    gone = told(host(FINE), Declared(count=2))
    assert [one[3] for one in gone] == ["1 GPUs on the PCI bus", "1 GPUs that answer the driver"]


def test_other_cards_than_declared_are_failed() -> None:
    declared = Declared(count=1, model="H100", memory_gib=141, serials=("42",))
    assert [(one[0], one[3], one[4]) for one in told(host(FINE), declared)] == [
        ("model", "NVIDIA A100-SXM4-80GB", "H100 is declared"),
        ("memory", "81920 MiB", "141 GiB are declared"),
        ("serial", "1650522003820", "declared: 42"),
    ]


def test_what_was_not_read_is_unknown_and_does_not_pass() -> None:
    reading = HostReading(
        now_s=NOW_S, booted_s=0, pci_bus_ids=(BUS,), xids=(), unread={"nvidia-smi": "no answer within 30 s"}
    )
    found = judge(reading, ONE, POLICY)
    assert found.verdict == Verdict.UNKNOWN
    assert not found.verdict.passes
    assert [(one.check, one.measured) for one in found.findings] == [("nvidia-smi", "no answer within 30 s")]
    silent = judge(HostReading(now_s=NOW_S, booted_s=0), replace(ONE, links=18), POLICY)
    assert [one.check for one in silent.findings] == ["NVLink", "PCI bus", "kernel log", "nvidia-smi"]


def test_a_narrower_card_than_its_neighbours_is_degraded() -> None:
    reading = host(FINE)
    assert reading.smi is not None
    first = reading.smi.gpus[0]
    gpus = tuple(
        replace(first, bus_id=f"0000:0{number}:00.0", pcie_width=8 if number == 2 else 16) for number in (1, 2, 3)
    )
    smi = replace(reading.smi, gpus=gpus, attached_count=3)
    reading = replace(reading, smi=smi, pci_bus_ids=tuple(gpu.bus_id for gpu in gpus))
    assert told(reading, Declared(count=3)) == [
        ("PCIe", Verdict.DEGRADED, "0000:02:00.0", "8 lanes", "16 lanes", Action.INSPECT)
    ]


def links(count: int, **odd: object) -> tuple[LinkReading, ...]:
    uuid = "GPU-513536b6-7d19-9063-b049-1e69664bb298"
    whole = [LinkReading(gpu_uuid=uuid, link=number, speed_gbps=26.562) for number in range(count)]
    whole[2] = replace(whole[2], **odd)  # type: ignore[arg-type]
    return tuple(whole)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (links(18, speed_gbps=None), [("NVLink", Verdict.FAILED, "links 2 are down")]),
        (links(17), [("NVLink", Verdict.FAILED, "17 links")]),
        (links(18, speed_gbps=1.5), [("NVLink", Verdict.FAILED, "link 2 at 1.5 GB/s")]),
        (links(18, errors=4), [("NVLink", Verdict.DEGRADED, "link 2 has 4 errors")]),
        ((), [("NVLink", Verdict.FAILED, "no link")]),
        (links(18), []),
    ],
)
def test_links_are_up_fast_and_as_many_as_declared(found: tuple[LinkReading, ...], expected: list[object]) -> None:
    declared = Declared(count=1, links=18, link_gbps=26.562)
    assert [(one[0], one[1], one[3]) for one in told(host(FINE, links=found), declared)] == expected


def test_the_fabric_is_judged_where_a_switch_is_declared() -> None:
    declared = Declared(count=1, has_nvswitch=True)
    assert [(one[0], one[1], one[3]) for one in told(host(FINE, fabric_manager_active=False), declared)] == [
        ("Fabric Manager", Verdict.FAILED, "stopped"),
        ("fabric", Verdict.FAILED, "fabric not offered, not offered"),
    ]
    assert told(host(FINE), declared)[1][1] == Verdict.UNKNOWN


def event(code: int, *, ago_s: float = 60, unit: str | None = None) -> XidEvent:
    return XidEvent(at_s=NOW_S - ago_s, bus_id=BUS, code=code, text="", unit=unit)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([event(79)], [("Xid 79 (the GPU has fallen off the bus)", Verdict.FAILED, Action.REBOOT)]),
        ([event(5)], [("Xid 5", Verdict.UNKNOWN, Action.SUPPORT)]),
        ([event(43)], [("Xid 43 (the application was stopped; the GPU is well)", Verdict.HEALTHY, Action.NOTHING)]),
        (
            [event(48), event(45)],
            [("Xid 48 (double-bit ECC error)", Verdict.FAILED, Action.RESET_GPU)],
        ),
        (
            [event(163, ago_s=90), event(162)],
            [("Xid 162 (the power smoothing hardware is engaged again)", Verdict.HEALTHY, Action.NOTHING)],
        ),
        (
            [event(162, ago_s=90), event(163)],
            [
                ("Xid 163 (the power smoothing hardware was disengaged)", Verdict.DEGRADED, Action.SUPPORT),
                ("Xid 162 (the power smoothing hardware is engaged again)", Verdict.HEALTHY, Action.NOTHING),
            ],
        ),
        (
            [event(119)] * 5,
            [("Xid 119 (time-out of a call to the GPU system processor), 5 times", Verdict.FAILED, Action.SUPPORT)],
        ),
        (
            [event(31, unit="GPCCLIENT_T1_0"), event(31, unit="GPCCLIENT_T2_0")],
            [
                (
                    "Xid 31 (memory page fault; most often the application's fault), 2 times",
                    Verdict.HEALTHY,
                    Action.RESTART_APPLICATION,
                )
            ],
        ),
        (
            [event(31, unit="GPCCLIENT_T1_0"), event(31, unit="GPCCLIENT_T1_0")],
            [
                (
                    "Xid 31 (memory page fault; most often the application's fault), 2 times",
                    Verdict.DEGRADED,
                    Action.INSPECT,
                )
            ],
        ),
        ([event(79, ago_s=2 * 86400)], []),
    ],
)
def test_logged_errors_are_judged_by_the_table_and_by_their_repeats(
    events: list[XidEvent], expected: list[tuple[str, Verdict, Action]]
) -> None:
    assert [(one[3], one[1], one[5]) for one in told(host(FINE, xids=tuple(events)))] == expected


def test_what_was_before_the_last_boot_does_not_return() -> None:
    before = event(79, ago_s=4 * 3600)
    assert told(host(FINE, xids=(before,), booted_s=NOW_S - 600)) == []
    assert told(host(FINE, xids=(before,), booted_s=NOW_S - 86400)) != []


def test_the_reason_names_gpu_serial_number_and_action() -> None:
    xids = (XidEvent(at_s=NOW_S - 60, bus_id=BUS, code=79, text=""),)
    found = judge(host(FINE, xids=xids), ONE, POLICY)
    assert found.reason == (
        f"{BUS} (serial 1650522003820): Xid: Xid 79 (the GPU has fallen off the bus) (should be: none); reboot the host"
    )


def test_a_declared_serial_number_that_does_not_answer_is_named() -> None:
    declared = Declared(count=2, serials=("1650522003820", "gone"))
    assert (told(host(FINE), declared)[0])[3] == "1 GPUs on the PCI bus"
    assert (told(host(FINE), declared)[1])[3] == "1 GPUs that answer the driver; serial gone did not answer"
