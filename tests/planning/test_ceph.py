from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from leptonctl.planning.ceph import ceph_clusters, client_of, pools_of, settings_by_host
from leptonctl.planning.desired import Desired, DesiredHost, desired
from leptonctl.planning.diff import diff
from leptonctl.planning.observed import HostLook, Observed, ObservedLocation, Reach, RoleLook, RoleState
from leptonctl.planning.rollout import turns_of
from leptonctl.planning.served import served
from leptonctl.sitefile.load import load_site
from leptonctl.sitefile.stores.ceph import CephPool, Erasure

SITE = Path(__file__).parents[1] / "sites/valid/storage.yaml"
PIECES = Erasure(data=2, parity=1)


@pytest.fixture(scope="module")
def site() -> Desired:
    return desired(load_site(SITE, environ={}).site)


@pytest.fixture(scope="module")
def settings(site: Desired) -> dict[str, dict[str, object]]:
    names = {host.address: f"10.0.0.{number}" for number, host in enumerate(hosts(site), start=1)}
    return settings_by_host(site, names)


def hosts(site: Desired) -> list[DesiredHost]:
    return [host for location in site.locations for host in location.hosts]


def test_locations_that_name_the_same_cluster_are_one(site: Desired) -> None:
    (cluster,) = ceph_clusters(site.locations)
    assert cluster.name == "all"
    assert [location.address for location in cluster.locations] == ["core", "regions/west"]
    assert cluster.monitors == ("core/mon-1", "core/mon-2", "core/mon-3")


def test_monitors_change_one_after_the_other_and_before_all_others(site: Desired) -> None:
    assert turns_of(site.locations) == {"core/mon-1": 0, "core/mon-2": 1, "core/mon-3": 2}


def test_only_the_first_monitor_is_told_of_pools(settings: dict[str, dict[str, object]]) -> None:
    assert [address for address, one in settings.items() if one["begins"]] == ["core/mon-1"]
    assert [address for address, one in settings.items() if one["pools"] or one["options"]] == ["core/mon-1"]
    assert settings["core/mon-1"]["places"] == ["core", "regions.west"]
    assert settings["regions/west/store-1"]["place"] == "regions.west"
    assert settings["regions/west/store-1"]["monitors"] == [
        {"name": f"core.mon-{number}", "address": f"10.0.0.{number}"} for number in (1, 2, 3)
    ]


def test_each_monitor_has_a_metadata_server_for_each_file_system(settings: dict[str, dict[str, object]]) -> None:
    having = [address for address, one in settings.items() if one["file_systems"] == ["models"]]
    assert having == ["core/mon-1", "core/mon-2", "core/mon-3"]


def test_clients_are_the_hosts_of_the_groups_that_ask(settings: dict[str, dict[str, object]]) -> None:
    clients = {address: [one["name"] for one in told["clients"]] for address, told in settings.items()}  # type: ignore[attr-defined]
    assert {address: names for address, names in clients.items() if names} == {
        "core/train-1": ["models", "datasets"],
        "core/train-2": ["models", "datasets"],
    }


@pytest.mark.parametrize(
    ("pool", "expected"),
    [
        (CephPool(kind="ceph_pool"), {"a": (3, None)}),
        (CephPool(kind="ceph_pool", use="rbd", size=2), {"a": (2, None)}),
        (CephPool(kind="ceph_pool", erasure=PIECES), {"a": (None, PIECES.model_dump())}),
        (
            CephPool(kind="ceph_pool", use="rbd", erasure=PIECES),
            {"a.meta": (3, None), "a": (None, PIECES.model_dump())},
        ),
        (CephPool(kind="ceph_pool", use="cephfs", size=2), {"a.meta": (2, None), "a": (2, None)}),
        (
            CephPool(kind="ceph_pool", use="cephfs", erasure=Erasure(data=4, parity=3)),
            {"a.meta": (4, None), "a": (None, {"data": 4, "parity": 3})},
        ),
    ],
)
def test_metadata_has_a_pool_of_whole_copies_that_bears_what_the_data_bears(
    pool: CephPool, expected: dict[str, tuple[object, object]]
) -> None:
    assert {one["name"]: (one["size"], one["erasure"]) for one in pools_of("core", "a", pool)} == expected


def test_a_client_may_use_its_own_pool_alone() -> None:
    assert client_of("a", CephPool(kind="ceph_pool"))["caps"] == ["mon", "allow r", "osd", "allow rw pool=a"]
    assert client_of("a", CephPool(kind="ceph_pool", use="rbd", erasure=PIECES))["caps"] == [
        *("mon", "profile rbd", "osd", "profile rbd pool=a, profile rbd pool=a.meta")
    ]
    assert client_of("a", CephPool(kind="ceph_pool", use="cephfs", mount_path="/srv/a")) == {
        "name": "a",
        "caps": ["mon", "allow r fsname=a", "mds", "allow rw fsname=a", "osd", "allow rw tag cephfs data=a"],
        "mount_path": "/srv/a",
    }


def test_ports_are_open_for_what_a_host_is(site: Desired) -> None:
    ports = {
        host.name: [one.port for role in host.roles for one in served(role.name, role.settings)]
        for location in site.locations
        for host in location.hosts
    }
    assert ports["mon-1"] == [3300, 6789, "6800-7300", 9284]
    assert ports["store-1"] == ["6800-7300"]
    assert ports["train-1"] == [2049]


@pytest.mark.parametrize(
    ("former", "reason"),
    [
        ({"cluster": "other"}, "a host keeps its cluster: take the role storage_ceph off it first"),
        (
            {"pools": [{"name": "datasets", "erasure": {"data": 4, "parity": 2}, "application": "rbd"}]},
            "the pool datasets keeps how its data is cut and what it is for: add one beside it",
        ),
        ({"pools": [{"name": "gone", "erasure": None, "application": "rbd"}]}, None),
    ],
)
def test_an_edit_that_would_lose_data_is_forbidden(
    site: Desired, former: dict[str, object], reason: str | None
) -> None:
    role = RoleLook(RoleState.SETTINGS_CHANGED, former_settings=former)
    look = HostLook("core/mon-1", Reach.OK, datetime(2026, 1, 1, tzinfo=UTC), {"storage_ceph": role})
    there = {location.address: ObservedLocation(location.address, (), {}) for location in site.locations}
    plan = diff(site, Observed(there, looks={"core/mon-1": look}))
    assert [text for change in plan.forbidden for text in change.reasons] == ([reason] if reason else [])
