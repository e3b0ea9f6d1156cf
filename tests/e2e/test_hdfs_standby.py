"""HDFS with two name nodes on real local hosts: made of a cluster with one, and what is lost with each kind of host.

What is real: hosts, daemons (Hadoop's own jars), ZooKeeper among them, faults: a host that is killed is gone at once.
"""

from __future__ import annotations

import threading
import urllib.error
from typing import TYPE_CHECKING

import pytest

from examples.hadoop.archive import archive
from tests.e2e.local_site import podman
from tests.e2e.serving import served
from tests.e2e.test_hdfs import DATA, HEALTH, MIB, SOFTWARE, content
from tests.e2e.waiting import wait_until
from tests.e2e.webhdfs import Unfinished, WebHdfs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.local_site import Answer, Site

pytestmark = [pytest.mark.hosts, pytest.mark.matrix]

NAMES = ("core/name-1", "core/name-2")
JOURNAL_NODE = "leptonctl-hdfs-journal-node"
EDITS = "/var/lib/hadoop/journal"
SITE = """\
core:
  platform: local
  nodes:
    name: {{count: {names}, roles: [base, storage_hdfs], software: {{storage_hdfs: {{parts: [name_node]}}}}}}
    data: {{count: 3, roles: [base, storage_hdfs], software: {{storage_hdfs: {{parts: [{parts}]}}}}}}
  storage:
    models: {{kind: hdfs_path, path: /models, copies: 2}}
"""


class Cluster:
    """The site and its name nodes, as a client sees them."""

    def __init__(self, site: Site, **words: str) -> None:
        self.site, self.words = site, words
        self.head = site.file.read_text().partition("software:")[0]

    def become(self, names: int, parts: str) -> None:
        text = (SOFTWARE + SITE).format(names=names, parts=parts, **self.words)
        self.site.file.write_text(self.head + text)
        self.up()

    def up(self) -> None:
        done = self.site.up()
        assert done.exit_code == 0, done.stdout + done.stderr

    def files(self, host: str) -> WebHdfs:
        return WebHdfs(f"http://{self.site.on(host, 'hostname', '--all-ip-addresses').split()[0]}:9870")

    def active(self, *hosts: str) -> str:
        """The one name node among these that says that it is active, once one does."""

        def found() -> list[str]:
            return [host for host in hosts if self.state(host) == "active"]

        wait_until(lambda: bool(found()), 120)
        (host,) = found()
        return host

    def state(self, host: str) -> str:
        try:
            return str(self.files(host).figure("NameNodeStatus", "State"))
        except (OSError, urllib.error.URLError):
            return "gone"

    def in_order(self) -> Answer:
        """`verify` once the daemons of all hosts say that nothing is left to do."""
        parts = {**dict.fromkeys(NAMES, "name_node"), **dict.fromkeys(DATA, "data_node")}
        wait_until(lambda: all(self.site.on(one, HEALTH, part) == "in order\n" for one, part in parts.items()), 180)
        wait_until(lambda: all(self.site.on(one, HEALTH, "journal_node") == "in order\n" for one in DATA), 120)
        return self.site.run("verify")


