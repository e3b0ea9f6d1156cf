"""What amdgpu wrote to the kernel logs of real machines (tests/data/gpu), as it is and with one place changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from leptonctl.health.amdgpu import read_amdgpu_log
from leptonctl.health.judge import judge
from leptonctl.health.policy import default_policy
from leptonctl.health.readings import Declared, DriverError, HostReading
from leptonctl.health.smi import NotUnderstood
from leptonctl.health.verdict import Action, Verdict
from tests.health.recorded import NOW_S, text_of

LOG = text_of("amdgpu.log").splitlines()
ECC = LOG[7]
QUIET = HostReading(now_s=NOW_S, booted_s=NOW_S - 86400, pci_bus_ids=(), xids=())


def told(*lines: str, booted_s: float = QUIET.booted_s) -> list[tuple[Verdict, str, str, Action]]:
    reading = replace(QUIET, booted_s=booted_s, driver_errors=read_amdgpu_log(lines))
    found = judge(reading, Declared(count=0, vendor="amd"), default_policy()).findings
    return [(one.verdict, one.subject, one.measured, one.action) for one in found if one.check == "amdgpu"]


def test_every_line_of_the_recorded_logs_is_read_or_passed_over() -> None:
    assert [(one.bus_id, one.name, one.part, one.count) for one in read_amdgpu_log(LOG)] == [
        ("0000:1c:00.0", "uncorrectable error", "ERREVENT_ATHUB_INTERRUPT", None),
        ("0000:e3:00.0", "uncorrectable error", "ERREVENT_ATHUB_INTERRUPT", None),
        ("0000:08:00.0", "uncorrectable error", "ERREVENT_ATHUB_INTERRUPT", None),
        ("0000:08:00.0", "uncorrectable error", "umc", 1),
        (None, "failed reset", None, None),
        (None, "hung job", "comp_1.1.0", None),
        ("0000:87:00.0", "reset", None, None),
        ("0000:0b:00.0", "uncorrectable error", "umc", 1048560),
        ("0000:0a:00.0", "hung job", "gfx_0.0.0", None),
    ]
    assert read_amdgpu_log(LOG[3:4]) == (
        DriverError(
            at_s=1699999156.0,
            bus_id="0000:e3:00.0",
            name="uncorrectable error",
            part="ERREVENT_ATHUB_INTERRUPT",
        ),
    )


def test_an_uncorrectable_error_fails_the_card_and_a_reset_that_failed_the_host() -> None:
    assert told(*LOG[5:9]) == [
        (Verdict.FAILED, "", "failed reset", Action.REBOOT),
        (
            Verdict.FAILED,
            "0000:08:00.0",
            "uncorrectable error (ERREVENT_ATHUB_INTERRUPT, umc), 2 times",
            Action.RESET_GPU,
        ),
    ]


def test_a_job_that_hung_takes_nothing_out_of_service_nor_does_a_reset_that_went_well() -> None:
    assert told(*LOG[9:13]) == [
        (Verdict.HEALTHY, "", "hung job (comp_1.1.0)", Action.RESTART_APPLICATION),
        (Verdict.HEALTHY, "0000:87:00.0", "reset", Action.RESTART_APPLICATION),
    ]


@pytest.mark.parametrize("said", ["0 uncorrectable hardware errors", "no uncorrectable hardware errors"])
def test_no_errors_are_not_taken_for_errors(said: str) -> None:
    assert told(ECC.replace("{1}1 uncorrectable hardware errors", said)) == []


def test_a_job_that_the_driver_soft_recovered_is_not_told() -> None:
    assert told(LOG[-1].replace("timeout, signaled", "timeout, but soft recovered, signaled")) == []


@pytest.mark.parametrize("count", ["1048560", "2097120", "3145680"])
def test_the_counter_of_a_sleeping_card_is_unknown_and_no_error(count: str) -> None:
    (found,) = told(LOG[14].replace("1048560", count))
    what = f"amdgpu counts {count} errors, which is what the counter of a sleeping card reads as"
    assert found[:3] == (Verdict.UNKNOWN, "0000:0b:00.0", what)


@pytest.mark.parametrize(
    "line",
    [ECC.replace("errors detected in umc block", "errors: umc 1"), ECC.replace(" kernel: ", ": ")],
)
def test_an_uncorrectable_error_in_other_words_is_not_understood(line: str) -> None:
    with pytest.raises(NotUnderstood):
        read_amdgpu_log([line])


def test_what_was_before_the_last_boot_does_not_return() -> None:
    assert told(ECC, booted_s=1699999200 + 3 * 3600) == []
    assert len(told(ECC, booted_s=1699999200 + 3600)) == 1
