"""What rocm-smi and amdgpu say of AMD's GPUs: a recorded answer (tests/data/gpu), whole, and with one place changed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from leptonctl.health.answer import reading_of
from leptonctl.health.judge import judge
from leptonctl.health.policy import default_policy
from leptonctl.health.readings import Declared
from leptonctl.health.rocm import read_rocm_smi
from leptonctl.health.smi import NotUnderstood
from leptonctl.health.verdict import Action, Verdict
from tests.health.recorded import NOW_S, text_of

MI100 = "mi100-rocm602.json"
FIRST, SECOND = "0000:83:00.0", "0000:a3:00.0"
TWO = Declared(count=2, vendor="amd", model="MI100", memory_gib=32)
# As the kernel's documentation of amdgpu has it; in thousandths of a degree.
FINE = {"ras": {"umc_err_count": "ue: 0\nce: 1", "gfx_err_count": "ue: 0\nce: 0"}, "limits": {"junction": "100000"}}


def answer(
    *,
    smi: str | None = None,
    driver: dict[str, Any] | None = None,
    pci: tuple[str, ...] = (FIRST, SECOND),
    log: str = "",
    topology: str | None = None,
) -> Any:
    return {
        "vendor": "amd",
        "now_s": NOW_S,
        "booted_s": NOW_S - 86400,
        "pci": list(pci),
        "smi": {"text": text_of(MI100) if smi is None else smi},
        "topology": {"failed": "rocm-smi --showtopotype: exit 2"} if topology is None else {"text": topology},
        "driver": {FIRST: FINE, SECOND: FINE} | (driver or {}),
        "log": {"text": log},
        "fabric_manager": "unknown",
    }


def edited(card: str, **changed: str) -> str:
    data = json.loads(text_of(MI100))
    data[card] |= {key.replace("_", " "): value for key, value in changed.items()}
    return json.dumps(data)


def told(given: Any, declared: Declared = TWO) -> list[tuple[str, Verdict, str, str, Action]]:
    found = judge(reading_of(given), declared, default_policy())
    return [(one.check, one.verdict, one.subject, one.measured, one.action) for one in found.findings]


def test_cards_as_declared_have_no_finding() -> None:
    assert told(answer()) == []
    reading = reading_of(answer())
    assert reading.smi is not None
    (first, second) = reading.smi.gpus
    assert (first.bus_id, second.bus_id) == (FIRST, SECOND)
    assert (first.model, first.serial, first.memory_mib) == ("Arcturus GL-XL [Instinct MI100]", None, 32752)
    assert (first.temperature_c, first.temperature_max_c, first.memory_temperature_c) == (55, 100, 53)
    assert (first.power_w, first.pcie_width, first.pcie_replays, first.unreadable) == (36.0, 16, 0, ())
    assert (first.ecc_uncorrectable, first.ecc_correctable) == (0, 1)
    assert reading.smi.driver_version == "6.3.6"


def test_a_card_that_fell_off_the_bus_is_failed_and_not_undeclared() -> None:
    data = json.loads(text_of(MI100))
    del data["card1"]
    lost = answer(smi=json.dumps(data), pci=(FIRST,))
    assert [one[:2] for one in told(lost)] == [("count", Verdict.FAILED)] * 2
    what = f"1 GPUs that answer the driver; {SECOND} are on the bus and do not answer"
    assert told(answer(smi=json.dumps(data))) == [("count", Verdict.FAILED, "", what, Action.DRAIN)]


@pytest.mark.parametrize(
    ("changed", "check", "verdict", "measured"),
    [
        ({"PCIe_Replay_Count": "900000"}, "PCIe", Verdict.FAILED, "900000 replays, 625 a minute since the host booted"),
        ({"Card_series": "Aldebaran [Instinct MI210]"}, "model", Verdict.FAILED, "Aldebaran [Instinct MI210]"),
        ({"VRAM_Total_Memory_(B)": "17171480576"}, "memory", Verdict.FAILED, "16376 MiB"),
        ({"pcie_clock_level": "0 (16.0GT/s x8)"}, "PCIe", Verdict.DEGRADED, "8 lanes"),
        ({"Performance_Level": "low"}, "clocks", Verdict.DEGRADED, "performance level low"),
        (
            {"Performance_Level": "turbo"},
            "reading",
            Verdict.UNKNOWN,
            "rocm-smi's performance_level were not understood",
        ),
        ({"Temperature_(Sensor_junction)_(C)": "101.0"}, "temperature", Verdict.DEGRADED, "101 C"),
        (
            {"Temperature_(Sensor_junction)_(C)": "hot"},
            "reading",
            Verdict.UNKNOWN,
            "rocm-smi's temperature_c were not understood",
        ),
    ],
)
def test_each_fault_is_one_finding(changed: dict[str, str], check: str, verdict: Verdict, measured: str) -> None:
    (found,) = told(answer(smi=edited("card1", **changed)))
    assert found[:4] == (check, verdict, SECOND, measured)


def test_uncorrectable_errors_of_any_part_fail_the_card_and_a_count_of_another_shape_is_unknown() -> None:
    broken = FINE | {"ras": {"umc_err_count": "ue: 2\nce: 0\nde: 1", "gfx_err_count": "ue: 1\nce: 0"}}
    (found,) = told(answer(driver={SECOND: broken}))
    assert found[1:4] == (Verdict.FAILED, SECOND, "3 uncorrectable since the driver was loaded")
    shy = FINE | {"ras": {"umc_err_count": "Query currently inaccessible"}}
    (unknown,) = told(answer(driver={SECOND: shy}))
    assert unknown[:2] == ("reading", Verdict.UNKNOWN)


@pytest.mark.parametrize("text", ["", "[]", '{"card0": {}}', '{"card0": 1}', "no AMD GPUs"])
def test_an_answer_of_another_shape_is_not_understood_and_never_passes(text: str) -> None:
    with pytest.raises(NotUnderstood):
        read_rocm_smi(text, {})
    assert ("rocm-smi", Verdict.UNKNOWN) in [one[:2] for one in told(answer(smi=text))]


def test_a_program_that_is_not_there_is_unknown_by_its_own_name() -> None:
    missing = answer() | {"smi": {"failed": "rocm-smi: exit 127: No such file or directory"}}
    assert told(missing)[0][:2] == ("rocm-smi", Verdict.UNKNOWN)


def test_while_anything_runs_no_card_is_called_full_of_leftovers() -> None:
    full = edited("card1", **{"VRAM_Total_Used_Memory_(B)": "20000000000"})
    assert [one[0] for one in told(answer(smi=full))] == ["leftovers"]
    data = json.loads(full)
    data["system"]["PID4711"] = "python3, 1, 20000000000, 0, 104"
    assert told(answer(smi=json.dumps(data))) == []


def test_a_host_of_nvidias_asks_nvidias_program() -> None:
    given = answer() | {"vendor": "nvidia"}
    assert ("nvidia-smi", Verdict.UNKNOWN) in [one[:2] for one in told(given, replace(TWO, vendor="nvidia"))]


LINK = "(Topology) Link type between DRM devices 0 and 1"


def linked(kind: str) -> str:
    data = json.loads(text_of(MI100))
    return json.dumps(data | {"system": data["system"] | {LINK: kind}})


def test_cards_that_reach_each_other_over_xgmi_as_declared_have_no_finding() -> None:
    assert told(answer(topology=linked("XGMI")), replace(TWO, xgmi_peers=1)) == []
    assert told(answer(topology=text_of(MI100))) == []


@pytest.mark.parametrize(
    ("topology", "verdict", "measured"),
    [
        (text_of(MI100), Verdict.FAILED, "reaches 0 GPUs over XGMI"),
        (None, Verdict.UNKNOWN, "rocm-smi does not tell how the GPUs are linked"),
        (linked("CXL"), Verdict.UNKNOWN, "rocm-smi's xgmi_peers were not understood"),
        ("no links", Verdict.UNKNOWN, "rocm-smi's xgmi_peers were not understood"),
        ("[]", Verdict.UNKNOWN, "rocm-smi's xgmi_peers were not understood"),
    ],
)
def test_a_link_that_is_declared_and_not_there_or_not_told_of_does_not_pass(
    topology: str | None, verdict: Verdict, measured: str
) -> None:
    found = told(answer(topology=topology), replace(TWO, xgmi_peers=1))
    assert [one[1:4] for one in found] == [(verdict, FIRST, measured), (verdict, SECOND, measured)]


def test_a_card_that_reaches_fewer_than_the_others_is_told_without_a_declaration() -> None:
    data = json.loads(text_of(MI100))
    data["card2"] = data["card0"] | {"PCI Bus": "0000:C3:00.0", "Unique ID": "0x3"}
    data["card3"] = data["card0"] | {"PCI Bus": "0000:E3:00.0", "Unique ID": "0x4"}
    numbers = [(one, other) for one in range(4) for other in range(one + 1, 4)]
    data["system"] |= {
        f"(Topology) Link type between DRM devices {one} and {other}": "PCIE" if other == 3 else "XGMI"
        for one, other in numbers
    }
    four = answer(smi=json.dumps(data), topology=json.dumps(data), pci=(FIRST, SECOND, "0000:c3:00.0", "0000:e3:00.0"))
    (found,) = told(four, replace(TWO, count=4))
    assert found[:4] == ("XGMI", Verdict.DEGRADED, "0000:e3:00.0", "reaches 0 GPUs over XGMI")
