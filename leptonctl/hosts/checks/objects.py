"""What must hold where the role that keeps objects ran."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.hosts.checks.kinds import UNIQUE, Check, Command, Package, Port, Unit
from leptonctl.hosts.checks.settings import setting

if TYPE_CHECKING:
    from leptonctl.planning.desired import Settings

PROGRAMS = "/usr/local/lib/leptonctl"
HOST_PROGRAM = f"{PROGRAMS}/objects_host"
BUCKETS_PROGRAM = f"{PROGRAMS}/objects_buckets"
TRY_PROGRAM = f"{PROGRAMS}/objects_try"
_PARTS = ("proxy", "account", "container", "object")


def storage_object(settings: Settings) -> tuple[Check, ...]:
    """The store runs, has the site's buckets, and gives back what it is given, over S3."""
    version = setting("storage_object", settings, "version")
    return (
        *(Package(f"swift-{part}", version) for part in _PARTS),
        *(Unit(f"swift-{part}.service") for part in _PARTS),
        Unit("memcached.service"),
        Unit("leptonctl-objects-metrics.timer"),
        Port(setting("storage_object", settings, "port")),
        Command(
            "the object store is the one that was made here",
            (HOST_PROGRAM, "--check"),
            expect="in order",
            covers=(HOST_PROGRAM,),
            is_quick=True,
            rests_on=(HOST_PROGRAM, "package swift-proxy", "package swift-object"),
        ),
        Command(
            "the buckets are as the site file says",
            (BUCKETS_PROGRAM, "--check"),
            expect="in order",
            limit_s=60,
            covers=(BUCKETS_PROGRAM,),
        ),
        Command(
            "an object is written over S3 and read back",
            (TRY_PROGRAM, UNIQUE),
            expect="in order",
            limit_s=90,
        ),
    )
