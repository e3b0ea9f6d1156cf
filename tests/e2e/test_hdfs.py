"""HDFS on real local hosts: a name node and three data nodes, written and read over plain HTTP from outside.

What is real: hosts, daemons (Hadoop's own jars), faults. Blocks are 1 MiB and heaps small, so that it goes fast.
"""

from __future__ import annotations

import hashlib
import random
import threading
import urllib.request
from typing import TYPE_CHECKING

import pytest

from examples.hadoop.archive import archive
from tests.e2e.serving import served
from tests.e2e.waiting import wait_until
from tests.e2e.webhdfs import Unfinished, WebHdfs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.local_site import Answer, Site

pytestmark = [pytest.mark.hosts, pytest.mark.matrix]

NAME = "core/name-1"
DATA = ("core/data-1", "core/data-2", "core/data-3")
MIB = 2**20
HEALTH = "/usr/local/lib/leptonctl/hdfs_health"
SOFTWARE = """\
software:
  storage_hdfs: {{archive: "{url}", archive_digest: "{digest}", replication: 2, block_mib: 1, heap_mib: 192,
                 reserved_mib: 1, dead_after_s: 40}}
"""
SITE = """\
core:
  platform: local
  nodes:
    name:
      count: 1
      roles: [base, storage_hdfs]
      software: {{storage_hdfs: {{parts: [name_node, checkpoint_node]}}}}
    data: {{count: {count}, roles: [base, storage_hdfs]}}
  storage:
    models: {{kind: hdfs_path, path: /models, copies: 2}}
    coded: {{kind: hdfs_path, path: /coded, owner: trainer, erasure: XOR-2-1-1024k}}
"""


class Cluster:
    """The site, its files, and what was written to them."""

    def __init__(self, site: Site, words: dict[str, object]) -> None:
        self.site, self.words = site, words
        self.head = site.file.read_text().partition("software:")[0]

    def want(self, **changed: object) -> None:
        self.words |= changed
        self.site.file.write_text(self.head + (SOFTWARE + SITE).format(**self.words))

    def up(self, *arguments: str) -> None:
        done = self.site.up(*arguments)
        assert done.exit_code == 0, done.stdout + done.stderr

    def address(self, host: str) -> str:
        return self.site.on(host, "hostname", "--all-ip-addresses").split()[0]

    @property
    def files(self) -> WebHdfs:
        return WebHdfs(f"http://{self.address(NAME)}:9870")

    def unit(self, address: str, verb: str, *arguments: str) -> None:
        part = "name" if address == NAME else "data"
        self.site.on(address, "systemctl", verb, *arguments, f"leptonctl-hdfs-{part}-node.service")

    def healed(self) -> bool:
        """Whether every block has its copies."""
        return all(self.files.figure("FSNamesystem", name) == 0 for name in ("LowRedundancyBlocks", "MissingBlocks"))

    def stale(self) -> bool:
        """Whether the name node has not heard of a data node for a while."""
        return bool(self.files.figure("FSNamesystemState", "NumStaleDataNodes"))

    def opened(self) -> bool:
        """Whether every data node has its disks: one that was just started opens them first."""
        return all(self.site.on(one, HEALTH, "data_node") == "in order\n" for one in DATA)

    def in_order(self) -> Answer:
        """`verify` once nothing is left to do for the daemons."""
        wait_until(lambda: self.healed() and not self.stale() and self.opened(), 120)
        return self.site.run("verify")


