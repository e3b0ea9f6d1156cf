"""NFS: folders of one host that others mount, served by the role `storage_nfs`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from leptonctl.sitefile.base import Frozen, Name, Text
from leptonctl.sitefile.effects import forbidden, in_place
from leptonctl.sitefile.stores.fields import OTHER_KIND


class NfsExport(Frozen):
    """A folder of one host that others mount over NFS version 4. It is kept whatever leaves the file."""

    kind: Annotated[Literal["nfs_export"], OTHER_KIND]
    """What the store is."""
    server: Annotated[
        Name,
        forbidden("a folder stays on its host", instead="add a store beside it on the other host, and copy the data"),
    ]
    """Group of one host with the role `storage_nfs`, whose folder it is."""
    path: Annotated[Text, forbidden("a folder stays where it is", instead="add a store beside it, and copy the data")]
    """The folder on the server: an absolute path, not one of the system's. It is made where it is missing."""
    read_only: Annotated[bool, in_place("clients get or lose the right to write")] = False
    """Whether clients may only read."""
    clients: Annotated[
        tuple[Name, ...], Field(strict=False), in_place("hosts may reach it or no longer, and what is mounted")
    ] = ()
    """Groups of this location whose hosts mount it. No others can."""
    mount_path: Annotated[Text | None, in_place("it is mounted there and not at its old place")] = None
    """Where clients mount it: an absolute path, not one of the system's."""
