"""Which hosts get which roles, and which roles are taken off them."""

from dataclasses import replace
from datetime import UTC, datetime

from leptonctl.hosts.target import Leaving, Target
from leptonctl.planning.desired import Desired, DesiredRole, desired
from leptonctl.planning.diff import diff
from leptonctl.planning.observed import (
    Endpoint,
    HostLook,
    Observed,
    ObservedLocation,
    ObservedResource,
    Reach,
    RoleLook,
    RoleState,
)
from leptonctl.planning.plan import Plan
from leptonctl.sitefile.model import Site
from leptonctl.stages.configuring import select

NOW = datetime(2026, 11, 21, tzinfo=UTC)
HOST = "core/box-1"
WANT: Desired = desired(
    Site.model_validate({"site": "demo", "owner": "ops", "core": {"platform": "local", "nodes": {"box": {"count": 1}}}})
)
ENDPOINT = Endpoint("10.9.0.2")
TARGET = Target(HOST, "box-1", "core", "core", ENDPOINT, WANT.locations[0].hosts[0].roles)
SEEN = HostLook(
    HOST, Reach.OK, NOW, {"base": RoleLook(RoleState.IN_ORDER)}, gone_roles=("monitoring_agent", "monitoring_server")
)


def observed(look: HostLook) -> Observed:
    there = ObservedLocation("core", (ObservedResource("host", HOST, "core", "c", "running"),), {HOST: ENDPOINT})
    return Observed(locations={"core": there}, looks={HOST: look})


def planned(look: HostLook, *named: str) -> Plan:
    return diff(WANT, observed(look), delete_data=frozenset(named))


def test_roles_that_left_are_taken_off_a_host_whose_others_are_in_order() -> None:
    found = select(planned(SEEN), [TARGET], observed(SEEN), forced=False, names=())
    assert found.targets == {
        HOST: replace(
            TARGET,
            roles=(),
            leaving=(Leaving("monitoring_server", (), ("base",)), Leaving("monitoring_agent", (), ("base",))),
        )
    }
    assert (found.barred, found.fresh) == (frozenset(), frozenset())


def test_data_goes_with_its_role_where_it_was_named() -> None:
    plan = planned(SEEN, f"{HOST}:monitoring_server")
    (first, _) = select(plan, [TARGET], observed(SEEN), forced=False, names=()).targets[HOST].leaving
    assert first.delete == ("/var/lib/prometheus/metrics2", "/var/lib/prometheus/alertmanager")


def test_a_role_that_went_meanwhile_or_that_was_not_asked_for_is_not_taken_off() -> None:
    since = replace(SEEN, gone_roles=("monitoring_agent",))
    (only,) = select(planned(SEEN), [TARGET], observed(since), forced=False, names=()).targets[HOST].leaving
    assert only.name == "monitoring_agent"
    assert select(planned(SEEN), [TARGET], observed(SEEN), forced=False, names=("base",)).targets == {}


def test_a_host_on_which_other_roles_differ_than_the_named_ones_is_not_complete_after_the_run() -> None:
    roles = (*TARGET.roles, DesiredRole("gpu_driver", {}))
    target = replace(TARGET, roles=roles)
    new = replace(SEEN, roles={"base": RoleLook(RoleState.NEW), "gpu_driver": RoleLook(RoleState.NEW)}, gone_roles=())
    some = select(planned(new), [target], observed(new), forced=False, names=("base",))
    assert [role.name for role in some.targets[HOST].roles] == ["base"]
    assert (some.partial, some.changing) == (frozenset({HOST}), frozenset({HOST}))
    assert select(planned(new), [target], observed(new), forced=False, names=()).partial == frozenset()
    # Also where the named role is in order, so that nothing runs.
    done = replace(new, roles={**new.roles, "base": RoleLook(RoleState.IN_ORDER)})
    none = select(planned(done), [target], observed(done), forced=False, names=("base",))
    assert (none.targets, none.partial, none.changing) == ({}, frozenset({HOST}), frozenset({HOST}))


def test_a_host_that_does_not_answer_keeps_its_roles() -> None:
    silent = HostLook(HOST, Reach.UNREACHABLE, NOW, {"base": RoleLook(RoleState.UNKNOWN)}, "no answer")
    found = select(planned(SEEN), [TARGET], observed(silent), forced=False, names=())
    assert (found.targets, found.barred) == ({}, frozenset({HOST}))
