"""Rules on NFS: a folder of one host that has the role, mounted by groups that have it too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from leptonctl.sitefile.findings import Finding
from leptonctl.sitefile.rules.forms import is_plain_path
from leptonctl.sitefile.rules.parts import locations, spoken
from leptonctl.sitefile.rules.servers import check_not_deleted, check_server
from leptonctl.sitefile.rules.storage import is_of_the_system
from leptonctl.sitefile.settings import resolve
from leptonctl.sitefile.stores.nfs import NfsExport
from leptonctl.sitefile.words import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.sitefile.findings import Path
    from leptonctl.sitefile.model import Location, Site

_ROLE: Literal["storage_nfs"] = "storage_nfs"


def check_nfs_exports(site: Site) -> Iterator[Finding]:
    """Every export of every location."""
    for path, location in locations(site):
        for name, store in location.stores(NfsExport).items():
            place = (*path, "storage", name)
            yield from check_server(store.server, location, place, _ROLE, "folder")
            yield from _check_clients(store, location, place)
            if store.server in location.nodes and _ROLE in location.nodes[store.server].roles:
                held = resolve(site, spoken(path), store.server, _ROLE)
                yield from check_not_deleted(name, held, place, _ROLE, "export")
            if not is_plain_path(store.path):
                message = f"{quoted(store.path)} is not an absolute path in its plain form"
                yield Finding("bad-mount-path", (*place, "path"), message, "write one such as /srv/models")
            elif is_of_the_system(store.path):
                message = f"{quoted(store.path)} is part of the system: its clients could read it"
                yield Finding("system-mount", (*place, "path"), message, "serve another folder, such as /srv/models")


def _check_clients(store: NfsExport, location: Location, place: Path) -> Iterator[Finding]:
    for index, client in enumerate(store.clients):
        if client in location.nodes and _ROLE not in location.nodes[client].roles:
            message = f"the group {quoted(client)} has not the role '{_ROLE}' by which its hosts mount this"
            yield Finding("store-role", (*place, "clients", index), message, "add the role to the group")
        elif client == store.server:
            message = "the server has the folder already"
            yield Finding("store-role", (*place, "clients", index), message, "remove it")
    if store.clients and store.mount_path is None:
        message, hint = "its clients mount it nowhere", "write `mount_path: /srv/models`, or another path"
        yield Finding("missing-mount-path", place, message, hint, at="key")
