"""What the role storage_object manages, changed by hand on a real host: told alone, under its role, and mended."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import pytest

from tests.hosts.box import Box, fresh_box, role
from tests.hosts.tampering import Change, Round, hold

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
            Change(ROLE, f"{PROXY}/10-settings.conf: content changed", f"echo >> {PROXY}/10-settings.conf"),
            Change(ROLE, f"{PROXY}/20-users.conf: mode 0644, should be 0640", f"chmod 0644 {PROXY}/20-users.conf"),
            Change(ROLE, "/etc/swift/object-server.conf is missing", "rm /etc/swift/object-server.conf"),
            Change(
                ROLE, "/etc/leptonctl/objects.json: mode 0600, should be 0644", "chmod 0600 /etc/leptonctl/objects.json"
            ),
            Change(ROLE, f"{PROGRAMS}/objects_buckets: content changed", f"echo >> {PROGRAMS}/objects_buckets"),
            # Without the reload the probe tells that, too: systemd would run what the file was.
            Change(
                ROLE,
                f"{DROP_INS}/60-leptonctl.conf: content changed",
                f"echo >> {DROP_INS}/60-leptonctl.conf && systemctl daemon-reload",
            ),
            Change(
                ROLE,
                "unit swift-object-auditor.service is stopped, should be running",
                "systemctl stop swift-object-auditor.service",
            ),
            Change(
                ROLE,
                "unit swift-account.service is disabled, should be enabled",
                "systemctl disable swift-account.service",
            ),
            Change(ROLE, "package swift-proxy is marked hold, should be install", "apt-mark hold swift-proxy"),
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
    "what was put over ours": Round(
        (
            Change(
                ROLE,
                "unit swift-object.service has an extra drop-in /etc/systemd/system/swift-object.service.d/x.conf",
                "printf '[Service]\\nNice=5\\n' | install -D -m 0644 /dev/stdin"
                " /etc/systemd/system/swift-object.service.d/x.conf && systemctl daemon-reload",
            ),
        )
    ),
}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with fresh_box(tmp_path_factory.mktemp("objects-box"), "objects-box") as made:
        made.target = replace(made.target, roles=(role("base"), role(ROLE, **SETTINGS)))
        made.configure()
        assert made.record().problem is None
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
