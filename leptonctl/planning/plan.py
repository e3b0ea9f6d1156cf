"""Plan: the difference between desired and observed, in order. The same value is shown by `plan` and done by `up`."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from leptonctl.planning.actions import Action
from leptonctl.planning.observed import RoleState

if TYPE_CHECKING:
    from leptonctl.planning.desired import ResourceKind, Tier
    from leptonctl.planning.removal import GoneRole
    from leptonctl.planning.rollout import Rollout
    from leptonctl.planning.service import Service
    from leptonctl.sitefile.model import PlatformName


__all__ = ["Action", "Change", "HostPlan", "LocationPlan", "Plan", "RolePlan", "digest_of"]


@dataclass(frozen=True, slots=True)
class Change:
    """One resource and what happens to it; `reasons` are in the operator's words (`memory_gib 1 -> 2`)."""

    action: Action
    kind: ResourceKind
    address: str
    location: str
    reasons: tuple[str, ...] = ()
    is_data: bool = False


@dataclass(frozen=True, slots=True)
class RolePlan:
    """A role on a host: how it compares now, and why it will run where it will."""

    name: str
    state: RoleState
    reasons: tuple[str, ...] = ()

    @property
    def runs(self) -> bool:
        """Whether `up` runs this role on this host."""
        return self.state != RoleState.IN_ORDER


@dataclass(frozen=True, slots=True)
class HostPlan:
    """A host and its roles in running order. `hostname` is None while unknown; `note` says what is in the way.

    `gone_roles` left the site file and are still on the host, in the order in which they go. `service` is what the
    health gate said of it, None where it declares no accelerators; `gate` says why it is judged, in the operator's
    words.
    """

    address: str
    hostname: str | None
    roles: tuple[RolePlan, ...]
    note: str | None = None
    gone_roles: tuple[GoneRole, ...] = ()
    service: Service | None = None
    gate: str | None = None

    @property
    def changing_roles(self) -> tuple[str, ...]:
        """The roles that `up` takes off the host, then those that it runs there."""
        going = (role.name for role in self.gone_roles if role.is_removed)
        return (*going, *(role.name for role in self.roles if role.runs))


@dataclass(frozen=True, slots=True)
class LocationPlan:
    """A location: its resources' changes in the order in which they happen, and its hosts."""

    address: str
    tier: Tier
    platform: PlatformName
    depends_on: tuple[str, ...]
    changes: tuple[Change, ...]
    hosts: tuple[HostPlan, ...]
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole change. `is_observed` is False for a plan made offline, where every state is unknown.

    `waves` are the locations that may change together, in order. `rollouts` has the batches in which hosts
    change, where there is something to change. `desired_digest` stands for the site file's meaning,
    `digest` for the whole plan: a plan with another digest would do something else.
    """

    site: str
    is_observed: bool
    waves: tuple[tuple[str, ...], ...]
    locations: tuple[LocationPlan, ...]
    removed: tuple[Change, ...]
    desired_digest: str
    rollouts: tuple[Rollout, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 over the plan's canonical JSON."""
        return digest_of(asdict(self))

    @property
    def changes(self) -> tuple[Change, ...]:
        """Every resource change, locations in order, those that left the site file last."""
        return (*(change for location in self.locations for change in location.changes), *self.removed)

    @property
    def forbidden(self) -> tuple[Change, ...]:
        """What the site file asks for and `up` refuses."""
        return tuple(change for change in self.changes if change.action is Action.FORBIDDEN)

    @property
    def is_in_order(self) -> bool:
        """Whether everything was looked at and nothing has to change."""
        return (
            self.is_observed
            and all(change.action is Action.KEEP for change in self.changes)
            and not any(host.changing_roles for location in self.locations for host in location.hosts)
            and not any(location.note for location in self.locations)
            and not any(host.gate for location in self.locations for host in location.hosts)
        )


def digest_of(value: object) -> str:
    """SHA-256 of a value's JSON with sorted keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":"), default=str).encode()).hexdigest()
