"""Makes a local location: follows `resource_changes` in its order, each step safe to repeat and to interrupt."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING

from leptonctl.errors import LeptonError, PlatformFailed, Problem, Refused
from leptonctl.planning.plan import Action
from leptonctl.planning.resources import resource_changes
from leptonctl.platforms import labels
from leptonctl.platforms.image import ensure_image, read_recipe
from leptonctl.platforms.labels import is_ours
from leptonctl.platforms.local_host import Workshop, bring_in_order, create_host, remove_container, wait_for_ssh
from leptonctl.platforms.local_keys import ensure_site_key
from leptonctl.platforms.local_network import (
    free_addresses,
    free_ranges,
    overlaps,
    ranges_of_locations,
    ranges_of_machine,
    ranges_of_networks,
)
from leptonctl.platforms.local_observe import find, live_limits, machine_cpus, observed_location
from leptonctl.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from leptonctl.planning.desired import DesiredHost, DesiredLocation
    from leptonctl.planning.plan import Change
    from leptonctl.platforms.base import Context
    from leptonctl.platforms.local_observe import Found
    from leptonctl.platforms.podman import Container, Podman
    from leptonctl.progress import Report

HOSTS_AT_ONCE = 8
_RANGES_TRIED = 20
_RANGE_TAKEN = "already used on the host or by another config"
_SPARE_ADDRESSES = 16
_ADDRESS_TAKEN = "is already allocated"


def make_location(podman: Podman, context: Context, location: DesiredLocation, report: Report) -> None:
    """Key, image, network, volumes, hosts, then the removal of hosts that are too many; every host greets by SSH."""
    site_key = ensure_site_key(context.state_dir)
    image = ensure_image(podman, read_recipe(), report, location.address)
    machine = podman.info()["host"]
    found = find(podman, context.site, location.address)
    changes = resource_changes(location, observed_location(podman, context, location.address, found))
    workshop = Workshop(
        podman=podman,
        context=context,
        location=location,
        site_key=site_key,
        image=image,
        is_rootless=bool(machine["security"]["rootless"]),
        controllers=frozenset(machine.get("cgroupControllers") or ()),
    )

    network, *others = changes
    cidr = _make_network(workshop, network, found, report)
    for change in others:
        if change.kind == "volume" and change.action is Action.CREATE:
            _make_volume(workshop, change.address, report)
    if any(change.kind == "volume" and change.action is Action.CREATE for change in others):
        note = "size_gib of volumes is not enforced on the local platform: they share this machine's disk"
        report(Progress("platform", "warning", location.address, note))
    _make_hosts(workshop, [change for change in others if change.kind == "host"], found, cidr, report)


def _make_network(workshop: Workshop, change: Change, found: Found, report: Report) -> str:
    """The network's range, made where it is missing."""
    location = workshop.location
    if change.action is Action.KEEP:
        return next(cidr for cidr in found.networks[0].cidrs if ":" not in cidr)
    if change.action is Action.FORBIDDEN:
        raise Refused(f"{location.address}: {'; '.join(change.reasons)}")
    if change.action is Action.REPLACE:
        workshop.podman.text("network", "rm", found.networks[0].name)
    name = labels.object_name(workshop.context.site, location.address)
    cidr = _create_network(workshop, name)
    report(Progress("platform", "step", location.address, f"made network {name} {cidr}", is_changed=True))
    return cidr


def _create_network(workshop: Workshop, name: str) -> str:
    location, podman = workshop.location, workshop.podman
    marks = labels.label_arguments(labels.common_labels(workshop.context, location.address))
    taken = (
        *ranges_of_networks(podman.networks()),
        *ranges_of_machine(),
        *ranges_of_locations(one for one in workshop.context.locations if one.address != location.address),
    )
    free = free_ranges(taken, host_count=len(location.hosts), seed=f"{workshop.context.site}/{location.address}")
    for cidr, _ in zip([location.cidr] if location.cidr else free, range(_RANGES_TRIED), strict=False):
        try:
            podman.text("network", "create", *marks, "--subnet", cidr, name)
        except PlatformFailed as failed:
            # podman has the last word on what is free: another run may have taken it since.
            if _RANGE_TAKEN not in failed.message or location.cidr:
                raise _explained(failed, workshop, name) from failed
        else:
            return cidr
    raise PlatformFailed(
        f"{location.address}: no free address range was found in 10.64.0.0/10",
        hint="set one that is free: network: { cidr: ... } in the site file",
    )


def _explained(failed: PlatformFailed, workshop: Workshop, name: str) -> PlatformFailed:
    """Why a network could not be created, in the words of the site file."""
    where, cidr = workshop.location.address, workshop.location.cidr
    networks = workshop.podman.networks()
    if any(one.name == name for one in networks):
        message = f"{where}: there is a podman network '{name}' that is not of this site"
        return PlatformFailed(
            message, hint=f"see `podman network inspect {name}`; rename the site or remove that network"
        )
    if cidr is not None and _RANGE_TAKEN in failed.message:
        taken = overlaps(cidr, (*ranges_of_networks(networks), *ranges_of_machine()))
        by = f"{taken.network} of {taken.by}" if taken else "something on this machine"
        message = f"{where}: network {cidr} overlaps {by}"
        return PlatformFailed(message, hint="set another network.cidr, or leave it out: a free one is then picked")
    return failed


