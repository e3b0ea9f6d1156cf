from __future__ import annotations

from dataclasses import replace

from leptonctl.planning.observed import Endpoint, ObservedLocation, ObservedResource
from leptonctl.planning.plan import Action, Change
from leptonctl.planning.resources import ROOT_IS_LOST, resource_changes
from leptonctl.sitefile.model import Machine
from tests.platforms.sites import location

CORE = location("core", count=2, cidr="10.80.1.0/24", stores={"data": "/srv/data"})


def there(**changed: object) -> ObservedLocation:
    """The location CORE as it should be, but for `changed` properties (or the `status`) of box-1."""
    status = str(changed.pop("status", "running"))
    properties = {"cpus": 1.0, "memory_gib": 0.5, "mounts": {"data": "/srv/data"}, "has_site_key": True}
    return ObservedLocation(
        "core",
        (
            ObservedResource("network", "core", "core", "n", "there", {"cidr": "10.80.1.0/24"}),
            ObservedResource("volume", "core/data/box-1", "core", "v1", "there", is_data=True),
            ObservedResource("volume", "core/data/box-2", "core", "v2", "there", is_data=True),
            ObservedResource("host", "core/box-1", "core", "h1", status, properties | changed),
            ObservedResource("host", "core/box-2", "core", "h2", "running", properties),
        ),
        {},
    )


def box_1(observed: ObservedLocation) -> Change:
    return next(change for change in resource_changes(CORE, observed) if change.address == "core/box-1")


def test_where_nothing_is_all_is_created_in_order_network_volumes_hosts() -> None:
    assert [(one.action, one.kind, one.address, one.is_data) for one in resource_changes(CORE, None)] == [
        (Action.CREATE, "network", "core", False),
        (Action.CREATE, "volume", "core/data/box-1", True),
        (Action.CREATE, "volume", "core/data/box-2", True),
        (Action.CREATE, "host", "core/box-1", False),
        (Action.CREATE, "host", "core/box-2", False),
    ]


def test_a_range_that_is_picked_later_is_said_to_be() -> None:
    assert resource_changes(location("core"), None)[0].reasons == ("a free range is picked when it is made",)


def test_what_is_as_it_should_be_is_kept_without_a_reason() -> None:
    assert {(one.action, one.reasons) for one in resource_changes(CORE, there())} == {(Action.KEEP, ())}


def test_what_was_not_observed_is_not_compared() -> None:
    bare = ObservedResource("host", "core/box-1", "core", "h1", "running")
    one_host = location("core")
    network = ObservedResource("network", "core", "core", "n", "there")
    changes = resource_changes(one_host, ObservedLocation("core", (network, bare), {}))
    assert [change.action for change in changes] == [Action.KEEP, Action.KEEP]


def test_another_size_is_an_update_that_says_from_what_to_what() -> None:
    change = box_1(there(cpus=2.0, memory_gib=None))
    assert (change.action, change.reasons) == (Action.UPDATE, ("cpus 2 -> 1", "memory_gib no limit -> 0.5"))


def test_a_limit_that_is_no_longer_asked_for_goes() -> None:
    free = replace(CORE, hosts=tuple(replace(host, machine=Machine()) for host in CORE.hosts))
    change = next(one for one in resource_changes(free, there()) if one.address == "core/box-1")
    assert change.reasons == ("cpus 1 -> no limit", "memory_gib 0.5 -> no limit")


def test_the_rounding_of_cgroups_is_no_difference() -> None:
    assert box_1(there(memory_gib=0.49999, cpus=1.0002)).action is Action.KEEP


def test_a_host_that_does_not_run_is_updated() -> None:
    change = box_1(there(status="exited"))
    assert (change.action, change.reasons) == (Action.UPDATE, ("exited -> running",))


def test_a_host_that_lost_the_sites_key_is_updated() -> None:
    change = box_1(there(has_site_key=False))
    assert (change.action, change.reasons) == (Action.UPDATE, ("the site's SSH key is planted again",))


def test_a_half_made_host_is_made_anew() -> None:
    change = box_1(there(is_half_made=True, status="created"))
    assert (change.action, change.reasons) == (Action.CREATE, ("half-made: its creation was interrupted",))


def test_another_mount_needs_another_host_and_says_what_is_lost() -> None:
    assert box_1(there(mounts={"data": "/mnt", "old": "/old"})).reasons == (
        "volume data moves: mount_path /mnt -> /srv/data",
        "volume old is no longer mounted; its data is kept",
        ROOT_IS_LOST,
    )
    change = box_1(there(mounts={}))
    assert (change.action, change.reasons) == (Action.REPLACE, ("volume data is mounted at /srv/data", ROOT_IS_LOST))


def test_hosts_that_are_too_many_go_last_and_in_reverse_and_their_data_stays() -> None:
    fewer = replace(CORE, hosts=(), volumes=())
    assert [(one.action, one.address, one.reasons) for one in resource_changes(fewer, there())] == [
        (Action.KEEP, "core", ()),
        (Action.KEEP, "core/data/box-1", ("no longer in the site file; its data is kept",)),
        (Action.KEEP, "core/data/box-2", ("no longer in the site file; its data is kept",)),
        (Action.DELETE, "core/box-2", ("no longer in the site file",)),
        (Action.DELETE, "core/box-1", ("no longer in the site file",)),
    ]


def test_another_range_is_refused_where_there_are_hosts_and_makes_the_network_again_where_there_are_none() -> None:
    wanted = replace(CORE, cidr="10.81.0.0/24")
    change = resource_changes(wanted, there())[0]
    assert (change.action, change.reasons) == (
        Action.FORBIDDEN,
        (
            (
                "network.cidr 10.80.1.0/24 -> 10.81.0.0/24: a network keeps its range while it has hosts; instead: "
                "`leptonctl down --only LOCATION` (it keeps the data), then `leptonctl up`"
            ),
        ),
    )
    bare = ObservedLocation("core", there().resources[:1], {})
    change = resource_changes(wanted, bare)[0]
    assert (change.action, change.reasons) == (Action.REPLACE, ("cidr 10.80.1.0/24 -> 10.81.0.0/24",))


def test_existing_machines_are_kept_or_unknown_never_created() -> None:
    existing = replace(CORE, platform="ssh", volumes=())
    seen = ObservedLocation("core", (), {"core/box-1": Endpoint("box-1")})
    assert [one.action for one in resource_changes(existing, seen)] == [Action.KEEP, Action.UNKNOWN]
    assert [one.action for one in resource_changes(existing, None)] == [Action.UNKNOWN, Action.UNKNOWN]
