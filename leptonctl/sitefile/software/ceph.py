"""Settings of the role that makes a Ceph cluster of the site's hosts."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from leptonctl.sitefile.base import Name, Text
from leptonctl.sitefile.effects import forbidden, rolling
from leptonctl.sitefile.software.fields import Port, Settings

_KEPT = rolling("an OSD that is added is made; one that is taken away is kept, and told, until it is named in `delete`")
_HOUR = Annotated[int, Field(ge=0, le=23)]


class StorageCeph(Settings):
    """A Ceph cluster of the location's hosts: monitors with managers, OSDs, clients. Pools are under `storage`."""

    version: Text | None = None
    """Debian version of Ceph's packages to hold; None takes the archive's."""
    cluster: Annotated[
        Name | None,
        forbidden("a cluster keeps its hosts", instead="take the role off them, then make a new cluster"),
    ] = None
    """Locations with the same name here are one cluster. Default: each location is one of its own."""
    monitor: Annotated[bool, rolling("a monitor is added while the others serve; one that is taken away is kept")] = (
        False
    )
    """Whether the hosts of this node group are monitors, with a manager each: 1, 3 or 5 in a cluster."""
    osd_devices: Annotated[tuple[Text, ...], Field(strict=False), _KEPT] = ()
    """Disks that get an OSD each, by a name that stays, such as `/dev/disk/by-id/nvme-x`. One with data is refused."""
    osd_file_count: Annotated[int, Field(ge=0, le=16), _KEPT] = 0
    """OSDs on files in the host's own file system: for trials, not for data that matters."""
    osd_file_gib: Annotated[
        int,
        Field(ge=1, le=65536),
        forbidden("a file keeps its size", instead="raise osd_file_count, then name the old OSDs in `delete`"),
    ] = 10
    """Size of each such file. It grows as it is written."""
    osd_memory_mib: Annotated[int, Field(ge=896, le=1048576)] = 4096
    """Memory that each OSD keeps to (osd_memory_target)."""
    wipe: Annotated[
        tuple[Text, ...], Field(strict=False), rolling("what is on them is lost when their OSD is made")
    ] = ()
    """Devices of `osd_devices` that may hold data: naming one here has it overwritten."""
    delete: Annotated[tuple[Text, ...], Field(strict=False), rolling("what is named is deleted with its data")] = ()
    """What left the file and shall go with its data: `pool NAME`, as `verify` tells it."""
    scrub_begin_hour: _HOUR = 0
    """Hour (UTC or what the host's clock says) from which data is compared with its copies."""
    scrub_end_hour: _HOUR = 0
    """Hour at which that ends; the same as the first means at any time."""
    deep_scrub_days: Annotated[int, Field(ge=1, le=365)] = 7
    """Days within which every piece of data is read and its checksum compared."""
    clock_skew_warn_ms: Annotated[int, Field(ge=1, le=60_000)] = 50
    """Difference of two monitors' clocks from which the cluster's health says so."""
    monitor_disk_warn_percent: Annotated[int, Field(ge=6, le=99)] = 30
    """Free share of a monitor's disk below which the cluster's health says so."""
    metrics_port: Port = 9283
    """Where managers serve metrics for Prometheus."""


CLUSTER_WIDE = (
    *("version", "cluster", "osd_memory_mib", "delete", "scrub_begin_hour", "scrub_end_hour", "deep_scrub_days"),
    *("clock_skew_warn_ms", "monitor_disk_warn_percent", "metrics_port"),
)
"""What all hosts of a cluster have to agree on."""

MONITOR_COUNTS = (1, 3, 5)
