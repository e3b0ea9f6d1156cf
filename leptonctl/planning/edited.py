"""Edited: which edits of the site file concern which thing that is there, and what then happens to it. Pure.

What was observed goes before what was applied last. Of AWS these properties are compared, where they were observed:
`type` and `root_gib` of a host, `size_gib` of a volume; `cidr`, `region` and `owner` of a network, and `section`, the
location's part of the site file that was applied last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from leptonctl.planning.aws_tags import tag_value
from leptonctl.planning.edits import Edit, edit_of, edits
from leptonctl.planning.observed import ObservedLocation, ObservedResource
from leptonctl.planning.plan import Action, Change
from leptonctl.sitefile.aws_model import Aws
from leptonctl.sitefile.effects import in_place
from leptonctl.sitefile.model import Machine, Network, Site
from leptonctl.sitefile.stores.volume import Volume

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.planning.aws_types import GroupArgs
    from leptonctl.planning.desired import DesiredLocation
    from leptonctl.planning.edits import Path
    from leptonctl.sitefile.base import Frozen

Thing = tuple[str, str]
"""Kind and address of a resource."""

There = Mapping[Thing, ObservedResource]

_WEIGHT = (Action.KEEP, Action.UPDATE, Action.REPLACE, Action.FORBIDDEN)
# Where a thing has its name in the path of an edit: `nodes.train`, `aws.buckets.models`.
_NAMED_AT = {("nodes",): 2, ("storage",): 2, ("aws", "buckets"): 3, ("aws", "file_systems"): 3}
_NAMED_BY = {"host": 2, "group": 2, "volume": 2, "store": 3}
# Keys that only machines of later are started with: nothing is done to the hosts that are there.
_OF_TEMPLATES = {("aws", "reservation"), ("aws", "fallback_types")}
# A scaling group's hosts come and go: nothing is done to those that are there.
_FOR_NEW_HOSTS = in_place("it holds for hosts that are started from now on")
# Keys whose effect is seen in things that come and go: hosts and volumes themselves.
_SEEN_ELSEWHERE = {"nodes": {"count", "hosts", "scaling"}, "storage": {"nodes", "mount_path"}}


@dataclass(frozen=True, slots=True)
class _Fact:
    """A key that was observed of a thing: what is there and what should be. `before` is None where it was not seen."""

    thing: Thing
    model: type[Frozen]
    path: Path
    before: object
    after: object


def with_edits(
    changes: tuple[Change, ...], desired: DesiredLocation, observed: ObservedLocation | None
) -> tuple[Change, ...]:
    """The changes of a location, where an edit of the site file needs more: its reasons say what the edit does."""
    if observed is None:
        return changes
    found = edits_by_thing(desired, observed)
    return tuple(_with(change, found.get((change.kind, change.address), ())) for change in changes)


def edits_by_thing(desired: DesiredLocation, observed: ObservedLocation) -> dict[Thing, tuple[Edit, ...]]:
    """The edits of each thing that is there, in the model's order."""
    there: There = {(one.kind, one.address): one for one in observed.resources}
    found: dict[Thing, list[Edit]] = {}
    known: set[tuple[Thing, Path]] = set()
    for fact, edit in _observed(desired, there):
        # What was asked of the cloud is not asked of the older text again, whatever the answer was.
        known.add((fact.thing, fact.path))
        if edit is not None:
            found.setdefault(fact.thing, []).append(edit)
    network = there.get(("network", desired.address))
    section = network.properties.get("section") if network is not None else None
    if desired.section is not None and isinstance(section, str):
        for edit in edits(section, desired.section):
            for thing in _things(edit, desired, there):
                if (thing, edit.path) not in known:
                    own = replace(edit, does=_FOR_NEW_HOSTS) if thing[0] == "group" else edit
                    found.setdefault(thing, []).append(own)
    return {thing: tuple(found[thing]) for thing in found}


