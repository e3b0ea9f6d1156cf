"""Settings of the role that keeps objects and speaks S3."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from leptonctl.sitefile.base import Name, SecretRef, Text
from leptonctl.sitefile.effects import rolling
from leptonctl.sitefile.software.fields import Port, Settings


class ObjectUser(Settings):
    """One who asks the object store, signing with a key."""

    key: SecretRef
    """The secret key, as a reference: 16 to 128 letters, digits and marks of + / = _ . -"""
    admin: bool = False
    """Whether the user may do everything with all buckets, and make and delete buckets."""


class StorageObject(Settings):
    """An object store of one host that speaks S3 (OpenStack Swift). Its buckets are under `storage`."""

    version: Text | None = None
    """Debian version of Swift's packages to hold; None takes the archive's."""
    port: Port = 7480
    """Where S3 is served."""
    workers: Annotated[int, Field(ge=1, le=256)] = 2
    """Processes that serve requests, and as many that read and write objects."""
    users: dict[Name, ObjectUser] = Field(default_factory=dict)
    """Who may ask, by name. The access key of `trainer` is `site:trainer`; what each may do is said at the buckets."""
    delete: Annotated[tuple[Name, ...], Field(strict=False), rolling("what is named is deleted with its objects")] = ()
    """Buckets that left the file and shall go with all objects in them, as `verify` tells them."""
