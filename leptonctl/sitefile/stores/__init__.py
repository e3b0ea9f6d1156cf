"""Stores: what the `storage` section of a location may hold, told apart by `kind`. One module a kind of system.

A kind is added by a class of its own with a literal `kind`, in a module of its own, and by a line in `Store`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Discriminator, Tag

from leptonctl.sitefile.stores.ceph import CephPool
from leptonctl.sitefile.stores.hdfs import HdfsPath
from leptonctl.sitefile.stores.nfs import NfsExport
from leptonctl.sitefile.stores.objects import ObjectBucket
from leptonctl.sitefile.stores.volume import Volume


def _kind_of(value: object) -> str:
    """What is not told is a volume."""
    return str(value.get("kind", "volume") if isinstance(value, dict) else getattr(value, "kind", "volume"))


# Told apart before they are checked, so that a wrong store is one problem and not one for each kind.
Store = Annotated[
    Annotated[Volume, Tag("volume")]
    | Annotated[CephPool, Tag("ceph_pool")]
    | Annotated[HdfsPath, Tag("hdfs_path")]
    | Annotated[NfsExport, Tag("nfs_export")]
    | Annotated[ObjectBucket, Tag("bucket")],
    Discriminator(_kind_of),
]
