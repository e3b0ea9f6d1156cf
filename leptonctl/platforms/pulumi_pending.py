"""Operations of the engine that were begun and whose end its state does not know. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leptonctl.platforms.pulumi_state import Deployment


@dataclass(frozen=True, slots=True)
class PendingOperation:
    """An operation that was begun and whose end the state does not know. `kind` is the engine's word (`creating`).

    `parent` and `provider` are the engine's references to them; "" where the state has them itself.
    """

    kind: str
    urn: str
    type: str
    inputs: Mapping[str, Any]
    parent: str = ""
    provider: str = ""

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


def with_unanswered(state: Deployment, unanswered: Sequence[PendingOperation]) -> Deployment:
    """The state with these operations as pending ones: where no answer came, the engine takes them for not done.

    Each is said to depend on everything that there is: it was begun after that, and has to go before it.
    """
    deployment = dict(state["deployment"])
    resources = deployment.get("resources") or []
    pending = list(deployment.get("pending_operations") or [])
    known = {one["urn"] for one in (*resources, *(one["resource"] for one in pending))}
    before = [one["urn"] for one in resources if one.get("custom") and not one["type"].startswith("pulumi:")]
    pending += [
        {
            "type": one.kind,
            "resource": {
                "urn": one.urn,
                "custom": True,
                "type": one.type,
                "inputs": dict(one.inputs),
                "parent": one.parent,
                "provider": one.provider,
                "dependencies": before,
            },
        }
        for one in unanswered
        if one.urn not in known
    ]
    return {**state, "deployment": {**deployment, "pending_operations": pending}}
