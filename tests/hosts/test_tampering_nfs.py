"""What the role storage_nfs manages, changed by hand on a real host: told alone, under its role, and mended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from tests.hosts.box import Box, box_of
from tests.hosts.tampering import RELOAD, Change, Round, content, disabled, held, hold, missing, mode, put_over, stopped
from tests.playbooks.cases import CASES

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.hosts, pytest.mark.matrix]

ROLE: Literal["storage_nfs"] = "storage_nfs"
PROGRAMS = "/usr/local/lib/leptonctl"
SERVER, MOUNT = "nfs-ganesha.service", "srv-other.mount"

ROUNDS = {
    "files and what stopped": Round(
        (
            content(ROLE, "/etc/ganesha/ganesha.conf"),
            mode(ROLE, "/etc/leptonctl/nfs.json", "0666", "0644"),
            content(ROLE, f"{PROGRAMS}/nfs_exports"),
            missing(ROLE, f"{PROGRAMS}/nfs_mounts"),
            content(ROLE, f"/etc/systemd/system/{MOUNT}", RELOAD),
            stopped(ROLE, SERVER),
            disabled(ROLE, SERVER),
            disabled(ROLE, MOUNT),
            held(ROLE, "nfs-ganesha"),
        )
    ),
    "packages, and what was put over ours": Round(
        (
            Change(
                ROLE,
                "the folders that are served are there: no: exit 0: /srv/homes is not there",
                "rmdir /srv/homes",
            ),
            put_over(ROLE, SERVER),
            put_over(ROLE, MOUNT, "Mount", "TimeoutSec=5"),
            Change(ROLE, "package nfs-ganesha-vfs is not installed", "dpkg --remove nfs-ganesha-vfs"),
            Change(ROLE, "package libnfs-utils is not installed", "dpkg --remove libnfs-utils"),
        )
    ),
}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with box_of(tmp_path_factory.mktemp("nfs-box"), ROLE, CASES[ROLE].settings) as made:
        yield made


@pytest.mark.parametrize("name", ROUNDS)
def test_a_change_by_hand_is_told_alone_under_its_role_and_mended(box: Box, name: str) -> None:
    hold(box, ROUNDS[name])
    assert box.run(f"systemctl show --property=Nice --value {SERVER}") == "0\n"