@pytest.fixture(scope="module")
def cluster(make_site: Callable[[str, str], Site], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    made = archive(tmp_path_factory.mktemp("hadoop"))
    with served(made.path.parent) as url_for:
        found = Cluster(make_site("hdfs", "software: {}\ncore: {platform: local}\n"), {"count": 3})
        found.want(url=url_for("hadoop.tar"), digest=made.digest)
        found.up()
        yield found


def content(size: int, seed: int) -> bytes:
    """Bytes that are the same each time."""
    return random.Random(seed).randbytes(size)  # noqa: S311 - not a secret


def test_a_cluster_comes_up_proves_itself_and_has_nothing_to_do_after(cluster: Cluster) -> None:
    proof = cluster.in_order()
    assert (proof.exit_code, proof.problems()) == (0, [])
    runs = cluster.site.configured_runs()
    cluster.up()
    assert cluster.site.configured_runs() == runs
    for part, port in (("NameNode", 9870), ("SecondaryNameNode", 9868)):
        with urllib.request.urlopen(f"http://{cluster.address(NAME)}:{port}/prom", timeout=30) as answer:
            assert f'processname="{part}"' in answer.read().decode()
    racks = {node["location"] for node in cluster.files.nodes().values()}
    assert (len(cluster.files.nodes()), racks) == (3, {"/core"})


def test_each_path_has_its_owner_and_its_redundancy(cluster: Cluster) -> None:
    models, coded = cluster.files.status("/models"), cluster.files.status("/coded")
    assert (models["owner"], models.get("ecPolicy")) == ("hdfs", None)
    assert (coded["owner"], coded["ecPolicy"]) == ("trainer", "XOR-2-1-1024k")


def test_a_file_of_a_client_outlives_a_data_node_and_its_copies_are_made_anew(cluster: Cluster) -> None:
    written = content(5 * MIB + 17, 1)
    cluster.files.write("/models/a.bin", written)
    cluster.files.write("/coded/a.bin", written)
    address = next(iter(cluster.files.holders("/models/a.bin")))
    lost = next(one for one in DATA if cluster.address(one) == address)
    cluster.unit(lost, "kill", "--signal=SIGKILL")
    cluster.unit(lost, "stop")
    assert cluster.files.read("/models/a.bin") == written
    assert cluster.files.read("/coded/a.bin") == written
    assert cluster.site.run("verify").exit_code == 6
    wait_until(lambda: cluster.files.figure("FSNamesystemState", "NumDeadDataNodes") == 1, 120)
    # What is kept in pieces has no third node to be made anew on, until the lost one is back.
    wait_until(lambda: cluster.files.holders("/models/a.bin").isdisjoint({address}), 120)
    assert cluster.files.read("/models/a.bin") == written
    told = cluster.site.run("verify")
    assert any(f"data nodes that do not answer: {lost}" in message for _, message in told.problems()), told.stdout
    cluster.up()
    assert cluster.in_order().problems() == []


def test_a_name_node_that_is_killed_during_a_write_loses_nothing_in_silence(cluster: Cluster) -> None:
    """The write ends whole or is told to have failed; what was written before is there after it started again."""
    before, written = content(MIB, 2), content(24 * MIB, 3)
    cluster.files.write("/models/before.bin", before)
    began = threading.Event()

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(written), MIB):
            yield written[start : start + MIB]
            if start >= 8 * MIB and not began.is_set():
                cluster.unit(NAME, "kill", "--signal=SIGKILL")
                began.set()

    try:
        cluster.files.write("/models/during.bin", pieces())
        is_whole = True
    except Unfinished:
        is_whole = False
    wait_until(cluster.files.is_ready, 120)
    assert cluster.files.read("/models/before.bin") == before
    if is_whole:
        assert cluster.files.read("/models/during.bin") == written
    else:
        # Told as failed: what is there is the beginning of it, and never something else.
        there = cluster.files.read("/models/during.bin") if cluster.files.exists("/models/during.bin") else b""
        assert written.startswith(there)
    restarts = cluster.site.on(NAME, "systemctl", "show", "--property=NRestarts", "leptonctl-hdfs-name-node.service")
    assert restarts.strip() != "NRestarts=0"
    assert cluster.in_order().problems() == []


def test_a_full_disk_of_a_data_node_is_told_and_files_go_to_the_others(cluster: Cluster) -> None:
    full = DATA[0]
    cluster.unit(full, "stop")
    cluster.site.on(full, "mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", "/var/lib/hadoop/data")
    cluster.site.on(full, "chown", "hdfs:hdfs", "/var/lib/hadoop/data")
    cluster.unit(full, "start")
    wait_until(lambda: cluster.site.on(full, HEALTH, "data_node") == "in order\n", 120)
    cluster.site.on(full, "sh", "-c", "dd if=/dev/zero of=/var/lib/hadoop/data/ballast bs=1M 2>/dev/null || true")
    written = content(6 * MIB, 4)
    cluster.files.write("/models/full.bin", written)
    assert cluster.files.read("/models/full.bin") == written
    told = cluster.site.run("verify")
    assert (full, "the data node has its disks and its name node: no: exit 0: there is no space for a block left") in [
        problem for problem in told.problems() if "no space" in problem[1]
    ], told.stdout
    cluster.unit(full, "stop")
    cluster.site.on(full, "umount", "/var/lib/hadoop/data")
    cluster.unit(full, "start")
    assert cluster.in_order().problems() == []


