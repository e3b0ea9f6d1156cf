"""One local host: made, started, sized, let in by SSH, removed. Each step may be repeated."""

from __future__ import annotations

import resource
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from leptonctl.errors import PlatformFailed
from leptonctl.planning.resources import is_same_amount
from leptonctl.platforms import labels
from leptonctl.platforms.local_keys import new_host_key, planted_files
from leptonctl.platforms.local_observe import NO_LIMIT_CPUS, NO_LIMIT_GIB, endpoint, has_site_key, live_limits
from leptonctl.platforms.podman import GIB

if TYPE_CHECKING:
    from leptonctl.planning.desired import DesiredHost, DesiredLocation
    from leptonctl.platforms.base import Context
    from leptonctl.platforms.local_keys import SiteKey
    from leptonctl.platforms.podman import Container, Podman

# systemd answers SIGRTMIN+3 (the stop signal that podman finds out itself) in well under a second.
STOP_LIMIT_S = 3
SSH_LIMIT_S = 90
_SSH_PORT = 22
_PAUSE_S = 0.05
# What podman asks for itself may be more than this machine permits, and then no host would start.
_MAX_OPEN_FILES = 1_048_576
_MAX_PROCESSES = 32_768


@dataclass(frozen=True, slots=True)
class Workshop:
    """What is needed to make the hosts of one location; `controllers` are cgroup controllers that podman may use."""

    podman: Podman
    context: Context
    location: DesiredLocation
    site_key: SiteKey
    image: str
    is_rootless: bool
    controllers: frozenset[str]


def create_host(workshop: Workshop, host: DesiredHost, address: str) -> Container:
    """Make and start a host with a fresh host key; `address` is its own in the location's network."""
    podman, location, site = workshop.podman, workshop.location, workshop.context.site
    name = labels.object_name(site, location.address, host.name)
    host_key = new_host_key()
    marks = labels.common_labels(workshop.context, location.address) | {
        labels.GROUP: host.group,
        labels.HOST: host.name,
        labels.ADDRESS: address,
        labels.HOST_KEY: host_key.public,
        labels.IMAGE: workshop.image,
        labels.SITE_KEY: workshop.site_key.fingerprint,
    }
    created = podman.text(
        "create",
        *labels.label_arguments(marks),
        *("--name", name, "--hostname", host.name),
        *("--network", labels.object_name(site, location.address), "--ip", address, "--network-alias", host.name),
        *("--systemd=always", "--privileged"),
        *_ulimits(),
        *_size_arguments(workshop, host),
        *_mount_arguments(workshop, host),
        *(("--publish", f"127.0.0.1::{_SSH_PORT}") if workshop.is_rootless else ()),
        *(workshop.image, "/sbin/init"),
    )
    container_id = created.split()[-1]
    # Before the first start: sshd never runs with a key that is not pinned.
    podman.text("cp", "-", f"{container_id}:/", stdin=planted_files(host_key, workshop.site_key))
    podman.text("start", container_id)
    return podman.containers([container_id])[0]


def bring_in_order(workshop: Workshop, host: DesiredHost, container: Container) -> Container:
    """Start it where it does not run, give it its size and let the site's key in.

    Raises `PlatformFailed` where podman refuses, for example a memory limit below what is in use.
    """
    podman = workshop.podman
    if container.status == "paused":
        podman.text("unpause", container.id)
    elif container.status != "running":
        podman.text("start", container.id)
    (running,) = podman.containers([container.id])
    _resize(podman, host, running)
    if not has_site_key(podman, workshop.site_key, running):
        podman.text("cp", "-", f"{container.id}:/", stdin=planted_files(None, workshop.site_key))
    return running


# On a busy machine it ends by itself just when podman gives up waiting and kills it, or its mounts go a moment later
# than it: podman trips over both, and has it done the second time.
_TRIPPED = ("container state improper", "device or resource busy")


