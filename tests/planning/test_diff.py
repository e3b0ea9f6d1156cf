"""What has to change, from what should be and what was seen."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from leptonctl.planning.desired import Desired, desired
from leptonctl.planning.diff import diff
from leptonctl.planning.observed import (
    NOTHING_ASKED,
    Difference,
    Endpoint,
    HostLook,
    Observed,
    ObservedLocation,
    ObservedResource,
    Reach,
    RoleLook,
    RoleState,
)
from leptonctl.planning.plan import Action
from leptonctl.sitefile.model import Site

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def want() -> Desired:
    roles = ["base", "monitoring_agent", "monitoring_server"]
    return desired(
        Site.model_validate(
            {
                "site": "demo",
                "owner": "ops",
                "core": {"platform": "local", "nodes": {"control": {"count": 1, "roles": roles}}},
                "regions": {"west": {"platform": "local", "nodes": {"serve": {"count": 1}}}},
            }
        )
    )


def there(want: Desired, *, without: str = "") -> dict[str, ObservedLocation | None]:
    """Every location as it should be, with its hosts running."""
    found: dict[str, ObservedLocation | None] = {}
    for number, location in enumerate(want.locations):
        hosts = [host for host in location.hosts if host.address != without]
        network = ObservedResource("network", location.address, location.address, "n", "up", {"cidr": "10.9.0.0/24"})
        found[location.address] = ObservedLocation(
            location.address,
            (
                network,
                *(ObservedResource("host", host.address, location.address, "c", "running", {}) for host in hosts),
            ),
            {host.address: Endpoint(f"10.9.{number}.2") for host in hosts},
        )
    return found


def looks(want: Desired, **roles: RoleLook) -> dict[str, HostLook]:
    fine = RoleLook(RoleState.IN_ORDER)
    return {
        host.address: HostLook(
            host.address, Reach.OK, NOW, {role.name: roles.get(role.name, fine) for role in host.roles}
        )
        for location in want.locations
        for host in location.hosts
    }


def test_where_nothing_was_asked_everything_is_unknown(want: Desired) -> None:
    plan = diff(want, NOTHING_ASKED)
    assert not plan.is_observed
    assert {change.action for change in plan.changes} == {Action.UNKNOWN}
    assert {role.state for location in plan.locations for host in location.hosts for role in host.roles} == {
        RoleState.UNKNOWN
    }


def test_a_location_that_was_read_as_absent_is_created_and_its_roles_are_unknown(want: Desired) -> None:
    plan = diff(want, Observed(locations={"core": None, "regions/west": None}))
    assert {change.action for change in plan.changes} == {Action.CREATE}
    assert plan.locations[0].hosts[0].roles[0].reasons == ("the host does not exist yet",)
    assert plan.waves == (("core",), ("regions/west",))


def test_nothing_to_do_is_said_only_when_everything_was_looked_at(want: Desired) -> None:
    assert diff(want, Observed(locations=there(want), looks=looks(want))).is_in_order
    assert not diff(want, Observed(locations=there(want))).is_in_order
    unanswered = {"regions/west": "podman does not answer"}
    some = {"core": there(want)["core"]}
    assert not diff(want, Observed(locations=some, unanswered=unanswered, looks=looks(want))).is_in_order


def test_a_difference_on_a_host_names_its_role_and_reason(want: Desired) -> None:
    stopped = RoleLook(RoleState.DIFFERS, (Difference("base", "unit cron", "unit cron is stopped"),))
    plan = diff(want, Observed(locations=there(want), looks=looks(want, base=stopped)))
    role = plan.locations[1].hosts[0].roles[0]
    assert (role.name, role.state, role.reasons, role.runs) == ("base", "differs", ("unit cron is stopped",), True)


def test_an_unreachable_host_is_unknown_and_never_in_order(want: Desired) -> None:
    seen = looks(want)
    seen["regions/west/serve-1"] = HostLook("regions/west/serve-1", Reach.UNREACHABLE, NOW, {}, "no answer in 10 s")
    plan = diff(want, Observed(locations=there(want), looks=seen))
    host = plan.locations[1].hosts[0]
    assert (host.note, host.roles[0].state) == ("no answer in 10 s", "unknown")
    assert not plan.is_in_order


def test_the_server_is_planned_to_learn_of_hosts_that_are_still_to_be_made() -> None:
    agents = {"count": 1, "roles": ["base", "monitoring_agent"]}
    server = {"count": 1, "roles": ["base", "monitoring_agent", "monitoring_server"]}
    want = desired(
        Site.model_validate(
            {
                "site": "demo",
                "owner": "ops",
                "core": {"platform": "local", "nodes": {"control": server}},
                "edges": {"shop": {"platform": "local", "parent": "west", "nodes": {"box": agents}}},
                "regions": {"west": {"platform": "local"}},
            }
        )
    )
    seen = Observed(locations=there(want, without="edges/shop/box-1"), looks=looks(want))
    role = diff(want, seen).locations[0].hosts[0].roles[2]
    assert (role.name, role.state, role.reasons) == (
        "monitoring_server",
        "settings_changed",
        ("targets: 1 hosts will be added",),
    )


def test_a_host_left_out_by_only_does_not_look_like_one_too_many(want: Desired) -> None:
    west = want.locations[1]
    part = replace(want, locations=(replace(west, hosts=()),))
    plan = diff(part, Observed(locations=there(want), looks=looks(want)), whole=want)
    assert {change.action for change in plan.changes} == {Action.KEEP}
    assert [change.address for change in plan.changes] == ["regions/west", "regions/west/serve-1"]


def test_what_left_the_site_file_is_deleted_and_its_data_kept(want: Desired) -> None:
    host = ObservedResource("host", "edges/old/box-1", "edges/old", "c", "running")
    data = ObservedResource("volume", "edges/old/data/box-1", "edges/old", "v", "there", is_data=True)
    plan = diff(want, Observed(locations=there(want), looks=looks(want)), strays=(host, data))
    assert [(change.action, change.address) for change in plan.removed] == [
        ("delete", "edges/old/box-1"),
        ("keep", "edges/old/data/box-1"),
    ]
    assert not plan.is_in_order


def test_what_kept_data_of_a_location_that_is_gone_stands_on_is_nothing_to_do(want: Desired) -> None:
    data = ObservedResource("store", "edges/old/files", "edges/old", "fs", "there", is_data=True)
    network = ObservedResource("network", "edges/old vpc", "edges/old", "vpc", "there", stands_under="edges/old/files")
    plan = diff(want, Observed(locations=there(want), looks=looks(want)), strays=(network, data))
    assert [(change.action, change.address, change.reasons) for change in plan.removed] == [
        ("keep", "edges/old vpc", ("kept with edges/old/files, which stands on it",)),
        ("keep", "edges/old/files", ("data is kept until it is named",)),
    ]
    assert plan.is_in_order


def test_the_digest_changes_with_what_is_there(want: Desired) -> None:
    first = diff(want, Observed(locations=there(want), looks=looks(want)))
    again = diff(want, Observed(locations=there(want), looks=looks(want)))
    drifted = diff(want, Observed(locations=there(want, without="core/control-1"), looks=looks(want)))
    assert first.digest == again.digest != drifted.digest
    assert first.desired_digest == drifted.desired_digest


def test_a_role_that_left_the_site_file_is_a_change_and_its_host_is_rolled_over(want: Desired) -> None:
    seen = looks(want)
    seen["regions/west/serve-1"] = replace(seen["regions/west/serve-1"], gone_roles=("monitoring_server",))
    plan = diff(want, Observed(locations=there(want), looks=seen))
    host = plan.locations[1].hosts[0]
    assert (host.changing_roles, plan.is_in_order) == (("monitoring_server",), False)
    assert [rollout.batches for rollout in plan.rollouts] == [(("regions/west/serve-1",),)]
    named = diff(want, Observed(locations=there(want), looks=seen), delete_data=frozenset({"all"}))
    assert named.digest != plan.digest


def test_a_role_that_stays_or_that_nobody_knows_is_named_and_changes_nothing(want: Desired) -> None:
    seen = looks(want)
    seen["regions/west/serve-1"] = replace(seen["regions/west/serve-1"], gone_roles=("another",))
    plan = diff(want, Observed(locations=there(want), looks=seen))
    assert [role.name for role in plan.locations[1].hosts[0].gone_roles] == ["another"]
    assert plan.is_in_order