@pytest.fixture(scope="module")
def cluster(make_site: Callable[[str, str], Site], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    made = archive(tmp_path_factory.mktemp("hadoop"))
    with served(made.path.parent) as url_for:
        site = make_site("standby", "software: {}\ncore: {platform: local}\n")
        found = Cluster(site, url=url_for("hadoop.tar"), digest=made.digest)
        found.become(1, "data_node")
        yield found


def test_a_second_name_node_takes_over_what_the_one_has(cluster: Cluster) -> None:
    written = content(3 * MIB, 1)
    cluster.files(NAMES[0]).write("/models/before.bin", written)
    cluster.become(2, "data_node, journal_node")
    proof = cluster.in_order()
    assert (proof.exit_code, proof.problems()) == (0, [])
    assert sorted(cluster.state(one) for one in NAMES) == ["active", "standby"]
    assert cluster.files(cluster.active(*NAMES)).read("/models/before.bin") == written
    runs = cluster.site.configured_runs()
    cluster.up()
    assert cluster.site.configured_runs() == runs


def test_the_host_of_the_active_name_node_is_lost_during_a_write_and_the_other_goes_on(cluster: Cluster) -> None:
    lost = cluster.active(*NAMES)
    (other,) = {*NAMES} - {lost}
    before, written = content(MIB, 2), content(24 * MIB, 3)
    cluster.files(lost).write("/models/kept.bin", before)
    began = threading.Event()

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(written), MIB):
            yield written[start : start + MIB]
            if start >= 8 * MIB and not began.is_set():
                podman("kill", cluster.site.container(lost))
                began.set()

    try:
        cluster.files(lost).write("/models/during.bin", pieces())
        is_whole = True
    except Unfinished:
        is_whole = False
    assert cluster.active(other) == other
    files = cluster.files(other)
    assert files.read("/models/kept.bin") == before
    there = files.read("/models/during.bin") if is_whole or files.exists("/models/during.bin") else b""
    assert there == written if is_whole else written.startswith(there)
    files.write("/models/after.bin", before)
    assert cluster.site.run("verify").exit_code == 6
    podman("start", cluster.site.container(lost))
    wait_until(lambda: cluster.state(lost) == "standby", 180)
    assert cluster.in_order().problems() == []
    assert cluster.state(other) == "active"


def test_a_journal_nodes_host_is_lost_and_files_are_written_all_the_same(cluster: Cluster) -> None:
    podman("kill", cluster.site.container(DATA[0]))
    files = cluster.files(cluster.active(*NAMES))
    # It is a data node too: until the name node misses it, a client may be sent there.
    wait_until(lambda: files.figure("FSNamesystemState", "NumStaleDataNodes") == 1, 60)
    written = content(2 * MIB, 4)
    files.write("/models/without.bin", written)
    assert files.read("/models/without.bin") == written
    podman("start", cluster.site.container(DATA[0]))
    assert cluster.in_order().problems() == []


def test_edits_that_are_lost_on_one_host_come_from_the_others(cluster: Cluster) -> None:
    """By the steps of docs/hdfs.md."""
    site, lost = cluster.site, DATA[1]
    site.on(lost, "systemctl", "stop", JOURNAL_NODE)
    site.on(lost, "rm", "-r", EDITS)
    cluster.up()
    told = site.run("verify").problems()
    assert (lost, "the journal node keeps the edits of HDFS, and votes: no: exit 0: it holds no edits") in told
    version = site.on(DATA[2], "cat", f"{EDITS}/lepton/current/VERSION")
    site.on(lost, "install", "-d", "-o", "hdfs", "-g", "hdfs", "-m", "0700", EDITS, f"{EDITS}/lepton/current")
    site.on(lost, "sh", "-c", f"cat > {EDITS}/lepton/current/VERSION <<'EOF'\n{version}EOF")
    site.on(lost, "chown", "-R", "hdfs:hdfs", EDITS)
    site.on(lost, "systemctl", "restart", JOURNAL_NODE)
    assert cluster.in_order().problems() == []
    wait_until(lambda: "edits_" in site.on(lost, "ls", f"{EDITS}/lepton/current"), 240)


def test_names_that_are_lost_on_one_host_come_from_the_other(cluster: Cluster) -> None:
    active = cluster.active(*NAMES)
    (other,) = {*NAMES} - {active}
    cluster.site.on(other, "systemctl", "stop", "leptonctl-hdfs-name-node")
    cluster.site.on(other, "rm", "-r", "/var/lib/hadoop/name")
    told = cluster.site.run("verify")
    assert (other, "the names of HDFS are there: no: exit 0: there are no names in /var/lib/hadoop/name") in [
        problem for problem in told.problems() if "no names" in problem[1]
    ], told.stdout
    cluster.up()
    assert cluster.in_order().problems() == []
    # The one that lost them has all, and can go on alone.
    cluster.site.on(active, "systemctl", "stop", "leptonctl-hdfs-failover", "leptonctl-hdfs-name-node")
    assert cluster.active(other) == other
    assert cluster.files(other).read("/models/without.bin") == content(2 * MIB, 4)
    cluster.up()
    assert cluster.in_order().problems() == []
