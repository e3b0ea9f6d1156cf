"""Desired: all that should be, computed from the site alone.

The types of this module cross the stages: platforms make `Resource`s, hosts get `DesiredRole`s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from leptonctl.planning.aws import location_args
from leptonctl.planning.declared import declared_settings
from leptonctl.sitefile.model import Edge, Region
from leptonctl.sitefile.ranges import group_hosts
from leptonctl.sitefile.rollout import ALL_AT_ONCE, rollout_settings
from leptonctl.sitefile.settings import resolve, resolve_rollout
from leptonctl.sitefile.software import ROLE_NEEDS

if TYPE_CHECKING:
    from leptonctl.planning.aws_types import LocationArgs
    from leptonctl.sitefile.model import Host, Location, Machine, PlatformName, Site, Ssh
    from leptonctl.sitefile.rollout import RolloutSettings
    from leptonctl.sitefile.software import RoleName

Tier = Literal["core", "region", "edge"]
ResourceKind = Literal["network", "group", "host", "volume", "store", "peering", "access", "cluster"]
Settings = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class DesiredRole:
    """A role on a host with the settings that hold there (JSON values; secrets are still references)."""

    name: RoleName
    settings: Settings


@dataclass(frozen=True, slots=True)
class Connection:
    """How an existing host is reached; None means that ssh's own default holds. Paths are as in the site file."""

    hostname: str
    user: str | None = None
    port: int | None = None
    key: str | None = None
    jump: str | None = None
    known_hosts: str | None = None
    host_key: str | None = None


@dataclass(frozen=True, slots=True)
class DesiredHost:
    """One machine. `connection` is set where the machine exists before leptonctl (platform `ssh`), else None.

    `is_scaled` is one of a scaling group: it is not in the site file, it was found there.
    """

    address: str
    name: str
    group: str
    machine: Machine
    roles: tuple[DesiredRole, ...]
    volumes: tuple[str, ...] = ()
    connection: Connection | None = None
    is_scaled: bool = False

    def role(self, name: str) -> DesiredRole | None:
        """Its role of that name; None where it has none."""
        return next((role for role in self.roles if role.name == name), None)


@dataclass(frozen=True, slots=True)
class DesiredScaling:
    """A scaling group, `LOCATION/GROUP`: what each of its hosts shall be, however many there are.

    `desired` is None where AWS and its policies decide how many, from `min` to `max`.
    """

    address: str
    group: str
    machine: Machine
    roles: tuple[DesiredRole, ...]
    min: int
    max: int
    desired: int | None


@dataclass(frozen=True, slots=True)
class DesiredVolume:
    """A volume of one host. `address` is `LOCATION/STORE/HOST`; `mount_path` is "" where it is only attached (aws)."""

    address: str
    store: str
    host: str
    size_gib: int
    mount_path: str


@dataclass(frozen=True, slots=True)
class DesiredLocation:
    """A location: what its platform must make, its hosts, and the locations that must be there before it.

    The hosts of `scaling` groups are among `hosts` only after a look (`planning.scaling`).

    `aws` are the arguments of its stack, as far as the site says them, where the platform is `aws`. `section` is its
    part of the site file: edits are found by comparing it with the one that was applied.
    """

    address: str
    tier: Tier
    platform: PlatformName
    depends_on: tuple[str, ...]
    cidr: str | None
    hosts: tuple[DesiredHost, ...]
    volumes: tuple[DesiredVolume, ...]
    scaling: tuple[DesiredScaling, ...] = ()
    aws: LocationArgs | None = None
    rollout: RolloutSettings = ALL_AT_ONCE
    section: Location | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Desired:
    """The whole site, locations in tier order."""

    site: str
    owner: str
    locations: tuple[DesiredLocation, ...]


def desired(site: Site) -> Desired:
    """Everything that should be, from the checked site alone; same site, same value."""
    return Desired(
        site=site.site,
        owner=site.owner,
        locations=tuple(_location(site, address, location) for address, location in site.locations().items()),
    )


def _location(site: Site, address: str, location: Location) -> DesiredLocation:
    hosts: list[DesiredHost] = []
    volumes: list[DesiredVolume] = []
    scaling: list[DesiredScaling] = []
    for group_name, group in location.nodes.items():
        stores = {name: store for name, store in location.volumes.items() if group_name in store.nodes}
        roles = tuple(_role(site, address, group_name, name) for name in ROLE_NEEDS if name in group.roles)
        ssh = _merged_ssh(location.ssh, group.ssh)
        if (limits := group.scaling) is not None:
            where = f"{address}/{group_name}"
            scaling.append(
                DesiredScaling(where, group_name, group.machine, roles, limits.min, limits.max, limits.desired)
            )
        for host in group_hosts(group_name, group):
            volumes.extend(
                DesiredVolume(
                    address=f"{address}/{name}/{host.name}",
                    store=name,
                    host=f"{address}/{host.name}",
                    size_gib=store.size_gib,
                    mount_path=store.mount_path or "",
                )
                for name, store in stores.items()
            )
            hosts.append(
                DesiredHost(
                    address=f"{address}/{host.name}",
                    name=host.name,
                    group=group_name,
                    machine=group.machine,
                    roles=roles,
                    volumes=tuple(f"{address}/{name}/{host.name}" for name in stores),
                    connection=_connection(ssh, host) if location.platform == "ssh" else None,
                )
            )
    return DesiredLocation(
        address=address,
        tier=tier_of(address),
        platform=location.platform,
        depends_on=_depends_on(location),
        cidr=location.network.cidr,
        hosts=tuple(hosts),
        volumes=tuple(volumes),
        scaling=tuple(scaling),
        aws=location_args(site, address),
        rollout=_rollout(site, address),
        section=location,
    )


def _rollout(site: Site, address: str) -> RolloutSettings:
    found = resolve_rollout(site, address)
    is_chosen = any(found[key].origin is not None for key in ("canary", "batch"))
    return rollout_settings({key: one.value for key, one in found.items()}, is_chosen=is_chosen)


def tier_of(location: str) -> Tier:
    """The tier that a location's address stands in."""
    return _TIERS[location.partition("/")[0]]


_TIERS: dict[str, Tier] = {"core": "core", "regions": "region", "edges": "edge"}


def _depends_on(location: Location) -> tuple[str, ...]:
    if isinstance(location, Edge):
        return (f"regions/{location.parent}",)
    return ("core",) if isinstance(location, Region) else ()


def _role(site: Site, location: str, group: str, name: RoleName) -> DesiredRole:
    settings = {setting: value.value for setting, value in resolve(site, location, group, name).items()}
    return DesiredRole(
        name=name, settings={**settings, **declared_settings(site.location(location).nodes[group], name)}
    )


def _merged_ssh(location: Ssh, group: Ssh) -> Ssh:
    return location.model_copy(update={key: getattr(group, key) for key in group.model_fields_set})


def _connection(ssh: Ssh, host: Host) -> Connection:
    return Connection(
        hostname=host.address or host.name,
        user=host.user or ssh.user,
        port=host.port or ssh.port,
        key=ssh.key,
        jump=ssh.jump,
        known_hosts=ssh.known_hosts,
        host_key=host.host_key,
    )
