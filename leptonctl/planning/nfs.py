"""NFS: what the server of a location exports and to whom, and what each client mounts. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.sitefile.stores.nfs import NfsExport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leptonctl.planning.desired import Desired, DesiredHost, DesiredLocation

ROLE = "storage_nfs"


def nfs_settings(location: DesiredLocation, host: DesiredHost, hostnames: Mapping[str, str]) -> dict[str, object]:
    """What the role is told beside the site file's settings: `exports` of this host, and its `mounts`.

    Exports are numbered in file order. A client whose name is not known yet is let in when it is, and a mount waits for
    its server's name.
    """
    stores = location.section.stores(NfsExport) if location.section is not None else {}
    groups: dict[str, list[str]] = {}
    for one in location.hosts:
        if one.address in hostnames:
            groups.setdefault(one.group, []).append(hostnames[one.address])
    exports = [
        {
            "number": number,
            "name": name,
            "path": store.path,
            "read_only": store.read_only,
            "clients": sorted({client for group in store.clients for client in groups.get(group, ())}),
        }
        for number, (name, store) in enumerate(stores.items(), start=1)
        if store.server == host.group
    ]
    mounts = [
        {
            "name": name,
            "server": groups[store.server][0],
            "path": store.mount_path,
            "unit": unit_of(store.mount_path),
            "read_only": store.read_only,
        }
        for name, store in stores.items()
        if host.group in store.clients and store.mount_path and groups.get(store.server)
    ]
    return {"exports": exports, "mounts": mounts}


def settings_by_host(desired: Desired, hostnames: Mapping[str, str]) -> dict[str, dict[str, object]]:
    """What each host with the role is told, by its address."""
    return {
        host.address: nfs_settings(location, host, hostnames)
        for location in desired.locations
        for host in location.hosts
        if host.role(ROLE) is not None
    }


def unit_of(path: str) -> str:
    """The name that systemd wants for the unit of a mount: https://systemd.io, `systemd-escape --path`.

    The rules of the site file let only letters, digits, dots, dashes, underscores and slashes through.
    """
    return path.strip("/").replace("-", "\\x2d").replace("/", "-") + ".mount"
