"""Plan, state and cloud side by side: which of the three differs, thing by thing, in the operator's words. Pure.

The plan is what the site file asks for, the state is what leptonctl made last, the cloud is what is there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from leptonctl.planning.aws_cluster_resources import KUBERNETES
from leptonctl.planning.observed import Disagreement
from leptonctl.planning.plan import Action

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from leptonctl.planning.desired import ResourceKind

MAIN_TYPES = frozenset({"Vpc", "Instance", "Cluster", "Volume", "Bucket", "FileSystem", "LustreFileSystem"})
"""The types that are a thing of the site by themselves; all others are parts of one."""
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What the engine writes for a value that is known only when the thing has been made."""
SECRET = "[secret]"  # noqa: S105 - the engine's mark, not a secret
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SHOWN_LENGTH = 60
DELETED = "in the plan and in the state, not on AWS (deleted behind our back)"
LEFT = "in the state and not in the plan (left the site file)"
NEW = "in the plan, not in the state and not on AWS yet"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A resource in the state of a location's stack. `type` is the last part of Pulumi's (`Vpc`).

    `needs` are the URNs of the resources that it was made from; `inputs` what it was made with.
    """

    urn: str
    type: str
    name: str
    id: str
    kind: ResourceKind
    address: str
    inputs: Mapping[str, object] = field(default_factory=dict, repr=False)
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Previewed:
    """A resource as the engine would treat it, after it has read the cloud.

    `planned` is what the plan wants it to be, `found` what the cloud has; `names` are the properties that the engine
    says differ between the two.
    """

    urn: str
    type: str
    name: str
    kind: ResourceKind
    address: str
    action: Action
    names: tuple[str, ...] = ()
    planned: Mapping[str, object] = field(default_factory=dict, repr=False)
    found: Mapping[str, object] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Thing:
    """A thing of the site by its address, with its id in the cloud where it has one."""

    kind: ResourceKind
    address: str
    id: str = ""


def presence(
    planned: Iterable[Thing], recorded: Iterable[Thing] | None, found: Iterable[Thing]
) -> tuple[Disagreement, ...]:
    """Which things are in only some of plan, state and cloud. `recorded` is None where there is no state at all."""
    plan = {(one.kind, one.address) for one in planned}
    there = {(one.kind, one.address) for one in found}
    ids = {one.id for one in found}
    known = {one.id: one for one in recorded or ()}
    state = {(one.kind, one.address) for one in known.values()}
    said: list[Disagreement] = []
    for one in known.values():
        key = (one.kind, one.address)
        if one.id in ids:
            if key not in plan:
                said.append(Disagreement(one.kind, one.address, Action.DELETE, LEFT))
        elif key in plan and key not in there:
            said.append(Disagreement(one.kind, one.address, Action.CREATE, DELETED))
    said += [
        Disagreement(one.kind, one.address, Action.UPDATE, f"on AWS ({one.id}) and not in the state")
        for one in found
        if one.id not in known and (recorded is None or (one.kind, one.address) in plan | state)
    ]
    return tuple(said)


def properties(recorded: Iterable[Recorded], previewed: Sequence[Previewed]) -> tuple[Disagreement, ...]:
    """What the engine found to differ, with the three values of each property.

    What only follows from something else that is missing or made again is left out: an address that will change, the
    attachment of a volume to a machine that is gone.
    """
    known = {one.urn: one for one in recorded}
    made = {one.urn for one in previewed if one.action in {Action.CREATE, Action.REPLACE}}
    gone = {one.urn for one in previewed if one.action is Action.DELETE}
    said: list[Disagreement] = []
    for one in previewed:
        state = known.get(one.urn)
        if one.action is Action.CREATE:
            if one.type in MAIN_TYPES or state is None or not _follows(state, made, known):
                text = DELETED if state is not None else NEW
                said.append(_said(one, Action.CREATE, text.replace("on AWS", _where(one))))
        elif one.action is Action.DELETE:
            if one.type in MAIN_TYPES or state is None or not _follows(state, gone, known):
                said.append(_said(one, Action.DELETE, LEFT))
        elif one.action in {Action.UPDATE, Action.REPLACE}:
            texts = tuple(_values(one, state))
            said += [_said(one, one.action, text) for text in texts]
    return tuple(said)


def _said(one: Previewed, action: Action, text: str) -> Disagreement:
    """A part of a thing that is made again, or taken away, changes the thing."""
    if one.type in MAIN_TYPES:
        return Disagreement(one.kind, one.address, action, text)
    return Disagreement(one.kind, one.address, Action.UPDATE, f"{one.type} {one.name}: {text}")


def _follows(one: Recorded, changing: set[str], known: Mapping[str, Recorded]) -> bool:
    """Whether something that it was made from is among those that are made again, or go."""
    waiting, seen = list(one.needs), set[str]()
    while waiting:
        urn = waiting.pop()
        if urn in changing:
            return True
        if urn not in seen and urn in known:
            seen.add(urn)
            waiting += known[urn].needs
    return False


def _values(one: Previewed, state: Recorded | None) -> Iterator[str]:
    names, where = set(one.names), _where(one)
    planned = dict(_leaves({name: one.planned.get(name) for name in names}))
    found = dict(_leaves({name: one.found.get(name) for name in names}))
    recorded = dict(_leaves({name: state.inputs.get(name) for name in names})) if state else {}
    for path in sorted(planned.keys() | found.keys()):
        plan, cloud = planned.get(path), found.get(path)
        if UNKNOWN in {plan, cloud} or plan == cloud:
            continue
        last = recorded.get(path)
        if SECRET in {plan, cloud, last}:
            yield f"{path} differs (it is secret)"
        elif plan == last:
            both = _shown(plan)
            yield f"{path} is {_shown(cloud)} {where}, {both} in the plan and in the state (changed behind our back)"
        elif cloud == last:
            both = _shown(cloud)
            yield f"{path} is {_shown(plan)} in the plan, {both} in the state and {where} (the site file changed)"
        else:
            yield f"{path} is {_shown(plan)} in the plan, {_shown(last)} in the state, {_shown(cloud)} {where}"


def _where(one: Previewed) -> str:
    """Where a resource is: AWS, or inside a cluster."""
    types = one.urn.split("::")[2] if one.urn.count("::") > 1 else ""
    return "in the cluster" if types.rpartition("$")[2].startswith(KUBERNETES) else "on AWS"


def is_secret(value: object) -> bool:
    """Whether a value is one that the engine hides: sealed in the state, a mask in its events."""
    return value == SECRET or (isinstance(value, dict) and _SIGNATURE in value)


def _leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every plain value in a nested one, by its path: `metadataOptions.httpTokens`, `rules[0].bucketKeyEnabled`."""
    if is_secret(value):
        yield path, SECRET
    elif isinstance(value, dict):
        for name, item in value.items():
            if not name.startswith("__"):
                yield from _leaves(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value:
        for number, item in enumerate(value):
            yield from _leaves(item, f"{path}[{number}]")
    elif value not in (None, [], ""):
        yield path, value


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _SHOWN_LENGTH else f"{text[:_SHOWN_LENGTH]}..."
