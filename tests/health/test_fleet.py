"""A location: one job that crashes everywhere is no hardware fault, and a breaker keeps most hosts in service."""

from __future__ import annotations

from leptonctl.health.fleet import decide, without_shared_errors
from leptonctl.health.judge import HostHealth, judge
from leptonctl.health.policy import default_policy
from leptonctl.health.readings import XidEvent
from leptonctl.health.verdict import Action, Verdict
from tests.health.recorded import A100, NOW_S, ONE, edited, host

POLICY = default_policy()
FINE = edited(A100, ("<persistence_mode>Disabled<", "<persistence_mode>Enabled<"))


def fault(code: int, ago_s: float) -> XidEvent:
    return XidEvent(at_s=NOW_S - ago_s, bus_id="0000:01:00.0", code=code, text="", unit="GPCCLIENT_T1_0")


def test_one_crashing_job_on_77_hosts_takes_none_out() -> None:
    # Twice on the same unit of each: alone, that would send the host to the diagnostics.
    readings = {f"core/gpu-{number}": host(FINE, xids=(fault(31, 300), fault(31, 100))) for number in range(77)}
    alone = judge(readings["core/gpu-0"], ONE, POLICY)
    assert (alone.verdict, alone.action) == (Verdict.DEGRADED, Action.INSPECT)
    judged = {name: judge(one, ONE, POLICY) for name, one in without_shared_errors(readings, POLICY).items()}
    assert {one.verdict for one in judged.values()} == {Verdict.HEALTHY}
    assert decide(judged, POLICY, is_shadow=False).out == ()


def test_errors_of_the_hardware_are_never_taken_for_shared() -> None:
    readings = {f"core/gpu-{number}": host(FINE, xids=(fault(79, 100),)) for number in range(10)}
    assert without_shared_errors(readings, POLICY) == readings


def test_the_same_error_at_other_times_is_not_one_job() -> None:
    readings = {f"core/gpu-{number}": host(FINE, xids=(fault(31, 5000 * number),)) for number in range(10)}
    assert without_shared_errors(readings, POLICY) == readings


def health(verdict: Verdict) -> HostHealth:
    return HostHealth(verdict, Action.DRAIN, (), {})


def test_the_breaker_takes_the_worst_first_and_no_more_than_its_share() -> None:
    hosts = {f"core/gpu-{number}": health(Verdict.HEALTHY) for number in range(6)}
    hosts |= {"core/b": health(Verdict.UNKNOWN), "core/a": health(Verdict.UNKNOWN)}
    hosts |= {"core/z": health(Verdict.FAILED), "core/d": health(Verdict.DEGRADED)}
    found = decide(hosts, POLICY, is_shadow=False)
    assert found.verdict == Verdict.FAILED
    assert (found.out, found.held) == (("core/z", "core/a"), ("core/b",))


def test_a_single_host_may_always_be_taken_out() -> None:
    assert decide({"edges/shop/box": health(Verdict.FAILED)}, POLICY, is_shadow=False).out == ("edges/shop/box",)


def test_shadow_mode_only_reports() -> None:
    found = decide({"core/a": health(Verdict.FAILED)}, POLICY, is_shadow=True)
    assert (found.out, found.held, found.would) == ((), (), ("core/a",))


def test_the_breaker_counts_those_of_the_location_that_are_out_already() -> None:
    failing = {"core/a": health(Verdict.FAILED), "core/b": health(Verdict.FAILED)}
    for already_out, out in ((0, ("core/a", "core/b")), (1, ("core/a",)), (2, ())):
        found = decide(failing, POLICY, is_shadow=False, host_count=10, already_out=already_out)
        assert found.out == out, already_out
        assert found.held == tuple(sorted({*failing} - {*out})), already_out
