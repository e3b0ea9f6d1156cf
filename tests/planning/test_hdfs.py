"""Who is told what of the site's HDFS."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from leptonctl.planning.derived import roles_by_host
from leptonctl.planning.desired import Desired, desired
from leptonctl.planning.hdfs import hdfs_of, rack_of, refused_edits
from leptonctl.planning.observed import HostLook, Reach, RoleLook, RoleState
from leptonctl.planning.rollout import turns_of
from leptonctl.sitefile.model import Site

NAMES = {
    "core/name-1": "10.9.0.2",
    "core/data-1": "10.9.0.3",
    "core/data-2": "10.9.0.4",
    "regions/west/data-1": "10.9.1.2",
}


def site(**core: object) -> Desired:
    files = ["base", "storage_hdfs", "hardening"]
    part = {"storage_hdfs": {"parts": ["name_node"], "replication": 2}}
    return desired(
        Site.model_validate(
            {
                "site": "demo",
                "owner": "ops",
                "core": {
                    "platform": "local",
                    "nodes": {
                        "name": {"count": 1, "roles": files, "software": part},
                        "data": {"count": 2, "roles": files},
                    },
                    **core,
                },
                "regions": {
                    "west": {
                        "platform": "local",
                        "nodes": {
                            "data": {
                                "count": 1,
                                "roles": files,
                                "software": {"storage_hdfs": {"parts": ["data_node", "checkpoint_node"]}},
                            },
                            "other": {"count": 1},
                        },
                    }
                },
            }
        )
    )


def told(want: Desired, host: str, role: str = "storage_hdfs") -> dict[str, Any]:
    return dict(next(one.settings for one in roles_by_host(want, NAMES)[host] if one.name == role))


def test_one_hdfs_spans_the_site_and_a_location_is_a_rack() -> None:
    found = hdfs_of(site())
    assert (found.name_nodes, found.checkpoint_node) == (("core/name-1",), "regions/west/data-1")
    racks = (("core/data-1", "/core"), ("core/data-2", "/core"), ("regions/west/data-1", "/regions.west"))
    assert found.data_nodes == racks
    assert rack_of("edges/shop") == "/edges.shop"


def test_the_name_node_alone_is_told_of_all_others_so_that_a_new_host_changes_no_data_node() -> None:
    assert [node["address"] for node in told(site(), "core/name-1")["nodes"]] == ["10.9.0.3", "10.9.0.4", "10.9.1.2"]
    data = told(site(), "core/data-2")
    assert (data["name_nodes"], data["checkpoint_node"], data["address"]) == (["10.9.0.2"], "10.9.1.2", "10.9.0.4")
    assert (data["nodes"], data["paths"]) == ([], [])


def test_a_path_without_a_number_is_kept_as_often_as_the_name_node_says() -> None:
    storage = {
        "models": {"kind": "hdfs_path", "path": "/models"},
        "data": {"kind": "hdfs_path", "path": "/data", "erasure": "XOR-2-1-1024k", "owner": "trainer"},
    }
    assert told(site(storage=storage), "core/name-1")["paths"] == [
        {"path": "/models", "owner": "hdfs", "policy": None, "copies": 2},
        {"path": "/data", "owner": "trainer", "policy": "XOR-2-1-1024k", "copies": 2},
    ]


def test_its_ports_are_open_to_its_own_hosts_in_all_locations_and_to_those_beside_it() -> None:
    openings = told(site(), "regions/west/data-1", "hardening")["openings"]
    assert [(one["port"], one["sources"]) for one in openings] == [
        (port, ["10.9.0.2/31", "10.9.0.4", "10.9.1.2"]) for port in ("9864", "9866", "9867", "9868")
    ]


def test_the_name_node_comes_with_the_first_of_those_that_have_a_turn() -> None:
    monitor = {"storage_ceph": {"monitor": True}}
    data = {"count": 2, "roles": ["base", "storage_ceph", "storage_hdfs"], "software": monitor}
    name = {"count": 1, "roles": ["base", "storage_hdfs"], "software": {"storage_hdfs": {"parts": ["name_node"]}}}
    assert turns_of(site(nodes={"data": data, "name": name}).locations) == {
        "core/name-1": 0,
        "core/data-1": 0,
        "core/data-2": 1,
    }
    assert turns_of(site().locations) == {}


def pair(journal: int = 3, **more: object) -> Desired:
    files = ["base", "storage_hdfs"]
    nodes = {
        "names": {"count": 2, "roles": files, "software": {"storage_hdfs": {"parts": ["name_node"]}}},
        "votes": {
            "count": journal,
            "roles": files,
            "software": {"storage_hdfs": {"parts": ["data_node", "journal_node"]}},
        },
        "data": {"count": 1, "roles": files},
    }
    return site(nodes={**nodes, **more})


def test_two_name_nodes_come_after_their_journal_nodes_and_all_of_them_one_by_one() -> None:
    assert turns_of(pair().locations) == {
        "core/votes-1": -3,
        "core/votes-2": -2,
        "core/votes-3": -1,
        "core/names-1": 0,
        "core/names-2": 1,
    }


def test_journal_nodes_that_are_monitors_of_ceph_have_the_turns_of_those() -> None:
    both = {
        "count": 3,
        "roles": ["base", "storage_ceph", "storage_hdfs"],
        "software": {"storage_ceph": {"monitor": True}, "storage_hdfs": {"parts": ["journal_node"]}},
    }
    turns = turns_of(pair(votes=both).locations)
    assert turns == {
        "core/votes-1": 0,
        "core/votes-2": 1,
        "core/votes-3": 2,
        "core/names-1": 3,
        "core/names-2": 4,
    }


def test_every_host_knows_both_name_nodes_and_where_edits_are_kept_and_none_that_nobody_can_reach() -> None:
    names = {
        "core/names-1": "10.9.0.2",
        "core/votes-1": "10.9.0.4",
        "core/votes-2": "10.9.0.5",
        "core/data-1": "10.9.0.7",
    }
    found: dict[str, dict[str, Any]] = {
        host: dict(next(one.settings for one in roles_by_host(pair(), names)[host] if one.name == "storage_hdfs"))
        for host in ("core/names-1", "core/data-1")
    }
    for settings in found.values():
        assert settings["name_nodes"] == ["10.9.0.2", None]
        assert settings["journal_nodes"] == ["10.9.0.4", "10.9.0.5", None]
    assert [node["host"] for node in found["core/names-1"]["nodes"]] == ["core/votes-1", "core/votes-2", "core/data-1"]
    assert found["core/data-1"]["nodes"] == []


def test_a_site_without_it_has_none() -> None:
    bare = desired(Site.model_validate({"site": "demo", "owner": "ops", "core": {"platform": "local"}}))
    assert hdfs_of(bare).name_nodes == ()


def test_a_host_keeps_its_part_until_the_role_was_taken_off_it() -> None:
    place = next(one for one in site().locations if one.address == "core")
    former = {"parts": ["name_node", "data_node"]}
    ran = RoleLook(RoleState.SETTINGS_CHANGED, changed_settings=("parts",), former_settings=former)
    look = HostLook("core/data-1", Reach.OK, datetime.now(UTC), {"storage_hdfs": ran})
    (reason,) = refused_edits(place, {"core/data-1": look})
    assert reason == (
        "core/data-1 is name_node, data_node of HDFS and does not become data_node: "
        "take the role storage_hdfs off it first (its data is kept until you name it)"
    )
    assert list(refused_edits(place, {})) == []


def test_a_data_node_may_become_a_journal_node_too() -> None:
    place = next(one for one in pair().locations if one.address == "core")
    ran = RoleLook(RoleState.SETTINGS_CHANGED, changed_settings=("parts",), former_settings={"parts": ["data_node"]})
    look = HostLook("core/votes-1", Reach.OK, datetime.now(UTC), {"storage_hdfs": ran})
    assert list(refused_edits(place, {"core/votes-1": look})) == []
