"""Operations of the engine that were begun and whose end its state does not know. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leptonctl.platforms.pulumi_state import Deployment


@dataclass(frozen=True, slots=True)
class PendingOperation:
    """An operation that was begun and whose end the state does not know. `kind` is the engine's word (`creating`)."""

    kind: str
    urn: str
    type: str
    inputs: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The resource's name in the program."""
        return self.urn.rpartition("::")[2]


def pending_operations(state: Deployment) -> tuple[PendingOperation, ...]:
    """The operations of a state without a known end."""
    return tuple(
        PendingOperation(
            one["type"], one["resource"]["urn"], one["resource"]["type"], one["resource"].get("inputs") or {}
        )
        for one in state["deployment"].get("pending_operations") or ()
    )


def with_adopted(state: Deployment, found: Mapping[str, str]) -> Deployment:
    """The state without pending operations, and with those resources in it that were found: URN -> id in the cloud.

    An adopted resource stands last: it depends only on what was complete before it was begun. Its outputs are its
    inputs until the next refresh reads it.
    """
    deployment = dict(state["deployment"])
    pending = deployment.pop("pending_operations", None) or []
    resources = list(deployment.get("resources") or [])
    known = {one["urn"] for one in resources}
    for one in pending:
        resource = one["resource"]
        if one["type"] == "creating" and resource["urn"] in found and resource["urn"] not in known:
            made = {**resource, "id": found[resource["urn"]], "outputs": dict(resource.get("inputs") or {})}
            resources.append({**made, "custom": True})
    return {**state, "deployment": {**deployment, "resources": resources}}
