"""What the role storage_hdfs manages, changed by hand on a real host: told alone, under its role, and mended."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import pytest

from tests.hosts.box import Box, fresh_box, role
from tests.hosts.hdfs_box import SETTINGS, bring_hadoop
from tests.hosts.tampering import Change, Round, hold

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.hosts, pytest.mark.matrix]

ROLE: Literal["storage_hdfs"] = "storage_hdfs"
PROGRAMS = "/usr/local/lib/leptonctl"
HADOOP = "/etc/leptonctl/hadoop"
UNITS = "/etc/systemd/system/leptonctl-hdfs"
JAR = "share/hadoop/hdfs/hadoop-hdfs-3.4.1.jar"
DROP_IN = "printf '[Service]\\nNice=5\\n' | install -D -m 0644 /dev/stdin"

ROUNDS = {
    "files, accounts and what stopped": Round(
        (
            Change(ROLE, f"{HADOOP}/hdfs-site.xml: content changed", f"echo >> {HADOOP}/hdfs-site.xml"),
            Change(ROLE, f"{HADOOP}/core-site.xml: mode 0666, should be 0644", f"chmod 0666 {HADOOP}/core-site.xml"),
            Change(ROLE, f"{HADOOP}/racks is missing", f"rm {HADOOP}/racks"),
            Change(ROLE, f"{HADOOP}/nodes: content changed", f"echo 192.0.2.66 >> {HADOOP}/nodes"),
            Change(ROLE, "/etc/leptonctl/hdfs.json: owner hdfs, should be root", "chown hdfs /etc/leptonctl/hdfs.json"),
            Change(ROLE, f"{PROGRAMS}/hdfs_paths: content changed", f"echo >> {PROGRAMS}/hdfs_paths"),
            # Without the reload the probe tells that, too: systemd would run what the file was.
            Change(
                ROLE,
                f"{UNITS}-paths.timer: content changed",
                f"echo >> {UNITS}-paths.timer && systemctl daemon-reload",
            ),
            Change(ROLE, "/var/lib/hadoop: mode 0777, should be 0750", "chmod 0777 /var/lib/hadoop"),
            Change(
                ROLE,
                "user hdfs: shell is /bin/bash, should be /usr/sbin/nologin",
                "usermod --shell /bin/bash hdfs || sed -i '/^hdfs:/s#:[^:]*$#:/bin/bash#' /etc/passwd",
            ),
            Change(
                ROLE,
                "unit leptonctl-hdfs-data-node.service is stopped, should be running",
                "systemctl stop leptonctl-hdfs-data-node.service",
            ),
            Change(
                ROLE,
                "unit leptonctl-hdfs-checkpoint-node.service is disabled, should be enabled",
                "systemctl disable leptonctl-hdfs-checkpoint-node.service",
            ),
            Change(
                ROLE,
                "unit leptonctl-hdfs-metrics.timer is stopped, should be running",
                "systemctl stop leptonctl-hdfs-metrics.timer",
            ),
        )
    ),
    "software, and what was put over ours": Round(
        (
            Change(
                ROLE,
                f"Hadoop is as its archive has it: no: exit 0: 1 files differ, such as {JAR}",
                f"echo >> /opt/leptonctl/hadoop/{JAR}",
            ),
            Change(
                ROLE,
                f"unit leptonctl-hdfs-name-node.service has an extra drop-in {UNITS}-name-node.service.d/x.conf",
                f"{DROP_IN} {UNITS}-name-node.service.d/x.conf && systemctl daemon-reload",
            ),
            Change(
                ROLE,
                "package default-jre-headless is marked hold, should be install",
                "apt-mark hold default-jre-headless",
            ),
        )
    ),
}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with fresh_box(tmp_path_factory.mktemp("hdfs-box"), "hdfs-box") as made:
        bring_hadoop(made)
        made.target = replace(made.target, roles=(role("base"), role(ROLE, **SETTINGS)))
        made.configure()
        assert made.record().problem is None
        yield made


@pytest.mark.parametrize("name", ROUNDS)
def test_a_change_by_hand_is_told_alone_under_its_role_and_mended(box: Box, name: str) -> None:
    hold(box, ROUNDS[name])


def test_names_that_are_gone_are_told_and_not_made_anew_over_blocks(box: Box) -> None:
    box.run("systemctl stop leptonctl-hdfs-name-node.service && mv /var/lib/hadoop/name /root/name")
    assert "the names of HDFS are there: no: exit 0: there are no names in /var/lib/hadoop/name" in box.found()[ROLE]
    box.run_alone(box.target.roles[1])
    assert box.done.failure is not None
    assert "refused: /var/lib/hadoop/data holds blocks of CID-" in str(box.done.failure)
    box.run("mv /root/name /var/lib/hadoop/name")
    box.configure()
    assert box.record().problem is None
    assert box.found(with_checks=True) == {}
