"""Scaling groups on AWS: made once, left alone, their hosts found as they come and go, and nothing of them left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest

from leptonctl.planning.diff import diff
from leptonctl.planning.plan import Action
from leptonctl.planning.resources import resource_changes
from leptonctl.progress import silent
from leptonctl.stages.looking import look_at_platforms, targets
from tests.engine.sites import core_of, open_site, platform_of

if TYPE_CHECKING:
    from pathlib import Path

    from leptonctl.planning.observed import ObservedLocation
    from tests.engine.proxy import Proxy

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("engine")]
REGION = "eu-central-1"


def scaling_client() -> Any:
    return boto3.client("autoscaling", region_name=REGION)


def name_of(made: ObservedLocation, group: str) -> str:
    return next(one.id for one in made.resources if one.kind == "group" and one.address == f"core/{group}")


def hosts_of(made: ObservedLocation | None, group: str) -> set[str]:
    assert made is not None
    return {one.address for one in made.resources if one.properties.get("scaling") == f"core/{group}"}


def test_a_group_is_made_left_alone_and_removed_with_its_machines(aws_proxy: Proxy, tmp_path: Path) -> None:
    session = open_site("scaling", tmp_path)
    platform, core = platform_of(session), core_of(session)
    assert [(one.action, one.address, one.reasons) for one in resource_changes(core, None) if one.kind == "group"] == [
        (Action.CREATE, "core/serve", ("unknown hosts, 2..5",)),
        (Action.CREATE, "core/cheap", ("unknown hosts, 0..4",)),
    ]

    made = platform.ensure(core, silent)
    assert {one.action for one in resource_changes(core, made)} == {Action.KEEP}
    assert (len(hosts_of(made, "serve")), len(hosts_of(made, "cheap"))) == (2, 1)
    keys = {made.endpoints[address].host_keys for address in hosts_of(made, "serve")}
    assert len(keys) == 1
    assert keys.isdisjoint({made.endpoints[address].host_keys for address in hosts_of(made, "cheap")})
    assert {change.action for change in platform.preview(core)} == {Action.KEEP}

    aws_proxy.forget()
    platform.ensure(core, silent)
    assert aws_proxy.changing == {}

    marked = {one.id for one in platform.leftovers()}
    assert {name_of(made, "serve"), name_of(made, "cheap")} <= marked
    removed = platform.destroy("core", delete_data=frozenset(), report=silent)
    assert {one.id for one in made.resources} <= {one.id for one in removed}
    assert platform.leftovers() == ()
    assert platform.observe("core") is None


@pytest.mark.usefixtures("aws")
def test_hosts_that_come_are_found_and_hosts_that_go_are_no_problem(tmp_path: Path) -> None:
    session = open_site("scaling", tmp_path)
    platform, core = platform_of(session), core_of(session)
    made = platform.ensure(core, silent)
    before = hosts_of(made, "serve")
    scaling_client().set_desired_capacity(AutoScalingGroupName=name_of(made, "serve"), DesiredCapacity=4)

    observed = look_at_platforms(session).observed
    seen = session.knowing(observed)
    found = {target.address for target in targets(seen, observed, seen.desired)}
    assert before < found
    assert len(found) == 5
    assert all(target.roles for target in targets(seen, observed, seen.desired))

    # The group was made larger by somebody who may: it is left at that.
    platform.ensure(core, silent)
    assert len(hosts_of(platform.observe("core"), "serve")) == 4

    scaling_client().set_desired_capacity(AutoScalingGroupName=name_of(made, "serve"), DesiredCapacity=2)
    observed = look_at_platforms(seen).observed
    again = seen.knowing(observed)
    plan = diff(again.desired, observed)
    assert {change.action for change in plan.changes} == {Action.KEEP}
    assert {host.address for location in plan.locations for host in location.hosts} == {
        target.address for target in targets(again, observed, again.desired)
    }
    assert len(plan.locations[0].hosts) == 3


@pytest.mark.usefixtures("aws")
def test_limits_that_were_changed_behind_our_back_are_seen_and_mended(tmp_path: Path) -> None:
    session = open_site("scaling", tmp_path)
    platform, core = platform_of(session), core_of(session)
    made = platform.ensure(core, silent)
    group = name_of(made, "serve")
    scaling_client().update_auto_scaling_group(AutoScalingGroupName=group, MinSize=1, MaxSize=9)
    drifted = [one for one in resource_changes(core, platform.observe("core")) if one.action is not Action.KEEP]
    assert [(one.action, one.address, one.reasons) for one in drifted] == [
        (Action.UPDATE, "core/serve", ("min 1 -> 2", "max 9 -> 5"))
    ]
    mended = platform.ensure(core, silent)
    assert {one.action for one in resource_changes(core, mended)} == {Action.KEEP}
    assert hosts_of(mended, "serve") == hosts_of(made, "serve")


@pytest.mark.usefixtures("aws")
def test_a_group_that_was_deleted_is_made_again_with_its_host_key(tmp_path: Path) -> None:
    session = open_site("scaling", tmp_path)
    platform, core = platform_of(session), core_of(session)
    made = platform.ensure(core, silent)
    scaling_client().delete_auto_scaling_group(AutoScalingGroupName=name_of(made, "serve"), ForceDelete=True)
    drifted = [one for one in resource_changes(core, platform.observe("core")) if one.action is not Action.KEEP]
    assert [(one.action, one.kind, one.address) for one in drifted] == [(Action.CREATE, "group", "core/serve")]
    mended = platform.ensure(core, silent)
    new = hosts_of(mended, "serve")
    assert new.isdisjoint(hosts_of(made, "serve"))
    keys = [made.endpoints[address].host_keys for address in hosts_of(made, "serve")]
    assert {mended.endpoints[address].host_keys for address in new} == set(keys)
