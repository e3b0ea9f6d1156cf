"""Object stores: the buckets that the server of a location keeps, and who may do what with each. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.sitefile.stores.objects import ObjectBucket

if TYPE_CHECKING:
    from leptonctl.planning.desired import Desired, DesiredHost, DesiredLocation

ROLE = "storage_object"
_GIB = 2**30


def bucket_settings(location: DesiredLocation, host: DesiredHost) -> dict[str, object]:
    """What the role is told beside the site file's settings: the `buckets` of this host, in file order."""
    stores = location.section.stores(ObjectBucket) if location.section is not None else {}
    buckets = [
        {
            "name": name,
            "writers": sorted(store.writers),
            "readers": sorted(store.readers),
            "quota_bytes": store.quota_gib * _GIB if store.quota_gib is not None else None,
        }
        for name, store in stores.items()
        if store.server == host.group
    ]
    return {"buckets": buckets}


def settings_by_host(desired: Desired) -> dict[str, dict[str, object]]:
    """What each host with the role is told, by its address."""
    return {
        host.address: bucket_settings(location, host)
        for location in desired.locations
        for host in location.hosts
        if host.role(ROLE) is not None
    }
