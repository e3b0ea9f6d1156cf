"""Volumes: a disk of its own for each host of a group, made by the platform."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from leptonctl.sitefile.base import Frozen, Name, Text
from leptonctl.sitefile.effects import AWS, LOCAL, When, forbidden, in_place, no_effect, replace
from leptonctl.sitefile.stores.fields import OTHER_KIND


class Volume(Frozen):
    """A volume that every host of the named groups gets. It holds data: it is kept until the operator names it."""

    kind: Annotated[Literal["volume"], OTHER_KIND] = "volume"
    """What the store is; without it, a volume."""
    size_gib: Annotated[
        int,
        Field(ge=1, le=1_000_000),
        in_place("the volumes grow; their file systems have to be grown on the hosts", on=AWS, when=When.LARGER),
        forbidden("a volume cannot shrink", instead="add a smaller one beside it and copy the data", on=AWS),
        no_effect("it is not enforced", on=LOCAL),
    ]
    """Size in GiB. The local platform cannot enforce it and says so."""
    mount_path: Annotated[
        Text | None, replace("the hosts are made again with the volume at its new place", on=LOCAL)
    ] = None
    """Where it is mounted on the host (local): an absolute path, not one of the system's.

    On `aws` a volume is attached and not mounted: the host has it as
    `/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_VOLUME`.
    """
    nodes: Annotated[
        tuple[Name, ...],
        Field(strict=False, min_length=1),
        in_place("hosts of a new group get volumes; those of a removed group are kept", on=AWS),
        replace("the hosts are made again with or without the volume, which is kept", on=LOCAL),
    ]
    """Groups whose hosts get one volume each."""
