"""What the role storage_ceph manages, changed by hand on a real host: told alone, under its role, and mended.

One host is all of the cluster: a monitor, a manager and an OSD on a file. What several do is in tests/e2e/test_ceph.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from tests.hosts.box import Box, box_of
from tests.hosts.tampering import Change, Round, content, drop_in, held, hold, missing, mode
from tests.playbooks.cases import CASES

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.hosts, pytest.mark.matrix]

ROLE: Literal["storage_ceph"] = "storage_ceph"
PROGRAMS = "/usr/local/lib/leptonctl"
MONITOR, MANAGER, OSD = "ceph-mon@core.box-1.service", "ceph-mgr@core.box-1.service", "ceph-osd@0.service"
OSD_DROP_IN = "/etc/systemd/system/ceph-osd@.service.d"
# The units are begun by the role's program: its own check tells of them, all in one line.
AS_IT_SHOULD_BE = "the host is what it should be in its cluster: no: exit 0: "


def daemons(said: str, command: str) -> Round:
    """A change to the daemons' units."""
    return Round((Change(ROLE, f"{AS_IT_SHOULD_BE}{said}", command),))


ROUNDS = {
    "files, rights and holds": Round(
        (
            content(ROLE, "/etc/ceph/ceph.conf"),
            mode(ROLE, "/etc/ceph/ceph.client.admin.keyring", "0644", "0600"),
            mode(ROLE, "/etc/leptonctl/ceph.json", "0666", "0644"),
            content(ROLE, f"{PROGRAMS}/ceph_pools"),
            missing(ROLE, f"{PROGRAMS}/ceph_health"),
            content(ROLE, f"{OSD_DROP_IN}/leptonctl.conf"),
            held(ROLE, "ceph-common"),
            Change(
                ROLE,
                "/etc/sudoers.d/ceph-smartctl is there, should be absent",
                "touch /etc/sudoers.d/ceph-smartctl",
            ),
            Change(ROLE, "package ceph-fuse is not installed", "dpkg --remove ceph-fuse"),
        )
    ),
    "a key that somebody changed": Round((content(ROLE, "/etc/ceph/ceph.client.objects.keyring"),)),
    "a daemon that is stopped": daemons(f"{OSD} does not run", f"systemctl stop {OSD}"),
    "a daemon that will not come back": daemons(f"{MANAGER} does not run", f"systemctl disable {MANAGER}"),
    "a daemon that is masked": daemons(
        f"{MONITOR} does not run", f"systemctl mask {MONITOR} && systemctl stop {MONITOR}"
    ),
    "what was put over one daemon": daemons(
        f"/etc/systemd/system/{MONITOR}.d/x.conf is put over what was packed",
        drop_in(f"/etc/systemd/system/{MONITOR}.d/x.conf"),
    ),
    "what was put over all of a kind": daemons(
        f"{OSD_DROP_IN}/x.conf is put over what was packed",
        f"{drop_in(f'{OSD_DROP_IN}/x.conf')} && systemctl daemon-reload && systemctl restart {OSD}",
    ),
}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with box_of(tmp_path_factory.mktemp("ceph-box"), ROLE, CASES[ROLE].settings) as made:
        yield made


@pytest.mark.parametrize("name", ROUNDS)
def test_a_change_by_hand_is_told_alone_under_its_role_and_mended(box: Box, name: str) -> None:
    hold(box, ROUNDS[name])
    for unit in (MONITOR, OSD):
        pid = box.run(f"systemctl show --property=MainPID --value {unit}").strip()
        assert box.run(f"ps --no-headers --format ni --pid {pid}").strip() == "0", f"{unit} runs as it was packed"
