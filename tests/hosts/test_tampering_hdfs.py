"""What the role storage_hdfs manages, changed by hand on a real host: told alone, under its role, and mended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from tests.hosts.box import Box, fresh_box, role
from tests.hosts.hdfs_box import SETTINGS, bring_hadoop
from tests.hosts.tampering import RELOAD, Change, Round, content, disabled, held, hold, missing, mode, put_over, stopped

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.hosts, pytest.mark.matrix]

ROLE: Literal["storage_hdfs"] = "storage_hdfs"
PROGRAMS = "/usr/local/lib/leptonctl"
HADOOP = "/etc/leptonctl/hadoop"
UNITS = "/etc/systemd/system/leptonctl-hdfs"
JAR = "share/hadoop/hdfs/hadoop-hdfs-3.4.1.jar"

ROUNDS = {
    "files, accounts and what stopped": Round(
        (
            content(ROLE, f"{HADOOP}/hdfs-site.xml"),
            mode(ROLE, f"{HADOOP}/core-site.xml", "0666", "0644"),
            missing(ROLE, f"{HADOOP}/racks"),
            Change(ROLE, f"{HADOOP}/nodes: content changed", f"echo 192.0.2.66 >> {HADOOP}/nodes"),
            Change(ROLE, "/etc/leptonctl/hdfs.json: owner hdfs, should be root", "chown hdfs /etc/leptonctl/hdfs.json"),
            content(ROLE, f"{PROGRAMS}/hdfs_paths"),
            content(ROLE, f"{UNITS}-paths.timer", RELOAD),
            mode(ROLE, "/var/lib/hadoop", "0777", "0750"),
            Change(
                ROLE,
                "user hdfs: shell is /bin/bash, should be /usr/sbin/nologin",
                "usermod --shell /bin/bash hdfs || sed -i '/^hdfs:/s#:[^:]*$#:/bin/bash#' /etc/passwd",
            ),
            stopped(ROLE, "leptonctl-hdfs-data-node.service"),
            disabled(ROLE, "leptonctl-hdfs-checkpoint-node.service"),
            stopped(ROLE, "leptonctl-hdfs-metrics.timer"),
        )
    ),
    "software, and what was put over ours": Round(
        (
            Change(
                ROLE,
                f"Hadoop is as its archive has it: no: exit 0: 1 files differ, such as {JAR}",
                f"echo >> /opt/leptonctl/hadoop/{JAR}",
            ),
            put_over(ROLE, "leptonctl-hdfs-name-node.service"),
            held(ROLE, "default-jre-headless"),
        )
    ),
}

# What two name nodes need besides; the other one is a host that is not there.
STANDBY = {
    "parts": ["name_node", "journal_node", "data_node"],
    "name_nodes": ["127.0.0.1", "192.0.2.1"],
    "journal_nodes": ["127.0.0.1"],
    "checkpoint_node": None,
}
OF_A_STANDBY = Round(
    (
        content(ROLE, f"{HADOOP}/zookeeper.cfg"),
        Change(ROLE, "/var/lib/hadoop/zookeeper/myid: content changed", "echo 7 > /var/lib/hadoop/zookeeper/myid"),
        mode(ROLE, "/var/lib/hadoop/zookeeper", "0777", "0700"),
        content(ROLE, f"{UNITS}-failover.service", RELOAD),
        missing(ROLE, f"{HADOOP}/hdfs-site.xml"),
        stopped(ROLE, "leptonctl-hdfs-failover.service"),
        disabled(ROLE, "leptonctl-hdfs-journal-node.service"),
        put_over(ROLE, "leptonctl-hdfs-zookeeper.service"),
    )
)


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with fresh_box(tmp_path_factory.mktemp("hdfs-box"), "hdfs-box") as made:
        bring_hadoop(made)
        made.become(role("base"), role(ROLE, **SETTINGS))
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


def test_a_change_by_hand_of_what_two_name_nodes_need_is_told_and_mended(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with fresh_box(tmp_path_factory.mktemp("standby-box"), "standby-box") as made:
        bring_hadoop(made)
        made.become(role("base"), role(ROLE, **{**SETTINGS, **STANDBY}))
        hold(made, OF_A_STANDBY)
