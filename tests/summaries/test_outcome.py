"""What `up` came to where a rollout stopped: who is done, who failed, who was not begun, and what goes on."""

from datetime import UTC, datetime

import pytest

from leptonctl.hosts.configured import Failure, HostConfigured
from leptonctl.planning.desired import Desired, desired
from leptonctl.planning.diff import diff
from leptonctl.planning.observed import Endpoint, HostLook, Observed, ObservedLocation, Reach, RoleLook, RoleState
from leptonctl.planning.rollout import RolledOut, roll_over
from leptonctl.result import Result
from leptonctl.sitefile.model import Site
from leptonctl.stages.applying import Applied
from leptonctl.summaries.outcome import outcome

NOW = datetime(2026, 11, 21, tzinfo=UTC)
BOXES = [f"core/box-{number}" for number in range(1, 5)]


@pytest.fixture
def want() -> Desired:
    return desired(
        Site.model_validate(
            {
                "site": "demo",
                "owner": "ops",
                "core": {
                    "platform": "local",
                    "rollout": {"batch": 2, "max_failed": 0},
                    "nodes": {"box": {"count": 4}},
                },
                "regions": {"west": {"platform": "local", "nodes": {"serve": {"count": 1}}}},
            }
        )
    )


def seen(want: Desired, **states: RoleState) -> Observed:
    """Every host answers, its role in order unless it is named (`box_1`)."""
    return Observed(
        locations={
            location.address: ObservedLocation(
                location.address, (), {host.address: Endpoint("10.9.0.2") for host in location.hosts}
            )
            for location in want.locations
        },
        looks={
            host.address: HostLook(
                host.address,
                Reach.OK,
                NOW,
                {"base": RoleLook(states.get(host.name.replace("-", "_"), RoleState.IN_ORDER))},
            )
            for location in want.locations
            for host in location.hosts
        },
    )


def configured(*addresses: str, failed: str = "") -> dict[str, HostConfigured]:
    failure = Failure("base", "Write the settings", "no room")
    return {
        address: HostConfigured(address, "failed", changed_count=1, failure=failure)
        if address == failed
        else HostConfigured(address, "ok", changed_count=3, roles=("base",))
        for address in addresses
    }


def of(want: Desired, applied: Applied, after: Observed) -> Result:
    return outcome(want, diff(want, after), applied, after)


def told(result: Result) -> list[tuple[str, str | None, str]]:
    return [(problem.rule, problem.where, problem.message) for problem in result.problems]


def test_a_rollout_that_stopped_names_what_was_done_and_what_was_not(want: Desired) -> None:
    rollout = roll_over(want.locations[:1], changing=set(BOXES), barred=())
    applied = Applied(
        hosts=configured("core/box-1", "core/box-2", failed="core/box-2"),
        rollouts=[RolledOut(rollout, 1, ("core/box-2",), "1 of 4 hosts failed, at most 0 may")],
        not_begun={
            **dict.fromkeys(BOXES[2:], "not begun: the rollout stopped"),
            "regions/west/serve-1": "not begun: it waits for core",
        },
        held={"regions/west": "core"},
    )
    new = RoleState.NEW
    result = of(want, applied, seen(want, box_2=new, box_3=new, box_4=new, serve_1=new))
    assert result.exit_code == 5
    assert [(host.address, host.status, host.detail) for place in result.locations for host in place.hosts] == [
        ("core/box-1", "changed", None),
        ("core/box-2", "failed", "Write the settings: no room"),
        ("core/box-3", "skipped", "not begun: the rollout stopped"),
        ("core/box-4", "skipped", "not begun: the rollout stopped"),
        ("regions/west/serve-1", "skipped", "not begun: it waits for core"),
    ]
    assert told(result) == [
        (
            "rollout",
            "core",
            "stopped after batch 1 of 2: 1 of 4 hosts failed, at most 0 may; 1 done, 2 not begun",
        ),
        ("base", "core/box-2", "task 'Write the settings' failed: no room"),
        ("not_begun", "regions/west", "not begun: it waits for core, where the rollout stopped"),
    ]
    assert result.data["message"] == (
        "stopped: 1 of 5 hosts are as the site file says, 3 were not begun; `leptonctl up` again goes on with the rest"
    )
    (shown,) = result.data["rollouts"]
    assert (shown["batches_begun"], shown["failed"], shown["not_begun"]) == (1, ["core/box-2"], BOXES[2:])


def test_one_that_stopped_in_its_last_batch_is_only_told_where_something_waited_for_it(want: Desired) -> None:
    rollout = roll_over(want.locations[:1], changing={"core/box-2"}, barred=())
    stopped = [RolledOut(rollout, 1, ("core/box-2",), "1 of 4 hosts failed, at most 0 may")]
    hosts = configured("core/box-2", failed="core/box-2")
    held = {"regions/west": "core"}
    after = seen(want, box_2=RoleState.NEW)
    assert [rule for rule, _, _ in told(of(want, Applied(hosts=hosts, rollouts=stopped, held=held), after))] == ["base"]
    waiting = Applied(
        hosts=hosts,
        rollouts=stopped,
        held=held,
        not_begun={"regions/west/serve-1": "not begun: it waits for core"},
    )
    found = told(of(want, waiting, seen(want, box_2=RoleState.NEW, serve_1=RoleState.NEW)))
    assert [rule for rule, _, _ in found] == ["rollout", "base", "not_begun"]


def test_a_host_that_did_not_hold_when_its_batch_was_verified_is_not_in_order(want: Desired) -> None:
    applied = Applied(hosts=configured(*BOXES), unproven={"core/box-1": "port 9100 answers: no: refused"})
    result = of(want, applied, seen(want))
    assert (result.exit_code, result.locations[0].hosts[0].status) == (5, "differs")
    assert told(result) == [("verify", "core/box-1", "port 9100 answers: no: refused")]
