"""A Ceph cluster on three local hosts: pools in copies and in pieces, a host lost and back, and what is refused.

All of it is real: hosts, daemons of Debian's Ceph, leptonctl as a process. OSDs lie on files of the hosts.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from tests.e2e.local_site import podman

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.local_site import Site

pytestmark = [pytest.mark.hosts, pytest.mark.matrix]

ONE, TWO, THREE = (f"core/store-{number}" for number in (1, 2, 3))
LIMIT_S = 300
MODELS = "{kind: ceph_pool, use: cephfs, clients: [store], mount_path: /srv/models}"
DATASETS = "{kind: ceph_pool, erasure: {data: 2, parity: 1}, clients: [store]}"
TEXT = """\
software:
  storage_ceph: {{osd_file_gib: 3, osd_memory_mib: 896, monitor_disk_warn_percent: 6{more}}}
core:
  platform: local
  nodes:
    store:
      count: 3
      roles: [base, storage_ceph]
      software: {{storage_ceph: {{monitor: true, osd_file_count: 1{of_group}}}}}
  storage:
{stores}
"""


class Cluster:
    """The site, and what its file says now."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.head = site.file.read_text().partition("software:")[0]

    def want(self, *, more: str = "", of_group: str = "", **stores: str) -> None:
        listed = "\n".join(f"    {name}: {store}" for name, store in stores.items())
        self.site.file.write_text(self.head + TEXT.format(more=more, of_group=of_group, stores=listed))

    def up(self, *arguments: str) -> None:
        done = self.site.up(*arguments)
        assert done.exit_code == 0, done.stdout + done.stderr

    def ceph(self, *arguments: str, on: str = ONE) -> str:
        return self.site.on(on, "timeout", "60", "ceph", *arguments)

    def wait_for_health(self, *texts: str) -> str:
        """Until the role's own verdict has all of these texts."""
        end = time.monotonic() + LIMIT_S
        while True:
            # Where it is not known the program says so and ends with 2.
            said = self.site.on(ONE, "sh", "-c", "/usr/local/lib/leptonctl/ceph_health || true")
            if all(text in said for text in texts) or time.monotonic() > end:
                break
            time.sleep(2)
        assert all(text in said for text in texts), said
        return said

    def read(self, pool: str, name: str, *, on: str) -> str:
        """What an object holds, read by the key of the pool's client."""
        return self.site.on(on, "timeout", "60", "rados", "--id", pool, "--pool", pool, "get", name, "-")


@pytest.fixture(scope="module")
def cluster(make_site: Callable[[str, str], Site]) -> Cluster:
    made = Cluster(make_site("ceph", "software: {}\ncore: {platform: local}\n"))
    made.want(models=MODELS, datasets=DATASETS)
    made.up()
    made.wait_for_health("HEALTH_OK")
    return made


def test_the_cluster_is_healthy_and_all_that_was_asked_for_is_proven(cluster: Cluster) -> None:
    quorum = json.loads(cluster.ceph("quorum_status", "--format", "json"))["quorum_names"]
    assert quorum == ["core.store-1", "core.store-2", "core.store-3"]
    proof = cluster.site.run("verify")
    assert (proof.exit_code, proof.problems()) == (0, [])


def test_a_second_run_has_nothing_to_do(cluster: Cluster) -> None:
    runs = cluster.site.configured_runs()
    cluster.up()
    assert cluster.site.configured_runs() == runs


def test_pools_are_spread_as_the_site_file_says(cluster: Cluster) -> None:
    pools = {pool["pool_name"]: pool for pool in json.loads(cluster.ceph("osd", "pool", "ls", "detail", "-f", "json"))}
    assert (pools["models"]["size"], pools["datasets"]["size"], pools["datasets"]["min_size"]) == (3, 3, 2)
    assert pools["datasets"]["erasure_code_profile"] == "datasets.host"
    for pool in ("models", "datasets"):
        placed = json.loads(cluster.ceph("osd", "map", pool, "anything", "--format", "json"))["up"]
        assert sorted(placed) == [0, 1, 2], f"{pool}: each piece on a host of its own"


def test_no_key_is_in_an_argument_or_in_any_file_of_this_side(cluster: Cluster) -> None:
    names = ("client.admin", "mon.", "client.bootstrap-osd", "client.models", "client.datasets")
    keys = [cluster.ceph("auth", "print-key", name).strip() for name in names]
    assert all(keys)
    for file in (file for file in cluster.site.file.parent.rglob("*") if file.is_file()):
        found = [name for name, key in zip(names, keys, strict=True) if key.encode() in file.read_bytes()]
        assert not found, f"{file} has the keys of {found}"
    for host in (ONE, TWO, THREE):
        kept = cluster.site.on(host, "sh", "-c", "find /etc/ceph /var/lib/ceph -name '*keyring*' -perm /077")
        assert kept == ""
        journal = cluster.site.on(host, "journalctl", "--no-pager", "--output=cat")
        assert not [name for name, key in zip(names, keys, strict=True) if key in journal]


def test_a_client_has_its_own_pool_and_no_other(cluster: Cluster) -> None:
    put = ["sh", "-c", "echo mine | timeout 60 rados --id datasets --pool datasets put own - && echo done"]
    assert cluster.site.on(TWO, *put) == "done\n"
    refused = ["sh", "-c", "timeout 60 rados --id datasets --pool models ls >/dev/null 2>&1 || echo refused"]
    assert cluster.site.on(TWO, *refused) == "refused\n"


