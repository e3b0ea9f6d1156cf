"""Ceph: pools of the location's cluster, which the hosts with the role `storage_ceph` make."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from leptonctl.sitefile.base import Frozen, Name, Text
from leptonctl.sitefile.effects import OnEdit, forbidden, in_place
from leptonctl.sitefile.stores.fields import OTHER_KIND

DEFAULT_SIZE = 3
"""Ceph's own: osd_pool_default_size."""

_KEPT = forbidden(
    "a pool keeps how its data is cut", instead="add a pool beside it with another name, and copy the data"
)


class Erasure(Frozen):
    """How data is cut: into `data` pieces with `parity` pieces beside them, each in a failure domain of its own."""

    on_edit: ClassVar[tuple[OnEdit, ...]] = (_KEPT,)

    data: Annotated[int, Field(ge=2, le=32)]
    """Pieces with data (k)."""
    parity: Annotated[int, Field(ge=1, le=16)]
    """Pieces that may be lost (m)."""


class CephPool(Frozen):
    """A pool of the location's Ceph cluster, replicated or erasure-coded. It is kept until the operator names it."""

    kind: Annotated[Literal["ceph_pool"], OTHER_KIND]
    """What the store is."""
    size: Annotated[int | None, Field(ge=2, le=10), in_place("copies are made or dropped while the pool is in use")] = (
        None
    )
    """Copies of each object. Default: 3, without `erasure`."""
    min_size: Annotated[int | None, Field(ge=1, le=48), in_place()] = None
    """Copies or pieces without which nothing is read or written.

    Default: Ceph's, which is more than half of `size`, or one piece more than `data` (with `parity: 1` just `data`).
    """
    erasure: Erasure | None = None
    """Cut into pieces instead of whole copies."""
    failure_domain: Annotated[
        Literal["host", "location"], in_place("data moves to where it then belongs, while the pool is in use")
    ] = "host"
    """What may be lost with no more than one copy or piece: a host, or a whole location."""
    use: Annotated[
        Literal["rbd", "cephfs", "none"],
        forbidden("a pool keeps what it is for", instead="add a pool beside it with another name, and copy the data"),
    ] = "none"
    """`cephfs` makes a file system of its name, `rbd` has block devices, `none` is for objects by librados."""
    placement_groups: Annotated[int | None, Field(ge=1, le=65536), in_place("data moves, while the pool is in use")] = (
        None
    )
    """Placement groups, a power of two. Default: Ceph's autoscaler decides."""
    clients: Annotated[
        tuple[Name, ...], Field(strict=False), in_place("hosts get or lose their key, and what is mounted")
    ] = ()
    """Groups of this location whose hosts use it: they get a key for this pool alone."""
    mount_path: Annotated[Text | None, in_place("it is mounted there and not at its old place")] = None
    """Where clients mount a `cephfs`: an absolute path, not one of the system's."""
