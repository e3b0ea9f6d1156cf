"""Reads one site's things from podman and words them as resources and endpoints. Writes nothing."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from leptonctl.errors import PlatformFailed
from leptonctl.planning.observed import Endpoint, ObservedLocation, ObservedResource
from leptonctl.platforms import labels
from leptonctl.platforms.labels import is_ours, location_and_host
from leptonctl.platforms.local_keys import AUTHORIZED_KEYS, read_site_key, site_key_path
from leptonctl.platforms.podman import GIB, Container, Listed, Podman, PodmanNetwork, PodmanVolume

if TYPE_CHECKING:
    from collections.abc import Callable

    from leptonctl.platforms.base import Context
    from leptonctl.platforms.local_keys import SiteKey

_CGROUPS = Path("/sys/fs/cgroup")
# Above these a limit is none: `podman update` knows no word for "no limit", so such a value is set instead.
NO_LIMIT_CPUS = 1000
NO_LIMIT_GIB = 2**30


@dataclass(frozen=True, slots=True)
class Found:
    """What podman has of a site or of one of its locations. `half_made` are names that only podman's storage knows."""

    containers: tuple[Container, ...]
    half_made: tuple[str, ...]
    networks: tuple[PodmanNetwork, ...]
    volumes: tuple[PodmanVolume, ...]


def find(podman: Podman, site: str, location: str | None = None) -> Found:
    """Everything with the site's mark, of one location or of all; checked by label, whatever podman's filter gave."""
    mark = f"label={labels.SITE}={site}"
    prefix = f"lepton-{site}." if location is None else f"{labels.object_name(site, location)}."
    with ThreadPoolExecutor(max_workers=3) as pool:
        containers = pool.submit(_containers, podman, site, location)
        networks = pool.submit(podman.networks, mark)
        volumes = pool.submit(podman.volumes, mark)
    made, listed = containers.result()
    stored = (name for one in listed if one.status == "storage" for name in one.names)
    return Found(
        containers=made,
        half_made=tuple(sorted(name for name in stored if name.startswith(prefix))),
        networks=tuple(one for one in networks.result() if is_ours(one.labels, site, location)),
        volumes=tuple(one for one in volumes.result() if is_ours(one.labels, site, location)),
    )


def _containers(podman: Podman, site: str, location: str | None) -> tuple[tuple[Container, ...], tuple[Listed, ...]]:
    # A container that goes away between the two calls makes the second one fail: ask again, then believe it.
    for is_last in (False, False, True):
        listed = podman.listed()
        try:
            made = podman.containers([one.id for one in listed if is_ours(one.labels, site, location)])
        except PlatformFailed:
            if is_last:
                raise
        else:
            return tuple(one for one in made if is_ours(one.labels, site, location)), listed
    raise AssertionError


def observed_location(podman: Podman, context: Context, location: str, found: Found) -> ObservedLocation | None:
    """The location as resources and endpoints; None where podman has nothing of it."""
    if not any((found.containers, found.half_made, found.networks, found.volumes)):
        return None
    site_key = read_site_key(context.state_dir)
    return ObservedLocation(
        location=location,
        resources=resources(found, partial(has_site_key, podman, site_key)),
        endpoints={
            f"{location}/{one.labels[labels.HOST]}": endpoint(context, one)
            for one in found.containers
            if one.status == "running" and not is_half_made(one)
        },
    )


def resources(found: Found, lets_in: Callable[[Container], bool] | None = None) -> tuple[ObservedResource, ...]:
    """Networks, volumes and hosts as resources; `lets_in` tells whether a host lets the site log in, where wanted."""
    return (
        *(_network(one) for one in found.networks),
        *(_volume(one) for one in found.volumes),
        *(_host(one, found, lets_in) for one in found.containers),
        *(_half_made_host(name) for name in found.half_made),
    )


def endpoint(context: Context, container: Container) -> Endpoint:
    """How a container that runs is reached; its host key is the one that was planted when it was created."""
    return Endpoint(
        # Rootless networks cannot be reached from outside their namespace: there port 22 is published on loopback.
        hostname=container.labels[labels.ADDRESS] if container.ssh_port is None else "127.0.0.1",
        port=container.ssh_port or 22,
        user="root",
        key=site_key_path(context.state_dir),
        host_keys=(container.labels[labels.HOST_KEY],),
    )


