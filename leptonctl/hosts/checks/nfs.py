"""What must hold where the role that serves and mounts folders over NFS ran."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from leptonctl.hosts.checks.kinds import Check, Command, CommonCommand, Package, Port, Unit
from leptonctl.hosts.checks.settings import setting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leptonctl.planning.desired import Settings

PROGRAM = "/usr/local/lib/leptonctl/nfs_mounts"
EXPORTS_PROGRAM = "/usr/local/lib/leptonctl/nfs_exports"
WANTED = "/etc/leptonctl/nfs.json"
PORT = 2049


def storage_nfs(settings: Settings) -> tuple[Check, ...]:
    """A server serves each export to itself, by the protocol; a client has mounted what it should."""
    found: list[Check] = [Package("libnfs-utils")]
    exports = cast("Sequence[Mapping[str, str]]", settings.get("exports", ()))
    if exports:
        found += [
            Package("nfs-ganesha", setting("storage_nfs", settings, "version")),
            Unit("nfs-ganesha.service"),
            Port(PORT),
        ]
    found.append(
        Command(
            "the folders that are served are there",
            (EXPORTS_PROGRAM, "--served"),
            expect="as asked",
            covers=(EXPORTS_PROGRAM,),
            is_quick=True,
            rests_on=(EXPORTS_PROGRAM, WANTED),
        )
    )
    found.append(
        Command(
            "what was served and left the site file is gone",
            (EXPORTS_PROGRAM, "--check"),
            expect="as asked",
        )
    )
    for export in exports:
        url = f"nfs://127.0.0.1/{export['name']}?version=4"
        found.append(Command(f"{export['name']} is served", ("nfs-ls", url), expect=""))
    for mount in cast("Sequence[Mapping[str, str]]", settings.get("mounts", ())):
        argv = (PROGRAM, "--check", mount["path"])
        found.append(CommonCommand(f"{mount['name']} is mounted", argv, expect="mounted", covers=(PROGRAM,)))
    return tuple(found)