def _make_volume(workshop: Workshop, address: str, report: Report) -> None:
    volume = next(one for one in workshop.location.volumes if one.address == address)
    location = workshop.location.address
    host = volume.host.removeprefix(f"{location}/")
    name = labels.object_name(workshop.context.site, location, volume.store, host)
    marks = labels.common_labels(workshop.context, location) | {labels.STORE: volume.store, labels.HOST: host}
    workshop.podman.text("volume", "create", *labels.label_arguments(marks), name)
    report(Progress("platform", "step", volume.host, f"made volume {address}", is_changed=True))


def _make_hosts(workshop: Workshop, changes: list[Change], found: Found, cidr: str, report: Report) -> None:
    """Hosts made, updated and greeting by SSH, several at a time; one that fails never stops another."""
    location = workshop.location
    hosts = {host.address: host for host in location.hosts}
    containers = {f"{location.address}/{one.labels.get(labels.HOST)}": one for one in found.containers}
    addresses, spare = _addresses(location, containers, cidr)

    def act(change: Change) -> None:
        host, container = hosts[change.address], containers.get(change.address)
        if change.action in {Action.CREATE, Action.REPLACE} or container is None:
            _remove_host(workshop, host.name, container, found)
            container = _make_host(workshop, host, addresses[host.address], spare)
            reason = f" ({'; '.join(change.reasons)})" if change.reasons else ""
            report(Progress("platform", "step", host.address, f"made the host{reason}", is_changed=True))
        elif change.action is Action.UPDATE:
            container = bring_in_order(workshop, host, container)
            report(Progress("platform", "step", host.address, "; ".join(change.reasons), is_changed=True))
        for warning in _warnings(workshop, host, container):
            report(Progress("platform", "warning", host.address, warning))
        wait_for_ssh(workshop.podman, workshop.context, container)

    def remove(change: Change) -> None:
        name = change.address.removeprefix(f"{location.address}/")
        _remove_host(workshop, name, containers.get(change.address), found)
        report(Progress("platform", "step", change.address, "removed: no longer in the site file", is_changed=True))

    each_or_raise([change for change in changes if change.action is not Action.DELETE], act)
    each_or_raise([change for change in changes if change.action is Action.DELETE], remove)


def _make_host(workshop: Workshop, host: DesiredHost, address: str, spare: deque[str]) -> Container:
    """Made at `address`, or at the first spare one that podman gives out."""
    while True:
        try:
            return create_host(workshop, host, address)
        except PlatformFailed as failed:
            # A podman that is killed in the middle of a start keeps the address until its network is removed.
            if _ADDRESS_TAKEN not in failed.message or not spare:
                raise
        name = labels.object_name(workshop.context.site, workshop.location.address, host.name)
        remove_container(workshop.podman, name)
        address = spare.popleft()


def _addresses(
    location: DesiredLocation, containers: Mapping[str, Container], cidr: str
) -> tuple[dict[str, str], deque[str]]:
    """Each host's address: the one it has, or else the lowest free one, by the site file's order; and some more."""
    own = {address: one.labels.get(labels.ADDRESS, "") for address, one in containers.items()}
    free = free_addresses(cidr, own.values())
    given = {host.address: own.get(host.address) or next(free, "") for host in location.hosts}
    if not all(given.values()):
        raise PlatformFailed(
            f"{location.address}: network {cidr} has no address for {sum(not one for one in given.values())} hosts",
            hint="give the location a larger network.cidr",
        )
    return given, deque(islice(free, _SPARE_ADDRESSES))


def _remove_host(workshop: Workshop, name: str, container: Container | None, found: Found) -> None:
    """Remove what there is of a host, also what only podman's storage knows; its volumes stay."""
    if container is not None and is_ours(container.labels, workshop.context.site, workshop.location.address):
        remove_container(workshop.podman, container.id)
    stored = labels.object_name(workshop.context.site, workshop.location.address, name)
    if stored in found.half_made:
        remove_container(workshop.podman, stored)


def _warnings(workshop: Workshop, host: DesiredHost, container: Container) -> Iterator[str]:
    """What of the host's size does not hold, in words."""
    cpus, memory_gib = host.machine.cpus, host.machine.memory_gib
    if (cpus, memory_gib) != (None, None) and live_limits(container) is None:
        yield "machine.cpus and machine.memory_gib cannot be enforced: podman may not limit containers here"
    if cpus is not None and cpus > machine_cpus():
        yield f"machine.cpus is {cpus:g}, but this machine has {machine_cpus()}"
    if host.machine.type or host.machine.disk_gib:
        yield "machine.type and machine.disk_gib mean nothing on the local platform"
    if container.labels.get(labels.IMAGE, workshop.image) != workshop.image:
        yield f"it runs on an older host image; to renew it: podman rm --force {container.name}, then run up"


def each_or_raise(changes: Iterable[Change], act: Callable[[Change], None]) -> None:
    """Act on every change, several at a time; every failure is told, in one `PlatformFailed`."""

    def attempt(change: Change) -> Problem | None:
        try:
            act(change)
        except LeptonError as error:
            return Problem("local.host", error.message, error.hint, where=change.address)
        return None

    with ThreadPoolExecutor(max_workers=HOSTS_AT_ONCE) as pool:
        problems = tuple(problem for problem in pool.map(attempt, changes) if problem is not None)
    if not problems:
        return
    first = f"{problems[0].where}: {problems[0].message}"
    message = first if len(problems) == 1 else f"{len(problems)} hosts failed; the first: {first}"
    raise PlatformFailed(message, hint=problems[0].hint, problems=problems)