def is_half_made(container: Container) -> bool:
    """Whether its creation was interrupted: it never started, or lacks one of the labels that a host has."""
    is_labelled = all(container.labels.get(name) for name in labels.HOST_LABELS)
    return not is_labelled or container.status in {"created", "initialized", "configured", "unknown", "removing"}


def live_limits(container: Container) -> tuple[float | None, float | None] | None:
    """CPUs and GiB that a running container may use now, from its cgroup; None where that cannot be read.

    podman's own record is no help: `podman update` (4.3) changes the cgroup and not the record, and a restart takes the
    record's values again.
    """
    path = container.cgroup_path.strip("/").removesuffix("/container")
    if not path:
        return None
    try:
        if (_CGROUPS / "cgroup.controllers").exists():
            quota, period = (_CGROUPS / path / "cpu.max").read_text(encoding="ascii").split()
            memory = (_CGROUPS / path / "memory.max").read_text(encoding="ascii").strip()
        else:
            quota = (_CGROUPS / "cpu" / path / "cpu.cfs_quota_us").read_text(encoding="ascii").strip()
            period = (_CGROUPS / "cpu" / path / "cpu.cfs_period_us").read_text(encoding="ascii").strip()
            memory = (_CGROUPS / "memory" / path / "memory.limit_in_bytes").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
    cpus = None if quota in {"max", "-1"} else int(quota) / int(period)
    memory_gib = None if memory == "max" else int(memory) / GIB
    return (
        None if cpus is None or cpus >= NO_LIMIT_CPUS else cpus,
        None if memory_gib is None or memory_gib >= NO_LIMIT_GIB else memory_gib,
    )


def _host(container: Container, found: Found, lets_in: Callable[[Container], bool] | None) -> ObservedResource:
    location = container.labels[labels.LOCATION]
    stores = {one.name: one.labels.get(labels.STORE, one.name) for one in found.volumes}
    properties: dict[str, object] = {
        "name": container.name,
        "address": container.labels.get(labels.ADDRESS),
        "image_id": container.image_id,
        "is_half_made": is_half_made(container),
        "mounts": {stores.get(name, name): path for name, path in container.mounts.items()},
    }
    limits = live_limits(container) if container.status == "running" else (container.cpus, container.memory_gib)
    if limits is not None:
        properties["cpus"], properties["memory_gib"] = limits
    if lets_in is not None and container.status == "running" and not is_half_made(container):
        properties["has_site_key"] = lets_in(container)
    return ObservedResource(
        kind="host",
        address=f"{location}/{container.labels.get(labels.HOST, container.name)}",
        location=location,
        id=container.id,
        status=container.status,
        properties=properties,
    )


def has_site_key(podman: Podman, site_key: SiteKey | None, container: Container) -> bool:
    """Whether the site's key pair of today may log in. Looks inside only where it is not the one of the creation."""
    if site_key is None:
        return False
    if container.labels.get(labels.SITE_KEY) == site_key.fingerprint:
        return True
    planted = podman.text("exec", container.id, "cat", f"/{AUTHORIZED_KEYS}", timeout_s=10)
    return site_key.public in planted


def _half_made_host(name: str) -> ObservedResource:
    location, host = location_and_host(name)
    properties = {"name": name, "is_half_made": True}
    return ObservedResource("host", f"{location}/{host}", location, name, "half-made", properties)


def _network(one: PodmanNetwork) -> ObservedResource:
    location = one.labels[labels.LOCATION]
    cidr = next((cidr for cidr in one.cidrs if ":" not in cidr), None)
    properties = {"name": one.name, "cidr": cidr}
    return ObservedResource("network", location, location, one.id, "there", properties)


def _volume(one: PodmanVolume) -> ObservedResource:
    location = one.labels[labels.LOCATION]
    address = f"{location}/{one.labels.get(labels.STORE)}/{one.labels.get(labels.HOST)}"
    return ObservedResource("volume", address, location, one.name, "there", {"name": one.name}, is_data=True)


def machine_cpus() -> int:
    """CPUs of this machine that this process may use."""
    return len(os.sched_getaffinity(0))
