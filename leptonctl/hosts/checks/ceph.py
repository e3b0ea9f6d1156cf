"""What must hold where the role that makes a Ceph cluster ran."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from leptonctl.hosts.checks.kinds import Check, Command, CommonCommand, Package
from leptonctl.hosts.checks.settings import setting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leptonctl.planning.desired import Settings

HOST_PROGRAM = "/usr/local/lib/leptonctl/ceph_host"
PARTS = tuple(f"/usr/local/lib/leptonctl/ceph_{part}.py" for part in ("daemons", "devices", "osds"))
POOLS_PROGRAM = "/usr/local/lib/leptonctl/ceph_pools"
HEALTH_PROGRAM = "/usr/local/lib/leptonctl/ceph_health"
WANTED = "/etc/leptonctl/ceph.json"


def storage_ceph(settings: Settings) -> tuple[Check, ...]:
    """Every daemon of the host runs; on monitors the cluster is healthy; on the first one its pools are as asked."""
    found: list[Check] = [
        Package("ceph-common", setting("storage_ceph", settings, "version")),
        Command(
            "the host is what it should be in its cluster",
            (HOST_PROGRAM, "--check"),
            expect="as asked",
            covers=(HOST_PROGRAM,),
            is_quick=True,
            rests_on=(HOST_PROGRAM, *PARTS, WANTED, "package ceph-common"),
        ),
    ]
    if setting("storage_ceph", settings, "monitor"):
        found.append(CommonCommand("the cluster is healthy", (HEALTH_PROGRAM,), expect="HEALTH_OK", limit_s=60))
    if settings.get("begins"):
        found.append(
            CommonCommand(
                "pools and settings of the cluster are as asked",
                (POOLS_PROGRAM, "--check"),
                expect="as asked",
                covers=(POOLS_PROGRAM,),
                limit_s=60,
            )
        )
    for client in cast("Sequence[Mapping[str, str | None]]", settings.get("clients", ())):
        if client["mount_path"]:
            mounted = ("findmnt", "--noheadings", "--output", "FSTYPE", "--mountpoint", client["mount_path"])
            found.append(CommonCommand(f"{client['name']} is mounted", mounted, expect="fuse.ceph-fuse"))
    return tuple(found)
