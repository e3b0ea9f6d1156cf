"""What an edit of a site on AWS does, from what was observed and what was applied last: one case an edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from leptonctl.planning.desired import DesiredLocation, desired
from leptonctl.planning.observed import ObservedLocation, ObservedResource
from leptonctl.planning.plan import Action
from leptonctl.planning.resources import resource_changes
from leptonctl.sitefile.load import load_text
from leptonctl.sitefile.section import section_text

if TYPE_CHECKING:
    from leptonctl.sitefile.model import Site

TEXT = """site: demo
owner: ops@example.com
core:
  platform: aws
  aws:
    region: eu-central-1
    zones: [eu-central-1a, eu-central-1b]
    buckets:
      models: {nodes: [box]}
    file_systems:
      scratch: {kind: lustre, size_gib: 2400}
  network: {cidr: 10.20.0.0/20}
  nodes:
    box:
      count: 1
      machine: {type: m5.large, disk_gib: 30}
  storage:
    data: {size_gib: 10, nodes: [box]}
"""
INSTEAD = "instead: add a group beside it with the new value, then remove this one"
COPY = "instead: add a smaller one beside it and copy the data"


def site_of(text: str) -> Site:
    return load_text(text, file="site.yaml", environ={}).site


def there(text: str = TEXT, *, with_section: bool = True) -> ObservedLocation:
    """The core as it is right after it was made from this text."""
    args = core_of(text).aws
    assert args is not None
    network: dict[str, object] = {"cidr": args.network.cidr, "region": args.region, "owner": args.owner}
    if with_section:
        network["section"] = section_text(site_of(text).core)
    host: dict[str, object] = {"type": args.groups[0].machine_type, "root_gib": args.groups[0].root_gib}
    return ObservedLocation(
        "core",
        (
            ObservedResource("network", "core", "core", "vpc-1", "available", network),
            ObservedResource("host", "core/box-1", "core", "i-1", "running", host),
            ObservedResource("volume", "core/data/box-1", "core", "v-1", "in-use", {"size_gib": 10}, is_data=True),
            ObservedResource("store", "core/models", "core", "b-1", "available", {"kind": "bucket"}, is_data=True),
            ObservedResource("store", "core/scratch", "core", "f-1", "available", {"kind": "lustre"}, is_data=True),
        ),
        {},
    )


def core_of(text: str) -> DesiredLocation:
    return desired(site_of(text)).locations[0]


def edited(old: str, new: str) -> str:
    assert TEXT.count(old) == 1, old
    return TEXT.replace(old, new)


def changed(text: str, observed: ObservedLocation) -> list[tuple[str, str, tuple[str, ...]]]:
    return [
        (one.action.value, one.address, one.reasons)
        for one in resource_changes(core_of(text), observed)
        if one.action is not Action.KEEP
    ]


def test_what_was_made_from_the_same_file_is_kept() -> None:
    assert changed(TEXT, there()) == []


@pytest.mark.parametrize(
    ("old", "new", "action", "address", "reason"),
    [
        ("m5.large", "m5.xlarge", "update", "core/box-1",
         "machine.type m5.large -> m5.xlarge: the host is stopped and started"),
        ("m5.large", "m7g.large", "replace", "core/box-1",
         "machine.type m5.large -> m7g.large: another processor architecture needs another image"),
        ("disk_gib: 30", "disk_gib: 50", "update", "core/box-1",
         "machine.disk_gib 30 -> 50: the disk grows, its file system at the next start"),
        ("disk_gib: 30", "disk_gib: 20", "forbidden", "core/box-1",
         f"nodes.box.machine.disk_gib 30 -> 20: a disk cannot shrink; {INSTEAD}"),
        ("size_gib: 10,", "size_gib: 20,", "update", "core/data/box-1",
         "size_gib 10 -> 20: the volumes grow; their file systems have to be grown on the hosts"),
        ("size_gib: 10,", "size_gib: 5,", "forbidden", "core/data/box-1",
         f"storage.data.size_gib 10 -> 5: a volume cannot shrink; {COPY}"),
        ("size_gib: 2400", "size_gib: 4800", "update", "core/scratch",
         "size_gib 2400 -> 4800: it grows while it is used"),
        ("size_gib: 2400", "size_gib: 1200", "forbidden", "core/scratch",
         f"aws.file_systems.scratch.size_gib 2400 -> 1200: it cannot shrink; {COPY}"),
        ("{nodes: [box]}", "{nodes: []}", "update", "core/models",
         "nodes [box] -> none: what the hosts may do changes"),
        ("10.20.0.0/20", "10.21.0.0/20", "forbidden", "core",
         ("network.cidr 10.20.0.0/20 -> 10.21.0.0/20: a network keeps its range while it has hosts; instead: "
         "`leptonctl down --only LOCATION` (it keeps the data), then `leptonctl up`")),
        ("zones: [eu-central-1a, eu-central-1b]", "zones: [eu-central-1a, eu-central-1b, eu-central-1c]", "update",
         "core", ("aws.zones [eu-central-1a, eu-central-1b] -> [eu-central-1a, eu-central-1b, eu-central-1c]: "
         "new hosts are spread over the new zone too")),
        ("zones: [eu-central-1a, eu-central-1b]", "zones: [eu-central-1b, eu-central-1a]", "forbidden", "core",
         ("aws.zones [eu-central-1a, eu-central-1b] -> [eu-central-1b, eu-central-1a]: networks, hosts and volumes "
         "stay in their zone for life; instead: add zones behind those that are there, or describe a new location")),
        ("owner: ops@example.com", "owner: ml@example.com", "update", "core",
         "owner ops@example.com -> ml@example.com: the marks of everything that is there are changed"),
        ("disk_gib: 30}", "disk_gib: 30}\n      aws: {placement: cluster}", "forbidden", "core/box-1",
         f"nodes.box.aws.placement none -> cluster: a machine keeps the placement it started with; {INSTEAD}"),
        ("disk_gib: 30}", "disk_gib: 30}\n      aws: {capacity: spot}", "forbidden", "core/box-1",
         f"nodes.box.aws.capacity on-demand -> spot: a machine stays as it was bought; {INSTEAD}"),
        ("disk_gib: 30}", "disk_gib: 30}\n      aws: {image: {id: ami-0123456789abcdef0}}", "replace", "core/box-1",
         "aws.image.id none -> ami-0123456789abcdef0: the hosts start from the other image; volumes are kept"),
    ],
)  # fmt: skip
def test_an_edit_does_what_its_key_declares(old: str, new: str, action: str, address: str, reason: str) -> None:
    assert changed(edited(old, new), there()) == [(action, address, (reason,))]


def test_another_region_is_refused_in_favour_of_a_new_location() -> None:
    moved = edited("region: eu-central-1\n", "region: eu-west-1\n").replace("eu-central-1", "eu-west-1")
    found = changed(moved, there())
    assert [(action, address) for action, address, _ in found] == [("forbidden", "core")]
    assert found[0][2][0] == (
        "aws.region eu-central-1 -> eu-west-1: nothing moves from one region to another; instead: describe a new "
        "location in the other region, move the data, and remove this one"
    )


def test_the_cloud_goes_before_what_was_applied_last() -> None:
    # The text says that m5.large was applied, but somebody made the host larger since: only that is told.
    wanted, seen = edited("m5.large", "m5.xlarge"), there(edited("m5.large", "m5.2xlarge"))
    assert changed(wanted, seen) == [
        ("update", "core/box-1", ("machine.type m5.2xlarge -> m5.xlarge: the host is stopped and started",))
    ]


def test_without_a_record_of_what_was_applied_what_was_observed_is_still_compared() -> None:
    bare = there(with_section=False)
    assert changed(TEXT, bare) == []
    assert [one[0] for one in changed(edited("m5.large", "m5.xlarge"), bare)] == ["update"]


def test_hosts_and_stores_that_come_or_go_are_told_once_as_what_they_are() -> None:
    more = edited("count: 1", "count: 2")
    assert changed(more, there()) == [("create", "core/data/box-2", ()), ("create", "core/box-2", ())]
    without = edited("    buckets:\n      models: {nodes: [box]}\n", "")
    assert changed(without, there()) == []
    kept = [one for one in resource_changes(core_of(without), there()) if one.address == "core/models"]
    assert [(one.action, one.reasons) for one in kept] == [
        (Action.KEEP, ("no longer in the site file; its data is kept",))
    ]


def test_several_edits_of_one_thing_are_told_together_and_the_hardest_decides() -> None:
    text = edited("{type: m5.large, disk_gib: 30}", "{type: m5.xlarge, disk_gib: 50}")
    assert changed(text, there()) == [
        (
            "update",
            "core/box-1",
            (
                "machine.type m5.large -> m5.xlarge: the host is stopped and started",
                "machine.disk_gib 30 -> 50: the disk grows, its file system at the next start",
            ),
        )
    ]
    text = edited("{type: m5.large, disk_gib: 30}", "{type: m5.xlarge, disk_gib: 20}")
    assert [(one[0], len(one[2])) for one in changed(text, there())] == [("forbidden", 1)]
