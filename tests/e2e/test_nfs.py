"""Folders served over NFS by a real local host, written and read from other hosts by a client in user space (libnfs).

The kernel's own client is not in a container whose machine has no NFS: there the role says so, and that is held here.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.local_site import Site

pytestmark = [pytest.mark.hosts, pytest.mark.matrix]

SERVER, CLIENT, STRANGER = "core/files-1", "core/train-1", "core/other-1"
HOMES = "{kind: nfs_export, server: files, path: /srv/disk/homes, clients: [train], mount_path: /srv/homes}"
SEEN = HOMES.replace("homes", "seen").replace("clients", "read_only: true, clients")
# The root of a container is an overlay, which gives no handles of files: what is served lies on a volume.
TEXT = """\
software:
  storage_nfs: {{grace_s: 10, lease_s: 10, delete: [{delete}]}}
core:
  platform: local
  nodes:
    files: {{count: 1, roles: [base, storage_nfs]}}
    train: {{count: 1, roles: [base, storage_nfs]}}
    other: {{count: 1, roles: [base, storage_nfs]}}
  storage:
    disk: {{kind: volume, size_gib: 1, mount_path: /srv/disk, nodes: [files]}}
{exports}
"""
KERNEL_HAS_NFS = "nfs4" in Path("/proc/filesystems").read_text().split()
NOT_MOUNTED = "installed, not there: no such device (this kernel has no client of NFS version 4)"


class Exports:
    """The site, and what its file says now."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.head = site.file.read_text().partition("software:")[0]

    def want(self, delete: str = "", **exports: str) -> None:
        listed = "\n".join(f"    {name}: {export}" for name, export in exports.items())
        self.site.file.write_text(self.head + TEXT.format(delete=delete, exports=listed))

    def up(self) -> None:
        done = self.site.up()
        assert done.exit_code == 0, done.stdout + done.stderr

    def told(self) -> list[tuple[str, str]]:
        """What `verify` says, but for what no container has."""
        found = self.site.run("verify").problems()
        return [(where, text) for where, text in found if not text.endswith(NOT_MOUNTED)]

    def url(self, path: str) -> str:
        return f"'nfs://{self.site.on(SERVER, 'hostname', '--all-ip-addresses').split()[0]}/{path}?version=4'"

    def answers(self, host: str, command: str) -> bool:
        """Whether a command of libnfs succeeds on a host."""
        return self.site.on(host, "sh", "-c", f"{command} >/dev/null 2>&1 && echo yes || echo no") == "yes\n"


@pytest.fixture(scope="module")
def exports(make_site: Callable[[str, str], Site]) -> Exports:
    made = Exports(make_site("nfs", "software: {}\ncore: {platform: local}\n"))
    made.want(homes=HOMES, seen=SEEN)
    made.up()
    # Who may write in a folder is for its users to say; root of a client is nobody on the server. What the server knows
    # of a folder it believes for a minute, or until it begins again.
    made.site.on(SERVER, "sh", "-c", "chown 65534 /srv/disk/homes && echo given > /srv/disk/seen/given")
    made.site.on(SERVER, "systemctl", "restart", "nfs-ganesha.service")
    # No file is opened anew until clients had the time to claim their locks again.
    wait_until(lambda: made.answers(CLIENT, f"nfs-cat {made.url('seen/given')}"), 60)
    return made


def test_what_is_served_is_proven_and_a_mount_that_the_kernel_lacks_is_said(exports: Exports) -> None:
    proof = exports.site.run("verify")
    mounted = [(CLIENT, f"{name} is mounted: no: exit 0: {NOT_MOUNTED}") for name in ("homes", "seen")]
    assert sorted(proof.problems()) == ([] if KERNEL_HAS_NFS else mounted)
    assert proof.exit_code == (0 if KERNEL_HAS_NFS else 6)
    runs = exports.site.configured_runs()
    exports.up()
    assert exports.site.configured_runs() == runs, "whom the folder belongs to is not the role's to say"


def test_what_a_client_writes_and_reads_is_whole_also_after_the_server_began_again(exports: Exports) -> None:
    """Little is written, and much is read: by version 4 Debian's libnfs cannot write more than a few kB at once."""
    site = exports.site
    small, large = exports.url("homes/small"), exports.url("homes/large")
    write = (
        f"head -c 1000 /dev/urandom > /root/small && nfs-cp /root/small {small} >/dev/null && sha256sum < /root/small"
    )
    written = site.on(CLIENT, "sh", "-c", write)
    assert site.on(SERVER, "sh", "-c", "sha256sum < /srv/disk/homes/small") == written
    assert site.on(SERVER, "stat", "--format=%u:%g", "/srv/disk/homes/small") == "65534:65534\n"
    make = "cd /srv/disk/homes && head -c 8M /dev/urandom > large && chmod 0644 large && sha256sum < large"
    made = site.on(SERVER, "sh", "-c", make)
    read = f"nfs-cat {small} | sha256sum; nfs-cat {large} | sha256sum"
    assert site.on(CLIENT, "sh", "-c", read) == written + made
    site.on(SERVER, "systemctl", "restart", "nfs-ganesha.service")
    wait_until(lambda: exports.answers(CLIENT, f"nfs-cat {small}"), 60)
    assert site.on(CLIENT, "sh", "-c", read) == written + made


def test_nobody_writes_to_what_is_read_only_and_a_host_that_is_not_named_sees_nothing(exports: Exports) -> None:
    homes, seen = exports.url("homes"), exports.url("seen")
    assert exports.answers(CLIENT, f"nfs-ls {seen}")
    assert not exports.answers(CLIENT, f"nfs-cp /etc/hostname {exports.url('seen/x')}")
    assert not exports.answers(STRANGER, f"nfs-ls {homes}")
    assert not exports.answers(STRANGER, f"nfs-cat {exports.url('homes/small')}")


def test_an_export_that_left_the_file_is_kept_and_told_until_it_is_named(exports: Exports) -> None:
    kept = (
        "what was served and left the site file is gone: no: exit 0: the export homes left the site file"
        " and its folder /srv/disk/homes is kept (delete: [homes] deletes it)"
    )
    exports.want(seen=SEEN)
    exports.up()
    assert not exports.answers(CLIENT, f"nfs-ls {exports.url('homes')}")
    assert exports.site.on(SERVER, "ls", "/srv/disk/homes") == "large\nsmall\n"
    assert exports.told() == [(SERVER, kept)]
    exports.want(delete="homes", seen=SEEN)
    exports.up()
    assert exports.site.on(SERVER, "ls", "/srv/disk") == "seen\n"
    assert exports.told() == []


def test_the_server_goes_with_its_last_export_and_the_folder_stays(exports: Exports) -> None:
    exports.want(delete="homes")
    exports.up()
    there = "dpkg-query --show --showformat='${Status}' nfs-ganesha 2>/dev/null || :; ss -Hltn 'sport = :2049'"
    assert "installed" not in exports.site.on(SERVER, "sh", "-c", there)
    assert exports.site.on(SERVER, "cat", "/srv/disk/seen/given") == "given\n"
    (told,) = exports.told()
    assert "the export seen left the site file" in told[1]
