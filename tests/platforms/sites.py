"""Desired locations for the tests of platforms, made without a site file."""

from __future__ import annotations

from leptonctl.planning.desired import DesiredHost, DesiredLocation, DesiredVolume, Tier
from leptonctl.sitefile.model import Machine

SMALL = Machine(cpus=1, memory_gib=0.5)


def location(
    address: str,
    *,
    count: int = 1,
    machine: Machine = SMALL,
    cidr: str | None = None,
    stores: dict[str, str] | None = None,
) -> DesiredLocation:
    """A local location with `count` hosts `box-1`..., each with a volume at the path of every store."""
    tier: Tier = "core" if address == "core" else "region" if address.startswith("regions/") else "edge"
    names = [f"box-{number}" for number in range(1, count + 1)]
    volumes = tuple(
        DesiredVolume(f"{address}/{store}/{name}", store, f"{address}/{name}", 1, path)
        for name in names
        for store, path in (stores or {}).items()
    )
    hosts = tuple(
        DesiredHost(
            address=f"{address}/{name}",
            name=name,
            group="box",
            machine=machine,
            roles=(),
            volumes=tuple(volume.address for volume in volumes if volume.host == f"{address}/{name}"),
        )
        for name in names
    )
    return DesiredLocation(address, tier, "local", (), cidr, hosts, volumes)
