"""What the role storage_object manages, changed by hand on a real host: told alone, under its role, and mended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from tests.hosts.box import Box, fresh_box, role
from tests.hosts.tampering import RELOAD, Change, Round, content, disabled, held, hold, missing, mode, put_over, stopped

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.hosts, pytest.mark.matrix]

ROLE: Literal["storage_object"] = "storage_object"
PROGRAMS = "/usr/local/lib/leptonctl"
PROXY = "/etc/swift/proxy-server.conf.d"
DROP_INS = "/etc/systemd/system/swift-proxy.service.d"
MADE_HERE = "the object store is the one that was made here: no: exit 0: "
SETTINGS: dict[str, object] = {"buckets": [{"name": "data-sets", "writers": [], "readers": [], "quota_bytes": None}]}

ROUNDS = {
    "files and what stopped": Round(
        (
            content(ROLE, f"{PROXY}/10-settings.conf"),
            mode(ROLE, f"{PROXY}/20-users.conf", "0644", "0640"),
            missing(ROLE, "/etc/swift/object-server.conf"),
            mode(ROLE, "/etc/leptonctl/objects.json", "0600", "0644"),
            content(ROLE, f"{PROGRAMS}/objects_buckets"),
            content(ROLE, f"{DROP_INS}/60-leptonctl.conf", RELOAD),
            stopped(ROLE, "swift-object-auditor.service"),
            disabled(ROLE, "swift-account.service"),
            held(ROLE, "swift-proxy"),
        )
    ),
    "a user who was added by hand": Round(
        (
            Change(
                ROLE,
                f"{PROXY}/20-users.conf: content changed",
                f"echo 'user_site_eve = a-key-of-a-stranger .admin' >> {PROXY}/20-users.conf",
            ),
        )
    ),
    "a ring that is not the one that was made": Round(
        (
            Change(
                ROLE,
                f"{MADE_HERE}/etc/swift/object.ring.gz is other than it was made",
                "echo > /etc/swift/object.ring.gz",
            ),
        )
    ),
    "what was put over ours": Round((put_over(ROLE, "swift-object.service"),)),
}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with fresh_box(tmp_path_factory.mktemp("objects-box"), "objects-box") as made:
        made.become(role("base"), role(ROLE, **SETTINGS))
        yield made


@pytest.mark.parametrize("name", ROUNDS)
def test_every_change_is_told_alone_and_mended_by_the_next_run(box: Box, name: str) -> None:
    hold(box, ROUNDS[name])


def test_a_store_whose_disk_is_not_there_is_not_begun_anew(box: Box) -> None:
    box.run("systemctl stop 'swift-*' && mv /srv/objects /srv/elsewhere")
    box.run_alone(role(ROLE, **SETTINGS))
    assert box.done.status == "failed"
    assert box.done.failure is not None
    assert "they are not there now: is its disk mounted?" in str(box.done.failure)
    box.run("test ! -e /srv/objects/salt && rm -rf /srv/objects && mv /srv/elsewhere /srv/objects")
    box.configure()
    assert box.record().problem is None
    assert box.found(with_checks=True) == {}
