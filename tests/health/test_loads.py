"""What a burn and an all-reduce printed, read and judged: what did not run, or is not understood, never passes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from leptonctl.health.all_reduce import read_all_reduce
from leptonctl.health.dcgm import read_diag
from leptonctl.health.judge import judge
from leptonctl.health.level import Level
from leptonctl.health.policy import default_policy
from leptonctl.health.readings import AllReduceReading, Declared
from leptonctl.health.smi import NotUnderstood
from leptonctl.health.torch_burn import read_torch_burn
from leptonctl.health.verdict import Action, Verdict
from tests.health.recorded import A100, ONE, edited, host, text_of

if TYPE_CHECKING:
    from leptonctl.health.readings import HostReading

POLICY = default_policy()
FINE = host(edited(A100, ("<persistence_mode>Disabled<", "<persistence_mode>Enabled<")))
BUS = "0000:01:00.0"
H100S = "all-reduce-h100.txt"


def told(reading: HostReading, level: Level, declared: Declared = ONE) -> list[tuple[str, Verdict, str, str, Action]]:
    found = judge(reading, declared, POLICY, level)
    return [(one.check, one.verdict, one.subject, one.measured, one.action) for one in found.findings]


def diag(*tests: tuple[str, str, dict[str, object]]) -> str:
    categories = [{"category": place, "tests": [{"name": name, "results": [result]}]} for place, name, result in tests]
    return json.dumps({"DCGM Diagnostic": {"test_categories": categories}})


def test_a_recorded_diagnostic_of_dcgm_3_is_read_behind_the_line_that_stands_before_it() -> None:
    found = read_diag(text_of("dcgm-diag-3.json"))
    assert [(one.test, one.gpu, one.status, one.is_load) for one in found.results] == [
        ("Denylist", None, "pass", False),
        ("Persistence Mode", None, "pass", False),
        ("software", 0, "pass", False),
        ("software", 1, "pass", False),
    ]


def test_a_software_test_that_fails_is_a_warning_where_the_hardware_passed_its_load() -> None:
    burn = read_diag(text_of("dcgm-diag-4.json"))
    assert told(replace(FINE, burn=burn), Level.FULL) == [
        (
            "burn",
            Verdict.DEGRADED,
            BUS,
            "software: fail: Persistence Mode: Persistence mode for GPU 0 is disabled.",
            Action.INSPECT,
        )
    ]


def test_a_load_that_a_gpu_did_not_stand_is_failed_and_names_it() -> None:
    result = {"entity_group": "GPU", "entity_id": 0, "status": "Fail", "warnings": ["a page was wrong"]}
    burn = read_diag(diag(("Hardware", "memory", result)))
    assert told(replace(FINE, burn=burn), Level.FULL) == [
        ("burn", Verdict.FAILED, BUS, "memory: fail: a page was wrong", Action.SUPPORT)
    ]


def test_tests_that_were_skipped_prove_nothing() -> None:
    burn = read_diag(diag(("Hardware", "memory", {"entity_group": "GPU", "entity_id": 0, "status": "Skip"})))
    assert told(replace(FINE, burn=burn), Level.FULL) == [
        (
            "burn",
            Verdict.UNKNOWN,
            "",
            "dcgmi diag put no load on any GPU: every such test was skipped",
            Action.DRAIN,
        )
    ]


def test_a_burn_of_some_of_the_gpus_is_not_one_of_all() -> None:
    burn = read_torch_burn('{"gpus": [{"index": 0, "memory_errors": 0, "wrong_products": 0}]}')
    declared = Declared(count=2)
    assert (
        "burn",
        Verdict.UNKNOWN,
        "",
        "PyTorch burn put a load on 1 of 2 GPUs",
        Action.DRAIN,
    ) in told(replace(FINE, burn=burn), Level.FULL, declared)


def test_the_burn_without_dcgm_counts_wrong_words_and_products() -> None:
    burn = read_torch_burn('{"gpus": [{"index": 0, "memory_errors": 3, "wrong_products": 1}]}')
    assert [one[3] for one in told(replace(FINE, burn=burn), Level.FULL)] == [
        "memory: fail: 3 words read back wrong",
        "matrix multiply: fail: 1 products differ",
    ]


def test_where_no_burn_program_is_installed_the_level_full_does_not_pass() -> None:
    reason = "no burn program is installed (dcgmi, or PyTorch with CUDA)"
    expected = [("burn", Verdict.UNKNOWN, "", reason, Action.DRAIN)]
    assert told(FINE, Level.FULL) == expected
    assert told(replace(FINE, unread={"burn": reason}), Level.FULL) == expected
    assert told(replace(FINE, unread={"burn": reason}), Level.QUICK) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "dcgmi's answer is no diagnostic: ''"),
        ("{", "dcgmi's answer is no whole JSON: "),
        ('{"tests": []}', "dcgmi's answer is no diagnostic: '{\"tests\": []}'"),
        ('{"DCGM GPU Diagnostic": {"version": "4.2.3"}}', "dcgmi's answer has another shape: KeyError("),
        ('{"DCGM Diagnostic": {"test_categories": []}}', "dcgmi's answer has no result of any test"),
        ('{"DCGM Diagnostic": {"runtime_error": "no GPU"}}', "dcgmi could not run the diagnostic: no GPU"),
        (diag(("Hardware", "memory", {"status": "Fine"})), "dcgmi: the test 'memory' has the status 'Fine'"),
    ],
)
def test_a_diagnostic_of_another_shape_is_not_understood(text: str, message: str) -> None:
    with pytest.raises(NotUnderstood) as caught:
        read_diag(text)
    assert caught.value.message.startswith(message)


def test_a_recorded_all_reduce_gives_the_bandwidth_of_its_largest_messages_and_its_ranks() -> None:
    expected = AllReduceReading(bus_gbps=196.52, size_bytes=8589934592, rank_count=16, wrong_count=0)
    assert read_all_reduce(text_of(H100S)) == expected


def test_lines_that_mpirun_marks_are_the_same_table() -> None:
    marked = "\n".join("[1,0]<stdout>:" + line for line in text_of(H100S).splitlines())
    assert read_all_reduce(marked) == read_all_reduce(text_of(H100S))


@pytest.mark.parametrize(("declared_gbps", "is_fine"), [(200.0, True), (218.0, True), (219.0, False)])
def test_the_declared_bandwidth_is_reached_within_a_tenth(declared_gbps: float, *, is_fine: bool) -> None:
    reading = replace(FINE, all_reduce=read_all_reduce(text_of(H100S)))
    found = told(reading, Level.NCCL, replace(ONE, all_reduce_gbps=declared_gbps))
    expected = ("all-reduce", Verdict.FAILED, "", "196.52 GB/s over 16 GPUs", Action.INSPECT)
    assert found == ([] if is_fine else [expected])


def test_wrong_sums_are_failed_at_any_speed() -> None:
    text = edited(H100S, ("# Out of bounds values : 0 OK", "# Out of bounds values : 7 FAILED"))
    reading = replace(FINE, all_reduce=read_all_reduce(text))
    assert told(reading, Level.NCCL, replace(ONE, all_reduce_gbps=100.0)) == [
        ("all-reduce", Verdict.FAILED, "", "7 wrong values over 16 GPUs", Action.INSPECT)
    ]


def test_a_bandwidth_that_nobody_declared_is_told_and_does_not_pass() -> None:
    reading = replace(FINE, all_reduce=read_all_reduce(text_of(H100S)))
    (found,) = told(reading, Level.NCCL)
    assert (found[1], found[3]) == (
        Verdict.UNKNOWN,
        "196.52 GB/s; `accelerators.gpus.all_reduce_gbps` does not say how much it should be",
    )


def test_an_all_reduce_that_was_cut_off_is_not_understood() -> None:
    whole = text_of(H100S)
    for text in ("", whole[: whole.index("# Out of bounds")], whole.replace("Rank", "rank")):
        with pytest.raises(NotUnderstood):
            read_all_reduce(text)
