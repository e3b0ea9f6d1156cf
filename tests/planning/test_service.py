"""Who may take part: what the host itself keeps of the last judgement decides, and only while it still holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from leptonctl.health.verdict import Verdict
from leptonctl.planning.desired import Desired, desired
from leptonctl.planning.diff import diff
from leptonctl.planning.observed import (
    Endpoint,
    GateRecord,
    HostLook,
    Observed,
    ObservedLocation,
    Reach,
    RoleLook,
    RoleState,
)
from leptonctl.planning.service import Service, service_of
from leptonctl.sitefile.model import Site

if TYPE_CHECKING:
    from leptonctl.planning.plan import HostPlan, Plan

NOW = datetime(2026, 11, 21, tzinfo=UTC)
OUT = GateRecord(Verdict.FAILED, "2026-11-20T10:00:00+00:00", "m", "GPU 3: Xid 79; reboot the host")
PASSED = replace(OUT, verdict=Verdict.HEALTHY, reason="healthy")


def site(*, is_shadow: bool = False) -> Desired:
    accelerators = {"gpus": {"count": 1}, "health": {"shadow": is_shadow}}
    nodes = {
        "gpu": {"hosts": ["gpu-1", "gpu-2"], "roles": ["base"], "accelerators": accelerators},
        "plain": {"hosts": ["box"], "roles": ["base"]},
    }
    return desired(
        Site.model_validate({"site": "tiny", "owner": "ops@example.com", "core": {"platform": "ssh", "nodes": nodes}})
    )


def look(address: str, record: GateRecord | None, state: RoleState = RoleState.IN_ORDER) -> HostLook:
    return HostLook(address, Reach.OK, NOW, {"base": RoleLook(state)}, manifest_digest="m", gate=record)


def service(record: GateRecord | None, *, is_shadow: bool = False) -> Service | None:
    (location,) = site(is_shadow=is_shadow).locations
    return service_of(location, location.hosts[0], look("core/gpu-1", record))


def planned(want: Desired, record: GateRecord | None, state: RoleState, *, named: tuple[str, ...] = ()) -> Plan:
    addresses = [host.address for host in want.locations[0].hosts]
    seen = {address: look(address, PASSED, state) for address in addresses}
    seen["core/gpu-1"] = look("core/gpu-1", record, state)
    there = ObservedLocation("core", (), {address: Endpoint("10.9.0.2") for address in addresses})
    return diff(want, Observed(locations={"core": there}, looks=seen), named=named)


def host_of(plan: Plan, address: str) -> HostPlan:
    return next(host for host in plan.locations[0].hosts if host.address == address)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (PASSED, Service.IN),
        (replace(PASSED, verdict=Verdict.DEGRADED), Service.IN),
        (None, Service.DUE),
        (replace(PASSED, manifest="of before the roles ran"), Service.DUE),
        (OUT, Service.OUT),
        (replace(OUT, manifest="of before the roles ran"), Service.OUT),
        (replace(OUT, verdict=Verdict.UNKNOWN), Service.OUT),
        (replace(OUT, is_held=True), Service.DUE),
        (replace(OUT, is_shadow=True), Service.DUE),
    ],
)
def test_only_a_judgement_that_passed_and_still_holds_lets_a_host_take_part(
    record: GateRecord | None, expected: Service
) -> None:
    assert service(record) is expected


def test_a_group_that_is_only_reported_on_has_nobody_out_of_service() -> None:
    assert service(OUT, is_shadow=True) is Service.IN
    assert service(None, is_shadow=True) is Service.DUE


def test_hosts_without_accelerators_and_hosts_that_did_not_answer_have_no_service() -> None:
    (location,) = site().locations
    assert service_of(location, location.hosts[2], look("core/box", None)) is None
    silent = HostLook("core/gpu-1", Reach.UNREACHABLE, NOW, {}, "no answer")
    assert service_of(location, location.hosts[0], silent) is None


def test_a_host_that_is_out_of_service_is_in_no_batch_and_does_not_count_as_failed() -> None:
    plan = planned(site(), OUT, RoleState.SETTINGS_CHANGED)
    (rollout,) = plan.rollouts
    assert rollout.batches == (("core/gpu-2", "core/box"),)
    assert rollout.barred == ()
    assert host_of(plan, "core/gpu-1").gate == (
        "out of service since 2026-11-20T10:00:00+00:00: GPU 3: Xid 79; reboot the host"
    )


def test_a_host_that_the_operator_names_is_changed_although_it_is_out_of_service() -> None:
    plan = planned(site(), OUT, RoleState.SETTINGS_CHANGED, named=("core/gpu-1",))
    assert plan.rollouts[0].batches == (("core/gpu-1", "core/gpu-2", "core/box"),)


def test_a_plan_is_not_in_order_while_a_host_waits_to_be_judged() -> None:
    assert planned(site(), PASSED, RoleState.IN_ORDER).is_in_order
    for record in (None, OUT):
        assert not planned(site(), record, RoleState.IN_ORDER).is_in_order
    due = host_of(planned(site(), None, RoleState.IN_ORDER), "core/gpu-1")
    assert due.gate == "its accelerators have not been judged yet"
