"""What a stack's state says of a location, and how the state is prepared so that data outlives everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leptonctl.planning import aws_tags
from leptonctl.planning.aws_types import LocationOutputs
from leptonctl.planning.comparison import MAIN_TYPES, Recorded, Thing
from leptonctl.planning.typed_json import ShapeError, from_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from leptonctl.planning.aws_types import PlannedResource
    from leptonctl.platforms.pulumi_state import Deployment

_STACK = "pulumi:pulumi:Stack"
_VOLUME = "aws:ebs/volume:Volume"
_BUCKET = "aws:s3/bucket:Bucket"
_BUCKET_PARTS = "aws:s3/bucket"
_ALL = "all"


def outputs_of(state: Deployment) -> LocationOutputs | None:
    """What the stack exported last; None where it was never made to its end."""
    for one in state["deployment"].get("resources") or ():
        if one["type"] == _STACK:
            try:
                return from_json(LocationOutputs, one.get("outputs") or {}, place="outputs")
            except ShapeError:
                return None
    return None


def region_of(state: Deployment | None) -> str | None:
    """The region that a state is of: as it exports it, else as the first thing in it tells; None where nothing does."""
    if state is None:
        return None
    outputs = outputs_of(state)
    if outputs is not None:
        return outputs.region
    for one in state["deployment"].get("resources") or ():
        told = one.get("outputs") or {}
        region = told.get("region") or str(told.get("arn") or ":::").split(":")[3]
        if region and one["type"].startswith("aws:"):
            return str(region)
    return None


def recorded_in(state: Deployment, planned: Iterable[PlannedResource]) -> tuple[Recorded, ...]:
    """The resources of the cloud that the state has. `planned` says what those belong to that carry no tags."""
    places = {(one.type, one.name): one for one in planned}
    return tuple(
        _recorded(one, places.get(_key(one))) for one in state["deployment"].get("resources") or () if _is_of_cloud(one)
    )


def things_in(recorded: Iterable[Recorded]) -> tuple[Thing, ...]:
    """Those of them that are things of the site by themselves."""
    return tuple(Thing(one.kind, one.address, one.id) for one in recorded if one.type in MAIN_TYPES)


def named_data(state: Deployment, delete_data: frozenset[str]) -> Deployment:
    """The state in which those stores may go that the operator has named: `LOCATION/STORE`, or `all`.

    A bucket that is named goes with its objects.
    """
    return _with(state, lambda one: _freed(one) if one.get("protect") and _is_named(one, delete_data) else one)


def kept_apart(state: Deployment) -> Deployment:
    """The state in which what is kept can outlive the rest.

    Volumes that are kept depend on nothing: the hosts they were attached to may go. What closes a bucket (its policy,
    its encryption) stays for as long as the bucket does, and goes with it.
    """
    resources = state["deployment"].get("resources") or ()
    kept_buckets = {one.get("id") for one in resources if one["type"] == _BUCKET and one.get("protect")}

    def apart(one: dict[str, Any]) -> dict[str, Any]:
        if one["type"] == _VOLUME and one.get("protect"):
            return {**one, "dependencies": [], "propertyDependencies": {}}
        if one["type"].startswith(_BUCKET_PARTS) and one["type"] != _BUCKET:
            return {**one, "protect": (one.get("inputs") or {}).get("bucket") in kept_buckets}
        return one

    return _with(state, apart)


def what_data_stands_on(state: Deployment) -> dict[str, str]:
    """The ids of what AWS cannot take away for as long as a store is kept, each with the store's address.

    The state is one that `kept_apart` gave: what outlives everything else stands on nothing in it. Where the state has
    still more than stores and what they stand on, nothing is kept for them yet: all of it is to be taken down first.
    """
    resources = {one["urn"]: one for one in state["deployment"].get("resources") or ()}
    found: dict[str, str] = {}
    for store in resources.values():
        address = _address(store) if store.get("protect") else ""
        waiting = list(store.get("dependencies") or ()) if address else []
        while waiting:
            one = resources.get(waiting.pop(), {})
            if one.get("id") and one["id"] not in found and not one.get("protect"):
                found[one["id"]] = address
                waiting += one.get("dependencies") or ()
    is_more = any(
        _is_of_cloud(one) and not one.get("protect") and one.get("id") not in found for one in resources.values()
    )
    return {} if is_more else found


def _address(one: Mapping[str, Any]) -> str:
    """The address in the site that a resource is marked with; empty where it has none, or keeps its tags in a list."""
    tags = (one.get("inputs") or {}).get("tags")
    return str(tags.get(aws_tags.ADDRESS, "")) if isinstance(tags, dict) else ""


def left_behind(state: Deployment, planned: Iterable[PlannedResource]) -> tuple[str, ...]:
    """The stores that the state has and the plan has not, as URNs with all that belongs to each: their data stays.

    What closes a bucket is protected together with it, so an `up` prepares the state by `kept_apart` first.
    """
    named = {(one.type, one.name) for one in planned}
    resources = state["deployment"].get("resources") or ()
    urns = [one["urn"] for one in resources if one.get("protect") and _key(one) not in named]
    return tuple(urns)


def _is_of_cloud(one: Mapping[str, Any]) -> bool:
    return bool(one.get("custom")) and not one["type"].startswith("pulumi:")


def _key(one: Mapping[str, Any]) -> tuple[str, str]:
    return one["type"], one["urn"].rpartition("::")[2]


def _recorded(one: Mapping[str, Any], planned: PlannedResource | None) -> Recorded:
    inputs = one.get("inputs") or {}
    tags = inputs.get("tags") or {}
    tags = tags if isinstance(tags, dict) else {}
    return Recorded(
        urn=one["urn"],
        type=one["type"].rpartition(":")[2],
        name=one["urn"].rpartition("::")[2],
        id=one.get("id") or "",
        kind=planned.role if planned else tags.get(aws_tags.ROLE, "network"),
        address=planned.address if planned else tags.get(aws_tags.ADDRESS, ""),
        inputs=inputs,
        needs=tuple(one.get("dependencies") or ()),
    )


def _with(state: Deployment, change: Any) -> Deployment:  # noqa: ANN401 - a function of a resource
    resources = [change(one) for one in state["deployment"].get("resources") or ()]
    return {**state, "deployment": {**state["deployment"], "resources": resources}}


def _is_named(resource: Mapping[str, Any], delete_data: frozenset[str]) -> bool:
    tags = (resource.get("inputs") or {}).get("tags") or {}
    address = tags.get(aws_tags.ADDRESS, "")
    store = f"{tags.get(aws_tags.LOCATION)}/{tags.get(aws_tags.STORE)}"
    return bool({_ALL, address, store} & delete_data)


def _freed(resource: dict[str, Any]) -> dict[str, Any]:
    freed = {**resource, "protect": False}
    if resource["type"] == _BUCKET:
        for part in ("inputs", "outputs"):
            freed[part] = {**(resource.get(part) or {}), "forceDestroy": True}
    return freed
