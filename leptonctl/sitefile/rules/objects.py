"""Rules on buckets: on one host that has the role, with a name that S3 takes, for users that the host has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

from leptonctl.sitefile.findings import Finding
from leptonctl.sitefile.rules.parts import locations, spoken
from leptonctl.sitefile.rules.servers import check_not_deleted, check_server
from leptonctl.sitefile.settings import resolve
from leptonctl.sitefile.stores.objects import ObjectBucket
from leptonctl.sitefile.words import did_you_mean, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from leptonctl.sitefile.findings import Path
    from leptonctl.sitefile.model import Location, Site
    from leptonctl.sitefile.settings import Resolved

_ROLE: Literal["storage_object"] = "storage_object"
# The shortest that S3 takes; a name of the site file is never longer than the longest, nor of other marks.
_SHORTEST = 3


def check_buckets(site: Site) -> Iterator[Finding]:
    """Every bucket of every location."""
    for path, location in locations(site):
        yield from _check_scaled(path, location)
        for name, bucket in location.stores(ObjectBucket).items():
            place = (*path, "storage", name)
            yield from check_server(bucket.server, location, place, _ROLE, "bucket")
            if len(name) < _SHORTEST:
                message = f"{quoted(name)} is too short for the name of a bucket"
                yield Finding("bucket-name", place, message, "S3 wants three characters or more", at="key")
            if bucket.server in location.nodes and _ROLE in location.nodes[bucket.server].roles:
                yield from _check_use(name, bucket, resolve(site, spoken(path), bucket.server, _ROLE), place)


def _check_use(name: str, bucket: ObjectBucket, held: Mapping[str, Resolved], place: Path) -> Iterator[Finding]:
    users = cast("Mapping[str, object]", held["users"].value)
    for key, named in (("writers", bucket.writers), ("readers", bucket.readers)):
        for index, user in enumerate(named):
            if user not in users:
                message = f"there is no user {quoted(user)} of this object store{did_you_mean(user, users)}"
                hint = f"add it under software.storage_object.users: {user}: {{key: env:S3_KEY}}"
                yield Finding("object-user", (*place, key, index), message, hint)
    yield from check_not_deleted(name, held, place, _ROLE, "bucket")


def _check_scaled(path: Path, location: Location) -> Iterator[Finding]:
    for name, group in location.nodes.items():
        if _ROLE in group.roles and group.scaling is not None:
            message = "hosts that hold objects stay, and those of a scaling group come and go"
            place = (*path, "nodes", name, "roles", group.roles.index(_ROLE))
            yield Finding("scaled-hosts", place, message, "give the role to a group with a count or hosts")