def remove_container(podman: Podman, container_id: str) -> None:
    """Stop and remove one container; its volumes stay."""
    words = ("rm", "--force", "--time", str(STOP_LIMIT_S), container_id)
    try:
        podman.text(*words, timeout_s=60)
    except PlatformFailed as failed:
        if not any(trip in failed.message for trip in _TRIPPED):
            raise
        podman.text(*words, timeout_s=60)


def wait_for_ssh(podman: Podman, context: Context, container: Container, *, limit_s: float = SSH_LIMIT_S) -> None:
    """Return once sshd greets. Raises `PlatformFailed` when it does not within `limit_s`, or the host stops."""
    way = endpoint(context, container)
    deadline = time.monotonic() + limit_s
    next_check = time.monotonic() + 2
    while (answer := _greeting(way.hostname, way.port)) is not None:
        now = time.monotonic()
        if now >= next_check:
            next_check = now + 2
            _require_running(podman, container)
        if now >= deadline:
            message = f"waited {limit_s:g} s for SSH at {way.hostname} port {way.port}: {answer}"
            raise PlatformFailed(message, hint=f"see `podman exec {container.name} systemctl --failed`")
        time.sleep(_PAUSE_S)


def _greeting(hostname: str, port: int) -> str | None:
    """None where sshd greets, or else what came instead."""
    try:
        with socket.create_connection((hostname, port), timeout=5) as connection:
            connection.settimeout(5)
            start = connection.recv(4)
    except TimeoutError:
        return "no answer"
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return None if start == b"SSH-" else "the connection was closed before the greeting"


def _require_running(podman: Podman, container: Container) -> None:
    (now,) = podman.containers([container.id])
    if now.status != "running":
        message = f"it stopped by itself while SSH was waited for (podman says {now.status})"
        raise PlatformFailed(message, hint=f"see `podman logs {container.name}`; `leptonctl up` starts it again")


def _resize(podman: Podman, host: DesiredHost, container: Container) -> None:
    cpus, memory_gib = host.machine.cpus, host.machine.memory_gib
    live = live_limits(container)
    if live is None or (is_same_amount(live[0], cpus) and is_same_amount(live[1], memory_gib)):
        return
    podman.text(
        "update",
        *("--cpus", f"{cpus or NO_LIMIT_CPUS:g}"),
        *("--memory", f"{int((memory_gib or NO_LIMIT_GIB) * GIB)}b", "--memory-swap", "-1"),
        container.id,
        hint=f"stop what uses the memory, or remove the host (`podman rm --force {container.name}`) and run up again",
    )


def _size_arguments(workshop: Workshop, host: DesiredHost) -> list[str]:
    # Without its cgroup controller (rootless, not delegated) podman refuses a limit: then there is a warning instead.
    cpus = host.machine.cpus if "cpu" in workshop.controllers else None
    memory_gib = host.machine.memory_gib if "memory" in workshop.controllers else None
    return [
        *(("--cpus", f"{cpus:g}") if cpus else ()),
        # Without a limit on swap a smaller memory limit can be set later.
        *(("--memory", f"{int(memory_gib * GIB)}b", "--memory-swap", "-1") if memory_gib else ()),
    ]


def _mount_arguments(workshop: Workshop, host: DesiredHost) -> list[str]:
    site, location = workshop.context.site, workshop.location
    return [
        # A disk is no place that forbids programs: podman's own default for volumes is nosuid,nodev.
        f"--volume={labels.object_name(site, location.address, one.store, host.name)}:{one.mount_path}:exec,suid,dev"
        for one in location.volumes
        if one.host == host.address
    ]


def _ulimits() -> list[str]:
    return [
        f"--ulimit={name}={limit}:{limit}"
        for name, kind, most in (
            ("nofile", resource.RLIMIT_NOFILE, _MAX_OPEN_FILES),
            ("nproc", resource.RLIMIT_NPROC, _MAX_PROCESSES),
        )
        for limit in [_bounded(resource.getrlimit(kind)[1], most)]
    ]


def _bounded(limit: int, most: int) -> int:
    return most if limit == resource.RLIM_INFINITY else min(limit, most)
