"""What has to change in a location's network, hosts and volumes. Pure: shown by `plan` and followed by the platforms.

Platforms say what they observed in these properties of a resource, all optional; one that is missing is not compared:
`cidr` of a network; of a host `cpus` and `memory_gib` (None: no limit), `mounts` (store name to path), `is_half_made`
(it never ran) and `has_site_key` (the site may log in).
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from leptonctl.planning.aws_cluster_changes import cluster_changes
from leptonctl.planning.aws_resources import surroundings
from leptonctl.planning.edited import with_edits
from leptonctl.planning.plan import Action, Change
from leptonctl.planning.scaling import group_changes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from leptonctl.planning.desired import DesiredHost, DesiredLocation
    from leptonctl.planning.observed import Disagreement, ObservedLocation, ObservedResource

ROOT_IS_LOST = "made anew: its root file system is lost, its volumes are kept"
# cgroups round to pages and to microseconds.
_TOLERANCE = 0.001
_STRONGEST_FIRST = (Action.REPLACE, Action.CREATE, Action.DELETE, Action.UPDATE)


def resource_changes(desired: DesiredLocation, observed: ObservedLocation | None) -> tuple[Change, ...]:
    """Every resource of the location and what happens to it.

    Network, volumes, stores, scaling groups, hosts, a cluster, then what goes (hosts first). On AWS the network stands
    for all that its hosts and stores need besides themselves; the reason says what that is.
    """
    found = {(one.kind, one.address): one for one in observed.resources} if observed else {}
    mounts: dict[str, dict[str, str]] = {}
    for volume in desired.volumes:
        mounts.setdefault(volume.host, {})[volume.store] = volume.mount_path
    if desired.platform == "ssh":
        return tuple(_existing_host(desired, host, observed) for host in desired.hosts)
    changes = (
        _network(desired, found.get(("network", desired.address))),
        *_volumes(desired, observed),
        *_stores(desired, observed),
        *group_changes(desired, observed),
        *(
            _host(host, found.get(("host", host.address)), location=desired.address, mounts=mounts)
            for host in desired.hosts
        ),
        *cluster_changes(
            desired.address, desired.aws.cluster if desired.aws else None, found.get(("cluster", desired.address))
        ),
        *_surplus_hosts(desired, observed),
    )
    edited = with_edits(changes, desired, observed)
    return _with_disagreements(edited, desired.address, observed.disagreements if observed else ())


def is_same_amount(there: object, wanted: float | None) -> bool:
    """Whether an observed amount is the wanted one, but for the rounding of cgroups; None is no limit."""
    if isinstance(there, int | float) and wanted is not None:
        return math.isclose(there, wanted, rel_tol=_TOLERANCE)
    return there is None and wanted is None


def _with_disagreements(
    changes: tuple[Change, ...], location: str, disagreements: tuple[Disagreement, ...]
) -> tuple[Change, ...]:
    """The changes with what plan, state and cloud do not agree about; what has no change of its own is the network's.

    Data is never taken away for it.
    """
    places = {(change.kind, change.address) for change in changes}
    said: dict[tuple[str, str], list[Disagreement]] = {}
    for one in disagreements:
        key = (one.kind, one.address) if (one.kind, one.address) in places else ("network", location)
        said.setdefault(key, []).append(one)
    return tuple(_disagreed(change, said.get((change.kind, change.address), [])) for change in changes)


def _disagreed(change: Change, said: list[Disagreement]) -> Change:
    if change.is_data:
        said = [one for one in said if one.action is not Action.DELETE]
    if not said:
        return change
    action = change.action
    if action in {Action.KEEP, Action.UPDATE}:
        own = [one.action for one in said if (one.kind, one.address) == (change.kind, change.address)]
        action = next((one for one in _STRONGEST_FIRST if one in own), Action.UPDATE)
    told = tuple(dict.fromkeys((*change.reasons, *(one.text for one in said))))
    return replace(change, action=action, reasons=told)


def _existing_host(desired: DesiredLocation, host: DesiredHost, observed: ObservedLocation | None) -> Change:
    is_known = observed is not None and host.address in observed.endpoints
    action = Action.KEEP if is_known else Action.UNKNOWN
    return Change(action, "host", host.address, desired.address)


def _network(desired: DesiredLocation, there: ObservedResource | None) -> Change:
    where = desired.address
    if there is None:
        reason = () if desired.cidr else ("a free range is picked when it is made",)
        if desired.aws is not None:
            reason = (f"with {surroundings(desired.aws)}",)
        return Change(Action.CREATE, "network", where, where, reason)
    cidr = there.properties.get("cidr")
    if desired.cidr and cidr is not None and cidr != desired.cidr:
        return Change(Action.REPLACE, "network", where, where, (f"cidr {cidr} -> {desired.cidr}",))
    return Change(Action.KEEP, "network", where, where)


def _volumes(desired: DesiredLocation, observed: ObservedLocation | None) -> Iterator[Change]:
    there = {one.address for one in observed.resources if one.kind == "volume"} if observed else set()
    wanted = {volume.address for volume in desired.volumes}
    for volume in desired.volumes:
        action = Action.KEEP if volume.address in there else Action.CREATE
        yield Change(action, "volume", volume.address, desired.address, is_data=True)
    for address in sorted(there - wanted):
        reason = "no longer in the site file; its data is kept"
        yield Change(Action.KEEP, "volume", address, desired.address, (reason,), is_data=True)


def _stores(desired: DesiredLocation, observed: ObservedLocation | None) -> Iterator[Change]:
    """Buckets and file systems (aws)."""
    if desired.aws is None:
        return
    there = {one.address for one in observed.resources if one.kind == "store"} if observed else set()
    wanted = [bucket.address for bucket in desired.aws.buckets]
    wanted += [system.address for system in desired.aws.file_systems]
    for address in wanted:
        action = Action.KEEP if address in there else Action.CREATE
        yield Change(action, "store", address, desired.address, is_data=True)
    for address in sorted(there - set(wanted)):
        reason = "no longer in the site file; its data is kept"
        yield Change(Action.KEEP, "store", address, desired.address, (reason,), is_data=True)


def _host(
    host: DesiredHost, there: ObservedResource | None, *, location: str, mounts: Mapping[str, Mapping[str, str]]
) -> Change:
    if there is None:
        return Change(Action.CREATE, "host", host.address, location)
    if there.properties.get("is_half_made"):
        # It never started, so there is nothing on it to lose, and nothing for the operator to allow.
        reasons = ("half-made: its creation was interrupted",)
        return Change(Action.CREATE, "host", host.address, location, reasons)
    replacing = tuple(_mount_reasons(mounts.get(host.address, {}), there.properties.get("mounts")))
    if replacing:
        return Change(Action.REPLACE, "host", host.address, location, (*replacing, ROOT_IS_LOST))
    updating = tuple(_update_reasons(host, there))
    return Change(Action.UPDATE if updating else Action.KEEP, "host", host.address, location, updating)


def _mount_reasons(wanted: Mapping[str, str], mounts: object) -> Iterator[str]:
    if not isinstance(mounts, dict):
        return
    for store in sorted(wanted.keys() | mounts.keys()):
        if store not in mounts:
            yield f"volume {store} is mounted at {wanted[store]}"
        elif store not in wanted:
            yield f"volume {store} is no longer mounted; its data is kept"
        elif mounts[store] != wanted[store]:
            yield f"volume {store} moves: mount_path {mounts[store]} -> {wanted[store]}"


def _update_reasons(host: DesiredHost, there: ObservedResource) -> Iterator[str]:
    if there.status != "running":
        yield f"{there.status} -> running"
    for name, wanted in (("cpus", host.machine.cpus), ("memory_gib", host.machine.memory_gib)):
        if name in there.properties and not is_same_amount(there.properties[name], wanted):
            yield f"{name} {_amount(there.properties[name])} -> {_amount(wanted)}"
    if there.properties.get("has_site_key") is False:
        yield "the site's SSH key is planted again"


def _surplus_hosts(desired: DesiredLocation, observed: ObservedLocation | None) -> Iterator[Change]:
    wanted = {host.address for host in desired.hosts}
    # The hosts of a scaling group come and go with it.
    scaling = {group.address for group in desired.scaling}
    there = [one for one in observed.resources if one.kind == "host"] if observed else []
    there = [one for one in there if one.properties.get("scaling") not in scaling]
    for one in sorted(there, key=lambda one: one.address, reverse=True):
        if one.address not in wanted:
            reason = "no longer in the site file"
            yield Change(Action.DELETE, "host", one.address, desired.address, (reason,))


def _amount(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else "no limit"
