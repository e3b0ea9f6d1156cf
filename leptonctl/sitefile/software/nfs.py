"""Settings of the role that serves and mounts folders over NFS."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from leptonctl.sitefile.base import Name, Text
from leptonctl.sitefile.effects import rolling
from leptonctl.sitefile.software.fields import Settings


class StorageNfs(Settings):
    """A server of NFS version 4, or a client of one. What is served is under `storage`."""

    version: Text | None = None
    """Debian version of the server's packages (NFS-Ganesha) to hold; None takes the archive's."""
    lease_s: Annotated[int, Field(ge=10, le=600)] = 60
    """Seconds for which a client that is silent keeps its locks."""
    grace_s: Annotated[int, Field(ge=10, le=600)] = 90
    """Seconds after the server's start in which clients claim their locks again, and nothing new is locked."""
    delete: Annotated[tuple[Name, ...], Field(strict=False), rolling("the folder of what is named is deleted")] = ()
    """Exports that left the file and whose folders shall go with all in them, as `verify` tells them."""
