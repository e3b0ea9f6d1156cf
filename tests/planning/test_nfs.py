from __future__ import annotations

from pathlib import Path

import pytest

from leptonctl.planning.desired import Desired, desired
from leptonctl.planning.nfs import nfs_settings, unit_of
from leptonctl.sitefile.load import load_site

SITE = Path(__file__).parents[1] / "sites/valid/storage.yaml"


@pytest.fixture(scope="module")
def site() -> Desired:
    return desired(load_site(SITE, environ={}).site)


def told(site: Desired, name: str, hostnames: dict[str, str]) -> dict[str, object]:
    core = site.locations[0]
    (host,) = (one for one in core.hosts if one.name == name)
    return nfs_settings(core, host, hostnames)


NAMES = {"core/files-1": "10.0.0.1", "core/train-1": "10.0.0.2", "core/train-2": "10.0.0.3"}


def test_a_server_lets_the_hosts_of_the_named_groups_in_and_no_others(site: Desired) -> None:
    assert told(site, "files-1", NAMES) == {
        "exports": [
            {
                "number": 1,
                "name": "homes",
                "path": "/srv/homes",
                "read_only": True,
                "clients": ["10.0.0.2", "10.0.0.3"],
            }
        ],
        "mounts": [],
    }


def test_a_client_mounts_from_the_server_and_serves_nothing(site: Desired) -> None:
    assert told(site, "train-1", NAMES) == {
        "exports": [],
        "mounts": [
            {
                "name": "homes",
                "server": "10.0.0.1",
                "path": "/srv/shared-homes",
                "unit": "srv-shared\\x2dhomes.mount",
                "read_only": True,
            }
        ],
    }


def test_a_mount_waits_for_the_name_of_its_server(site: Desired) -> None:
    assert told(site, "train-1", {"core/train-1": "10.0.0.2"})["mounts"] == []


def test_the_unit_of_a_mount_has_the_name_that_systemd_wants() -> None:
    assert unit_of("/srv/models") == "srv-models.mount"
    assert unit_of("/srv/a-b/c") == "srv-a\\x2db-c.mount"
