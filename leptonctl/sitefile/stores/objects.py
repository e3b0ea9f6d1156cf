"""Buckets: objects by name over S3, kept by the role `storage_object` of one host."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from leptonctl.sitefile.base import Frozen, Name
from leptonctl.sitefile.effects import forbidden, in_place
from leptonctl.sitefile.stores.fields import OTHER_KIND

_RIGHTS = in_place("who may do what changes at once")


class ObjectBucket(Frozen):
    """A bucket with the store's name. It is kept with its objects until the operator names it."""

    kind: Annotated[Literal["bucket"], OTHER_KIND]
    """What the store is."""
    server: Annotated[
        Name,
        forbidden(
            "a bucket stays on its host", instead="add a bucket beside it on the other host, and copy the objects"
        ),
    ]
    """Group of one host with the role `storage_object`."""
    writers: Annotated[tuple[Name, ...], Field(strict=False), _RIGHTS] = ()
    """Users of `software.storage_object.users` who may read, write and delete its objects."""
    readers: Annotated[tuple[Name, ...], Field(strict=False), _RIGHTS] = ()
    """Users who may list and read its objects."""
    quota_gib: Annotated[int | None, Field(ge=1, le=1_000_000), in_place("what is there already stays")] = None
    """GiB from which nothing more is taken; None: what its disk has. Unfinished uploads do not count."""
