from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from leptonctl.planning.aws import location_args
from leptonctl.planning.aws_names import device_names, zone_name
from leptonctl.planning.aws_resources import planned_resources
from leptonctl.planning.aws_types import LocationArgs, LocationSecrets
from leptonctl.planning.desired import desired
from leptonctl.planning.observed import ObservedLocation, ObservedResource
from leptonctl.planning.plan import Action
from leptonctl.planning.resources import resource_changes
from leptonctl.planning.typed_json import from_json, to_json
from leptonctl.sitefile.load import load_site, load_text

SITE = load_site(Path(__file__).parents[1] / "sites/valid/all-aws.yaml", environ={}).site


def args_of(address: str) -> LocationArgs:
    args = location_args(SITE, address)
    assert args is not None
    return args


def test_the_arguments_of_every_location_survive_json() -> None:
    for address in SITE.locations():
        args = args_of(address)
        assert from_json(LocationArgs, json.loads(json.dumps(to_json(args)))) == args


def test_desired_carries_the_arguments_of_locations_on_aws_only() -> None:
    gov = load_site(Path(__file__).parents[1] / "sites/valid/aws-gov.yaml", environ={}).site
    core, region = desired(gov).locations
    assert core.aws is None
    assert region.aws == location_args(gov, "regions/gov")


def test_a_region_is_peered_with_the_core_and_an_edge_with_its_region_too() -> None:
    assert [peer.address for peer in args_of("core").peers] == []
    assert [peer.address for peer in args_of("regions/ireland").peers] == ["core"]
    assert [peer.address for peer in args_of("edges/shop").peers] == ["core", "regions/ireland"]
    assert [peer.route_table_count for peer in args_of("edges/shop").peers] == [4, 3]


def test_hosts_take_the_zones_in_turn_unless_they_must_share_one() -> None:
    zones = {group.name: [host.zone for host in group.hosts] for group in args_of("core").groups}
    assert zones == {"gate": [0], "control": [0, 1, 2], "monitor": [0], "train": [1, 1]}


def test_the_architecture_of_the_image_follows_from_the_machine_type() -> None:
    found = {group.machine_type: group.image.architecture for group in args_of("core").groups}
    assert found == {
        "t4g.small": "arm64",
        "m7i.large": "x86_64",
        "m7g.large": "arm64",
        "p5.48xlarge": "x86_64",
    }


def test_every_store_of_a_host_has_a_device_of_its_own_whatever_their_order() -> None:
    # Two of them would come to the same one.
    names = device_names(("data", "datasets", "shared"))
    assert names == {"data": "/dev/xvdcq", "datasets": "/dev/xvdcr", "shared": "/dev/xvdcs"}
    assert names == device_names(("shared", "datasets", "data"))
    assert device_names(("data",)) == {"data": names["data"]}


def test_zones_of_names_are_apart_for_every_location() -> None:
    names = [zone_name(args_of(address)) for address in SITE.locations()]
    assert names == [
        "core.cloud.internal",
        "ireland.regions.cloud.internal",
        "frankfurt.regions.cloud.internal",
        "shop.edges.cloud.internal",
    ]


def test_private_host_keys_are_not_shown() -> None:
    assert "secret" not in repr(LocationSecrets({"box-1": "secret"}))


def test_the_plan_lists_every_resource_by_kind_and_number() -> None:
    core = desired(SITE).locations[0]
    changes = resource_changes(core, None)
    assert core.aws is not None
    planned = planned_resources(core.aws)
    reason = changes[0].reasons[0].removeprefix("with ")
    counted = {kind: int(count) for count, kind in (one.split(" ") for one in reason.split(", "))}
    around = Counter(one.type.rpartition(":")[2] for one in planned if one.role not in {"host", "volume", "store"})
    assert counted == dict(around)
    assert counted["Vpc"] == 1
    rest = {(one.role, one.address) for one in planned if one.role in {"host", "volume", "store"}}
    assert {(change.kind, change.address) for change in changes[1:]} == rest


def test_a_store_that_left_the_site_file_is_kept_and_one_that_is_there_stays() -> None:
    core = desired(SITE).locations[0]
    stores = tuple(
        ObservedResource("store", f"core/{name}", "core", name, "available", is_data=True)
        for name in ("models", "old", "home", "scratch")
    )
    changes = resource_changes(core, ObservedLocation("core", stores, {}))
    found = {change.address: (change.action, change.reasons) for change in changes if change.kind == "store"}
    assert found == {
        "core/models": (Action.KEEP, ()),
        "core/reports": (Action.CREATE, ()),
        "core/home": (Action.KEEP, ()),
        "core/scratch": (Action.KEEP, ()),
        "core/old": (Action.KEEP, ("no longer in the site file; its data is kept",)),
    }


def test_the_largest_location_that_is_accepted_stays_below_a_thousand_resources() -> None:
    text = """
site: large
owner: ops@example.com
core:
  platform: aws
  network: {cidr: 10.0.0.0/16}
  aws: {region: eu-central-1, zones: [eu-central-1a, eu-central-1b, eu-central-1c], internet: nat-per-zone}
  nodes:
    box: {count: 200, machine: {type: g6.xlarge}}
  storage:
    data: {size_gib: 10, nodes: [box]}
"""
    args = location_args(load_text(text, file="large.yaml", environ={}).site, "core")
    assert args is not None
    assert 800 < len(planned_resources(args)) < 900