def _with(change: Change, found: tuple[Edit, ...]) -> Change:
    if not found or change.action not in _WEIGHT:
        return change
    action = max((change.action, *(edit.action for edit in found)), key=_WEIGHT.index)
    if action is Action.KEEP:
        return change
    if action is Action.FORBIDDEN:
        reasons = tuple(edit.text() for edit in found if edit.action is Action.FORBIDDEN)
    else:
        above = _NAMED_BY.get(change.kind, 0)
        reasons = (
            *change.reasons,
            *(edit.text(edit.path[:above]) for edit in found if edit.action is not Action.KEEP),
        )
    return replace(change, action=action, reasons=reasons)


def _things(edit: Edit, desired: DesiredLocation, there: There) -> list[Thing]:
    """The things that are there and that an edit of the site file concerns; the network stands for all the rest."""
    path, network = edit.path, [("network", desired.address)]
    depth = _NAMED_AT.get(path[:1]) or _NAMED_AT.get(path[:2])
    if depth is None:
        return network
    if path[0] == "nodes" and path[depth:] in _OF_TEMPLATES:
        return network
    if len(path) == depth or path[depth] in _SEEN_ELSEWHERE.get(path[0], ()):
        return []
    name = f"{desired.address}/{path[depth - 1]}"
    if path[0] == "nodes":
        hosts = [("host", one.address) for one in desired.hosts if one.group == path[1] and not one.is_scaled]
        return [thing for thing in (("group", name), *hosts) if thing in there] or network
    if path[0] == "storage":
        volumes = [("volume", one.address) for one in desired.volumes if one.store == path[1]]
        return [thing for thing in volumes if thing in there]
    return [("store", name)]


def _observed(desired: DesiredLocation, there: There) -> Iterator[tuple[_Fact, Edit | None]]:
    """Every key that was observed, with its edit; None where it is as it should be."""
    for fact in (*_of_network(desired, there), *_of_hosts(desired, there), *_of_volumes(desired, there)):
        key = fact.path[-1]
        if fact.before is None:
            continue
        if key == "type" and fact.before in _types_of(desired, fact.path[1]):
            yield fact, None
        else:
            effects = fact.model.effects_of(key)
            yield fact, edit_of(effects, fact.path, before=fact.before, after=fact.after, platform=desired.platform)


def _of_network(desired: DesiredLocation, there: There) -> Iterator[_Fact]:
    thing = ("network", desired.address)
    network = there.get(thing)
    if network is None:
        return
    # A local network without hosts is simply made again.
    has_hosts = any(kind == "host" for kind, _ in there)
    if desired.cidr and (has_hosts or desired.platform != "local"):
        yield _Fact(thing, Network, ("network", "cidr"), network.properties.get("cidr"), desired.cidr)
    if desired.aws is not None:
        yield _Fact(thing, Aws, ("aws", "region"), network.properties.get("region"), desired.aws.region)
        yield _Fact(thing, Site, ("owner",), network.properties.get("owner"), tag_value(desired.aws.owner))


def _of_hosts(desired: DesiredLocation, there: There) -> Iterator[_Fact]:
    groups = {group.name: group for group in (desired.aws.groups if desired.aws else ())}
    for host in desired.hosts:
        one = there.get(("host", host.address))
        if one is not None and host.group in groups and not host.is_scaled:
            group, above = groups[host.group], ("nodes", host.group, "machine")
            thing, found = ("host", host.address), one.properties
            yield _Fact(thing, Machine, (*above, "type"), found.get("type"), group.machine_type)
            yield _Fact(thing, Machine, (*above, "disk_gib"), found.get("root_gib"), group.root_gib)


def _of_volumes(desired: DesiredLocation, there: There) -> Iterator[_Fact]:
    for volume in desired.volumes if desired.aws else ():
        one = there.get(("volume", volume.address))
        if one is not None:
            path = ("storage", volume.store, "size_gib")
            yield _Fact(("volume", volume.address), Volume, path, one.properties.get("size_gib"), volume.size_gib)


def _types_of(desired: DesiredLocation, group: str) -> tuple[str, ...]:
    """The machine types that a group's hosts may have."""
    found: GroupArgs = next(one for one in desired.aws.groups if one.name == group)  # type: ignore[union-attr]
    return found.machine_types
