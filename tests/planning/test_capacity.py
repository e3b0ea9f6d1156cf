from __future__ import annotations

from dataclasses import replace

import pytest

from leptonctl.planning.aws import location_args
from leptonctl.planning.aws_types import GroupArgs, HostOutputs, LocationArgs, LocationOutputs
from leptonctl.planning.capacity import (
    Choice,
    LivingHost,
    choice_text,
    kept_choices,
    lacking_hosts,
    next_choices,
    recorded_hosts,
    with_choices,
)
from leptonctl.sitefile.load import load_text

SITE = """
site: demo
owner: ops@example.com
core:
  platform: aws
  aws: {region: eu-central-1, zones: [eu-central-1a, eu-central-1b]}
  network: {cidr: 10.0.0.0/20}
  nodes:
    box: {count: 2, machine: {type: g6.xlarge}, aws: {fallback_types: [g5.xlarge]}}
"""
NONE = "An error occurred (InsufficientInstanceCapacity) when calling the RunInstances operation: sorry"
FIRST, SECOND = Choice(0, "g6.xlarge"), Choice(1, "g6.xlarge")
THIRD, FOURTH = Choice(0, "g5.xlarge"), Choice(1, "g5.xlarge")


def location() -> LocationArgs:
    args = location_args(load_text(SITE, file="site.yaml", environ={}).site, "core")
    assert args is not None
    return args


def group() -> GroupArgs:
    return location().groups[0]


def outputs(choice: Choice, wanted: str = "g6.xlarge,g5.xlarge") -> LocationOutputs:
    host = HostOutputs(
        address="core/box-1",
        group="box",
        instance_id="i-1",
        private_ip="10.0.0.4",
        host_key="",
        zone=choice.zone,
        machine_type=choice.machine_type,
        wanted=wanted,
    )
    return LocationOutputs(
        location="core",
        region="eu-central-1",
        vpc_id="vpc-1",
        cidr="10.0.0.0/20",
        public_subnet_ids=(),
        private_subnet_ids=(),
        route_table_ids=(),
        zone_id="Z1",
        zone_name="core.demo.internal",
        images={},
        hosts={host.address: host},
        stores={},
    )


def tried_in_order(args: LocationArgs, address: str = "core/box-1") -> list[Choice]:
    tried: dict[str, tuple[Choice, ...]] = {}
    found: list[Choice] = []
    while (choice := next_choices(args, [address], tried, {})[address]) is not None:
        host = next(one for one in args.groups[0].hosts if one.address == address)
        tried[address] = (*tried.get(address, ()), Choice(host.zone, host.machine_type))
        args = with_choices(args, {address: choice})
        found.append(choice)
    return found


def test_every_zone_comes_before_the_next_type_and_each_choice_once() -> None:
    assert tried_in_order(location()) == [SECOND, THIRD, FOURTH]
    assert tried_in_order(location(), "core/box-2") == [FIRST, FOURTH, THIRD]


def test_a_host_that_is_made_as_it_was_last_goes_back_to_what_is_wanted() -> None:
    assert tried_in_order(with_choices(location(), {"core/box-1": FOURTH})) == [SECOND, FIRST, THIRD]


def test_a_group_with_a_zone_stays_in_it() -> None:
    args = replace(location(), groups=(replace(group(), zones=(0,)),))
    assert tried_in_order(args) == [THIRD]


def test_a_host_with_a_volume_stays_where_its_data_is() -> None:
    living = {"core/box-1": LivingHost(None, None)}
    assert next_choices(location(), ["core/box-1"], {}, living) == {"core/box-1": THIRD}


def test_machines_of_a_reservation_have_no_other_choice() -> None:
    args = replace(location(), groups=(replace(group(), zones=(0,), reservation="cr-1"),))
    assert next_choices(args, ["core/box-1"], {}, {}) == {"core/box-1": None}


def test_hosts_that_must_share_a_zone_move_together_until_one_of_them_is_there() -> None:
    hosts = tuple(replace(host, zone=0) for host in group().hosts)
    args = replace(location(), groups=(replace(group(), placement="cluster", hosts=hosts),))
    assert next_choices(args, ["core/box-2"], {}, {}) == {"core/box-1": SECOND, "core/box-2": SECOND}
    living = {"core/box-1": LivingHost(0, "g6.xlarge")}
    assert next_choices(args, ["core/box-2"], {}, living) == {"core/box-2": THIRD}
    assert kept_choices(args, None, {"core/box-1": LivingHost(1, "g6.xlarge")}) == {
        "core/box-1": SECOND,
        "core/box-2": SECOND,
    }


@pytest.mark.parametrize(
    "message",
    [
        NONE,
        "creating EC2 Instance: operation error EC2: RunInstances, api error InsufficientInstanceCapacity: We have no",
        "api error Unsupported: Your type (p5.48xlarge) is not supported in your requested Availability Zone (b).",
    ],
)
def test_a_host_without_capacity_is_known_by_the_code(message: str) -> None:
    assert lacking_hosts(location(), [f"box-1: {message}"]) == ("core/box-1",)


def test_another_failure_is_no_lack_of_capacity() -> None:
    failures = [f"box-2: {NONE}", "network-vpc: VpcLimitExceeded", f"box-1: {NONE}"]
    assert lacking_hosts(location(), failures) == ("core/box-1", "core/box-2")
    assert lacking_hosts(location(), ["box-1: UnsupportedOperation: no", f"serve-scaling: {NONE}"]) == ()
    assert lacking_hosts(location(), []) == ()


def test_what_was_chosen_stays_while_the_types_are_the_same() -> None:
    assert kept_choices(location(), None, {}) == {}
    assert kept_choices(location(), outputs(FOURTH), {}) == {"core/box-1": FOURTH}
    assert kept_choices(location(), outputs(FOURTH, wanted="m5.large"), {}) == {"core/box-1": SECOND}


def test_a_host_that_is_there_keeps_its_zone_and_its_fallback_type_also_without_a_record() -> None:
    living = {"core/box-1": LivingHost(1, "g5.xlarge")}
    assert kept_choices(location(), None, living) == {"core/box-1": FOURTH}
    assert kept_choices(location(), outputs(FOURTH, wanted="g5.xlarge,g6.xlarge"), living) == {"core/box-1": FOURTH}
    assert recorded_hosts(outputs(FOURTH)) == living
    # The site file wants another type now: the host is changed to it where it stands.
    assert kept_choices(location(), None, {"core/box-1": LivingHost(0, "m5.large")}) == {}


def test_a_choice_is_told_by_its_zone_s_name_or_its_number() -> None:
    assert choice_text(location(), FOURTH) == "g5.xlarge in eu-central-1b"
    unnamed = replace(location(), network=replace(location().network, zones=()))
    assert choice_text(unnamed, FOURTH) == "g5.xlarge in zone 2"
