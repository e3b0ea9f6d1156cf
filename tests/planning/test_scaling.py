from __future__ import annotations

from dataclasses import replace

import pytest

from leptonctl.planning.desired import Desired, desired
from leptonctl.planning.diff import desired_digest, diff
from leptonctl.planning.observed import NOTHING_ASKED, Endpoint, Observed, ObservedLocation, ObservedResource
from leptonctl.planning.plan import Action
from leptonctl.planning.resources import resource_changes
from leptonctl.planning.scaling import every_role, missing_hosts, scaled_name, with_observed_hosts
from leptonctl.sitefile.load import load_text

SITE = """
site: demo
owner: ops@example.com
core:
  platform: aws
  aws: {region: eu-central-1}
  network: {cidr: 10.0.0.0/20}
  nodes:
    gate: {count: 1, machine: {type: t4g.small}}
    serve:
      scaling: {min: 2, max: 6}
      machine: {type: g6.xlarge}
      roles: [base, monitoring_agent]
"""
FIRST, SECOND = "i-0e51d2f3a01b7c401", "i-0e51d2f3a01b7c402"


def want() -> Desired:
    return desired(load_text(SITE, file="site.yaml", environ={}).site)


def group(**sizes: int) -> ObservedResource:
    properties: dict[str, object] = {"min": 2, "max": 6, "desired": 2, "host_count": 2, **sizes}
    return ObservedResource("group", "core/serve", "core", "serve-1234", "available", properties)


def machine(instance_id: str, status: str = "running") -> ObservedResource:
    address = f"core/{scaled_name('serve', instance_id)}"
    return ObservedResource("host", address, "core", instance_id, status, {"scaling": "core/serve"})


def there(*more: ObservedResource) -> Observed:
    network = ObservedResource("network", "core", "core", "vpc-1", "available")
    gate = ObservedResource("host", "core/gate-1", "core", "i-1", "running")
    resources = (network, gate, *more)
    ways = {one.address: Endpoint("10.0.0.1") for one in resources if one.kind == "host"}
    return Observed(locations={"core": ObservedLocation("core", resources, ways)})


def names(site: Desired) -> list[str]:
    return [host.address for host in site.locations[0].hosts]


def test_the_name_of_a_host_is_its_group_and_the_end_of_its_id() -> None:
    assert scaled_name("serve", FIRST) == "serve-3a01b7c401"
    assert scaled_name("serve", "i-1234abcd") == "serve-1234abcd"


def test_before_a_look_the_hosts_are_unknown_and_the_plan_says_how_many_there_may_be() -> None:
    assert names(want()) == ["core/gate-1"]
    plan = diff(want(), NOTHING_ASKED)
    found = next(change for change in plan.changes if change.kind == "group")
    assert (found.action, found.address, found.reasons) == (Action.UNKNOWN, "core/serve", ("unknown hosts, 2..6",))


def test_the_roles_of_hosts_that_were_not_seen_yet_are_roles_of_the_site() -> None:
    assert {role.name for role in every_role(want())} == {"base", "monitoring_agent"}


def test_after_a_look_the_hosts_that_run_are_hosts_like_all_others() -> None:
    observed = there(group(), machine(SECOND), machine(FIRST), machine("i-0e51d2f3a01b7c403", "pending"))
    site = with_observed_hosts(want(), observed)
    assert names(site) == ["core/gate-1", "core/serve-3a01b7c401", "core/serve-3a01b7c402"]
    host = site.locations[0].hosts[1]
    assert (host.group, host.machine.type, host.is_scaled) == ("serve", "g6.xlarge", True)
    assert [role.name for role in host.roles] == ["base", "monitoring_agent"]
    plan = diff(site, observed)
    assert [host.address for host in plan.locations[0].hosts] == names(site)
    assert {change.action for change in plan.changes} == {Action.KEEP}


def test_a_host_that_went_away_is_no_longer_one_and_nothing_has_to_change() -> None:
    before = with_observed_hosts(want(), there(group(), machine(FIRST), machine(SECOND)))
    observed = there(group(), machine(SECOND))
    after = with_observed_hosts(before, observed)
    assert names(after) == ["core/gate-1", "core/serve-3a01b7c402"]
    assert {change.action for change in diff(after, observed).changes} == {Action.KEEP}


def test_the_hosts_of_a_look_are_not_part_of_what_the_site_file_means() -> None:
    assert desired_digest(with_observed_hosts(want(), there(group(), machine(FIRST)))) == desired_digest(want())


@pytest.mark.parametrize(
    ("sizes", "reasons"),
    [({}, ()), ({"desired": 5, "host_count": 5}, ()), ({"min": 1, "max": 9}, ("min 1 -> 2", "max 9 -> 6"))],
)
def test_limits_are_compared_and_the_number_only_where_the_site_file_says_it(
    sizes: dict[str, int], reasons: tuple[str, ...]
) -> None:
    location = want().locations[0]
    found = resource_changes(location, there(group(**sizes)).locations["core"])
    assert [change.reasons for change in found if change.kind == "group"] == [reasons]
    fixed = replace(location, scaling=(replace(location.scaling[0], desired=3),))
    again = resource_changes(fixed, there(group(**sizes)).locations["core"])
    assert next(change.reasons for change in again if change.kind == "group")[-1].startswith("desired ")


def test_a_group_that_left_the_site_file_goes_with_its_hosts() -> None:
    location = replace(want().locations[0], scaling=())
    found = resource_changes(location, there(group(), machine(FIRST)).locations["core"])
    assert [(change.action, change.kind, change.address) for change in found if change.action is Action.DELETE] == [
        (Action.DELETE, "group", "core/serve"),
        (Action.DELETE, "host", "core/serve-3a01b7c401"),
    ]


def test_what_a_group_lacks_is_told() -> None:
    (serve,) = want().locations[0].scaling
    assert missing_hosts(serve, there(group()).locations["core"]) is None
    assert missing_hosts(serve, there().locations["core"]) == "scaling group serve is not there"
    assert missing_hosts(serve, there(group(host_count=1)).locations["core"]) == "scaling group serve has 1 of 2 hosts"
