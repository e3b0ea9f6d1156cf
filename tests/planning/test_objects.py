from __future__ import annotations

from pathlib import Path

import pytest

from leptonctl.planning.derived import roles_by_host
from leptonctl.planning.desired import Desired, desired
from leptonctl.planning.objects import bucket_settings
from leptonctl.planning.served import served
from leptonctl.sitefile.load import load_site

SITE = Path(__file__).parents[1] / "sites/valid/storage.yaml"


@pytest.fixture(scope="module")
def site() -> Desired:
    return desired(load_site(SITE, environ={}).site)


def told(site: Desired, name: str) -> dict[str, object]:
    core = site.locations[0]
    (host,) = (one for one in core.hosts if one.name == name)
    return bucket_settings(core, host)


RUNS = {"name": "runs", "writers": ["trainer"], "readers": ["ops"], "quota_bytes": 500 * 2**30}


def test_a_store_is_told_of_its_buckets_and_who_may_do_what(site: Desired) -> None:
    assert told(site, "objects-1") == {"buckets": [RUNS]}


def test_a_host_of_another_group_keeps_none(site: Desired) -> None:
    assert told(site, "files-1") == {"buckets": []}


def test_the_role_is_told_beside_what_the_file_sets_and_keys_stay_references(site: Desired) -> None:
    (role,) = (one for one in roles_by_host(site, {})["core/objects-1"] if one.name == "storage_object")
    assert role.settings["buckets"] == [RUNS]
    users = role.settings["users"]
    assert isinstance(users, dict)
    assert users["trainer"]["key"] == "env:TRAINER_KEY"


def test_s3_is_open_to_the_hosts_of_the_site_and_to_operators_and_nothing_else_is() -> None:
    (one,) = served("storage_object", {"port": 7480})
    assert (one.port, one.protocol, [str(audience) for audience in one.audiences]) == (
        7480,
        "tcp",
        ["site", "operators"],
    )