def test_data_is_read_while_a_host_is_gone_and_the_cluster_heals_when_it_is_back(cluster: Cluster) -> None:
    site = cluster.site
    write = "head -c 8M /dev/urandom > /root/data; sha256sum < /root/data; cp /root/data /srv/models/data; sync"
    digest = site.on(ONE, "sh", "-c", write).split()[0]
    site.on(ONE, "timeout", "60", "rados", "--id", "datasets", "--pool", "datasets", "put", "data", "/root/data")

    podman("kill", site.container(THREE))
    gone = cluster.wait_for_health("HEALTH_WARN", "OSD_DOWN", "MON_DOWN")
    assert "PG_AVAILABILITY" not in gone

    for read in ("rados --id datasets --pool datasets get data -", "cat /srv/models/data"):
        assert site.on(TWO, "sh", "-c", f"timeout 120 {read} | sha256sum").split()[0] == digest, read
    told = site.run("verify")
    assert told.exit_code == 6
    assert any(
        where == ONE and "the cluster is healthy: no: exit 0: HEALTH_WARN" in text for where, text in told.problems()
    )

    podman("start", site.container(THREE))
    cluster.wait_for_health("HEALTH_OK")
    assert site.on(THREE, "sh", "-c", "timeout 120 cat /srv/models/data | sha256sum").split()[0] == digest
    assert site.run("verify").problems() == []


def test_monitors_that_do_not_answer_are_unknown_and_not_well(cluster: Cluster) -> None:
    site = cluster.site
    for host in (TWO, THREE):
        site.on(host, "systemctl", "stop", f"ceph-mon@{host.replace('/', '.')}.service")
    try:
        cluster.wait_for_health("unknown: the monitors do not answer")
    finally:
        for host in (TWO, THREE):
            site.on(host, "systemctl", "start", f"ceph-mon@{host.replace('/', '.')}.service")
    cluster.wait_for_health("HEALTH_OK")


def test_what_left_the_site_file_is_kept_and_told_until_it_is_named(cluster: Cluster) -> None:
    kept = "the pool datasets is not in the site file: kept until 'pool datasets' is named in storage_ceph.delete"
    cluster.want(models=MODELS)
    cluster.up()
    assert "datasets" in cluster.ceph("osd", "pool", "ls").split()
    told = cluster.site.run("verify")
    assert told.exit_code == 6
    assert [text for where, text in told.problems() if where == ONE and kept in text]

    cluster.want(models=MODELS, more=", delete: [pool datasets]")
    cluster.up()
    assert "datasets" not in cluster.ceph("osd", "pool", "ls").split()
    assert cluster.site.run("verify").problems() == []


def test_a_file_system_that_no_host_mounts_any_more_is_taken_away_there_and_kept(cluster: Cluster) -> None:
    cluster.want(models="{kind: ceph_pool, use: cephfs}", more=", delete: [pool datasets]")
    cluster.up()
    for host in (ONE, TWO, THREE):
        assert "ceph-fuse" not in cluster.site.on(host, "cat", "/proc/mounts")
    cluster.want(models=MODELS, more=", delete: [pool datasets]")
    cluster.up()
    read = ["sh", "-c", "timeout 120 stat --format=%s /srv/models/data"]
    assert cluster.site.on(THREE, *read) == f"{8 << 20}\n"


def test_an_edit_that_would_lose_the_data_of_a_pool_is_refused(cluster: Cluster) -> None:
    cluster.want(models="{kind: ceph_pool, use: rbd, clients: [store]}", more=", delete: [pool datasets]")
    refused = cluster.site.up()
    assert refused.exit_code == 7
    assert "the pool models keeps how its data is cut and what it is for" in refused.stdout
    cluster.want(models=MODELS, more=", delete: [pool datasets]")


def test_a_device_that_holds_data_gets_no_osd_unless_it_is_named(cluster: Cluster) -> None:
    site = cluster.site
    make = "truncate -s 200M /root/disk && mkfs.ext4 -q /root/disk && losetup --find --show /root/disk"
    device = site.on(TWO, "sh", "-c", make).strip()
    try:
        cluster.want(models=MODELS, of_group=f", osd_devices: [{device}]", more=", delete: [pool datasets]")
        refused = site.up()
        assert refused.exit_code == 7
        assert (TWO, f"{device}: it holds ext4") in refused.problems()
        assert site.on(TWO, "blkid", "-o", "value", "-s", "TYPE", device) == "ext4\n"
    finally:
        site.on(TWO, "losetup", "--detach", device)
        cluster.want(models=MODELS, more=", delete: [pool datasets]")


def test_clocks_that_differ_are_said_in_the_verdict(cluster: Cluster) -> None:
    """A monitor is run with a clock that is wrong, by libfaketime: containers have no clocks of their own.

    By less than the 5 s of a monitor's lease: one that is further ahead takes each lease for run out, and leaves the
    quorum instead.
    """
    site, unit = cluster.site, "ceph-mon@core.store-3.service"
    site.on(THREE, "apt-get", "install", "--yes", "-qq", "faketime")
    library = site.on(THREE, "sh", "-c", "ls /usr/lib/*/faketime/libfaketime.so.1").strip()
    drop_in = f"[Service]\\nEnvironment=LD_PRELOAD={library}\\nEnvironment=FAKETIME=+2\\n"
    folder = f"/run/systemd/system/{unit}.d"
    write = f"mkdir -p {folder} && printf '{drop_in}' > {folder}/skew.conf"
    begin = f"{write} && systemctl daemon-reload && systemctl restart {unit}"
    try:
        site.on(THREE, "sh", "-c", begin)
        assert "core.store-3" in cluster.wait_for_health("HEALTH_WARN", "MON_CLOCK_SKEW", "clock skew detected")
    finally:
        site.on(THREE, "sh", "-c", f"rm -r {folder}; systemctl daemon-reload; systemctl restart {unit}")
    cluster.wait_for_health("HEALTH_OK")
