"""HDFS: paths of the site's files, which the name node (role `storage_hdfs`) makes with their redundancy."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from leptonctl.sitefile.base import Frozen, Text
from leptonctl.sitefile.effects import forbidden, in_place
from leptonctl.sitefile.stores.fields import OTHER_KIND

ErasurePolicy = Literal["RS-6-3-1024k", "RS-3-2-1024k", "XOR-2-1-1024k"]

_COPIES = in_place("copies are made or dropped while the files are in use")
_POLICY = in_place("files that are written from now on; those that are there stay as they were written")


class HdfsPath(Frozen):
    """A path of HDFS, in the name node's location. It is kept until the operator deletes it there."""

    kind: Annotated[Literal["hdfs_path"], OTHER_KIND]
    """What the store is."""
    path: Annotated[
        Text, forbidden("a path keeps its name", instead="add another path beside it, and move the files in HDFS")
    ]
    """Absolute path in HDFS, such as `/models`."""
    owner: Annotated[Text, in_place("the path itself changes its owner; what is in it keeps its own")] = "hdfs"
    """The user of HDFS that it is for."""
    copies: Annotated[int | None, Field(ge=1, le=512), _COPIES] = None
    """Data nodes that keep each block, without `erasure`. Default: `software.storage_hdfs.replication`."""
    erasure: Annotated[ErasurePolicy | None, _POLICY] = None
    """Pieces instead of copies: Reed-Solomon 6+3 or 3+2, or XOR 2+1. It needs as many data nodes as pieces."""