def test_an_archive_that_differs_or_cannot_be_fetched_is_refused_and_the_installed_one_stays(
    cluster: Cluster,
) -> None:
    right = cluster.words["digest"]
    served = cluster.words["url"]
    cluster.want(digest="sha512:" + "0" * 128, url="http://127.0.0.1:9/hadoop.tar")
    down = cluster.site.up()
    assert down.exit_code == 5
    assert "the archive could not be fetched from http://127.0.0.1:9/hadoop.tar: " in down.stdout
    cluster.want(url=served)
    failed = cluster.site.up()
    assert failed.exit_code == 5
    assert f"has the digest {right}, not sha512:{'0' * 128}; nothing was installed" in failed.stdout
    left = cluster.site.on(NAME, "sh", "-c", "ls -A /opt/leptonctl; readlink /opt/leptonctl/hadoop").split()
    short = f"hadoop-{str(right).partition(':')[2][:16]}"
    assert left == ["hadoop", short, f"/opt/leptonctl/{short}"]
    assert cluster.files.is_ready()
    cluster.want(digest=right)
    cluster.up()
    assert cluster.in_order().problems() == []


def test_names_that_are_gone_are_not_made_anew_over_blocks(cluster: Cluster) -> None:
    cluster.unit(NAME, "stop")
    cluster.site.on(NAME, "mv", "/var/lib/hadoop/name", "/var/lib/hadoop-name.saved")
    cluster.site.on(NAME, "rm", "/var/lib/leptonctl/manifest.json")
    refused = cluster.site.up()
    assert refused.exit_code == 7, refused.stdout + refused.stderr
    assert {where for where, _ in refused.problems()} == set(DATA)
    assert all("holds blocks of CID-" in message for _, message in refused.problems())
    assert cluster.site.up("--only", NAME).exit_code == 7
    assert cluster.site.up("--only", DATA[0]).exit_code == 0
    cluster.site.on(NAME, "mv", "/var/lib/hadoop-name.saved", "/var/lib/hadoop/name")
    cluster.up()
    digest = hashlib.sha256(cluster.files.read("/models/full.bin")).hexdigest()
    assert digest == hashlib.sha256(content(6 * MIB, 4)).hexdigest()
    assert cluster.in_order().problems() == []


def test_names_whose_disk_is_lost_are_gone_on_with_from_the_checkpoint_nodes_copy(cluster: Cluster) -> None:
    """By the steps of docs/hdfs.md. What was written before the copy is all there."""
    site = cluster.site
    written = content(2 * MIB, 5)
    cluster.files.write("/models/copied.bin", written)
    site.on(NAME, "touch", "/root/written")
    # It makes a copy a minute after it began, and one an hour from then on.
    site.on(NAME, "systemctl", "restart", "leptonctl-hdfs-checkpoint-node.service")
    newer = "find /var/lib/hadoop/checkpoint/current -name 'fsimage_*.md5' -cnewer /root/written 2>/dev/null || :"
    wait_until(lambda: site.on(NAME, "sh", "-c", newer) != "", 240)
    cluster.unit(NAME, "stop")
    site.on(NAME, "rm", "-r", "/var/lib/hadoop/name")
    site.on(NAME, "install", "-d", "-o", "hdfs", "-g", "hdfs", "-m", "0700", "/var/lib/hadoop/name")
    site.on(NAME, "cp", "--archive", "/var/lib/hadoop/checkpoint/current", "/var/lib/hadoop/name/")
    cluster.up()
    wait_until(cluster.files.is_ready, 120)
    assert cluster.files.read("/models/copied.bin") == written
    assert cluster.files.read("/models/full.bin") == content(6 * MIB, 4)
    assert cluster.in_order().problems() == []
