"""Observed: what is there, as platforms and hosts answered. Types only; the asking is done elsewhere.

Yes, no and unknown are three answers: a location that is absent from `Observed.locations` was not asked, one that maps
to None was read as absent, and one in `unanswered` was asked and could not be told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from leptonctl.planning.removal import is_any_removed

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime
    from pathlib import Path

    from leptonctl.health.verdict import Verdict
    from leptonctl.planning.actions import Action
    from leptonctl.planning.desired import ResourceKind
    from leptonctl.sitefile.model import PlatformName


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How a host is reached by SSH, now.

    `host_keys` are public keys (`ssh-ed25519 AAAA...`) that are pinned from outside SSH (planted at creation, or named
    in the site file); where empty, `known_hosts` is the file that must know the host (None: the user's own). The same
    holds for `jump_host_keys` and the jump host. `site_hostname` is how the site's other hosts reach it, where that
    differs. `started_at` (UTC) is when the machine was started, where the platform knows: a young one may still boot.
    """

    hostname: str
    port: int = 22
    user: str = "root"
    key: Path | None = None
    jump: str | None = None
    host_keys: tuple[str, ...] = ()
    known_hosts: Path | None = None
    jump_host_keys: tuple[str, ...] = ()
    site_hostname: str | None = None
    started_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ObservedResource:
    """A thing that is there and carries the site's mark. `status` is the platform's word (`running`, `exited`).

    `stands_under` is the address of a store with data that needs it, such as the network of a file system; "" for none.
    """

    kind: ResourceKind
    address: str
    location: str
    id: str
    status: str
    properties: Mapping[str, object] = field(default_factory=dict)
    is_data: bool = False
    platform: PlatformName = "local"
    stands_under: str = ""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Something that plan, state and cloud do not agree about. `action` is what `up` does about it.

    `text` says which of the three differs, and with which values, in the operator's words.
    """

    kind: ResourceKind
    address: str
    action: Action
    text: str


@dataclass(frozen=True, slots=True)
class ObservedLocation:
    """What is there of one location.

    `disagreements` are what the platform knows besides the resources: what is not as it was made.
    `endpoints` maps host address to how it is reached; a host that does not run, or whose address is not known, has
    none.
    """

    location: str
    resources: tuple[ObservedResource, ...]
    endpoints: Mapping[str, Endpoint]
    disagreements: tuple[Disagreement, ...] = ()


class Reach(StrEnum):
    """What came of connecting to a host."""

    OK = "ok"
    UNREACHABLE = "unreachable"
    HOST_KEY_CHANGED = "host_key_changed"
    HOST_KEY_UNKNOWN = "host_key_unknown"
    PERMISSION_DENIED = "permission_denied"
    FAILED = "failed"


class RoleState(StrEnum):
    """What is known of one role on one host."""

    IN_ORDER = "in_order"
    """The host was looked at, item by item, and is as its manifest says."""
    DIFFERS = "differs"
    """Something on the host is not as the manifest says."""
    SETTINGS_CHANGED = "settings_changed"
    """The role ran with other settings than the site file has now."""
    ROLE_CHANGED = "role_changed"
    """The role's own files are others than those that ran."""
    NEW = "new"
    """The role has never run to its end on this host."""
    NO_TRUSTED_MANIFEST = "no_trusted_manifest"
    """The host's manifest is missing, damaged, or not the one that leptonctl wrote last."""
    UNKNOWN = "unknown"
    """The host could not be asked, or its answer was not understood."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing on a host that is not as it should be. `message` is in the operator's words and names the thing."""

    role: str
    item: str
    message: str


@dataclass(frozen=True, slots=True)
class RoleLook:
    """One role on one host.

    `differences` are reported with every state, also where the role has to run for another reason. `not_observed` names
    the tasks whose effect cannot be seen by the probe; `changed_settings` the settings that are others now, and
    `former_settings` the values with which the role ran, as far as it had them; secrets are still references.
    """

    state: RoleState
    differences: tuple[Difference, ...] = ()
    not_observed: tuple[str, ...] = ()
    changed_settings: tuple[str, ...] = ()
    former_settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GateRecord:
    """What the health gate last said of a host, as it is kept on the host itself.

    `manifest` is the digest of the manifest that the host had then: after roles ran on it the record says nothing any
    more. `at` is UTC, ISO 8601; `reason` one line with serial number and action. `is_shadow`: it was only reported.
    `is_held`: it did not pass, and the breaker left it in service.
    """

    verdict: Verdict
    at: str
    manifest: str | None
    reason: str
    is_shadow: bool = False
    is_held: bool = False


@dataclass(frozen=True, slots=True)
class HostLook:
    """One host as it was at `looked_at` (UTC).

    With any other `reach` than `OK`, `detail` says what was in the way, every role is `UNKNOWN`, and `checks` is None.
    `checks` are the live checks that failed; None where none were asked for. `gone_roles` are roles in the manifest
    that the host should no longer have. `facts` is small: `os`, `python`. `gate` is None where the health gate never
    judged it, or what it said cannot be read.
    """

    address: str
    reach: Reach
    looked_at: datetime
    roles: Mapping[str, RoleLook]
    detail: str = ""
    checks: tuple[Difference, ...] | None = None
    gone_roles: tuple[str, ...] = ()
    manifest_digest: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    gate: GateRecord | None = None

    @property
    def is_in_order(self) -> bool:
        """Whether every role is in order and none is to be taken off; a check that failed is not looked at here."""
        return (
            self.reach == Reach.OK
            and all(role.state == RoleState.IN_ORDER for role in self.roles.values())
            and not is_any_removed(self.gone_roles)
        )

    def flaw_in(self, names: Collection[str]) -> str | None:
        """The first thing that does not hold of these roles, live checks among it; None where all of it does."""
        if self.reach != Reach.OK:
            return self.detail
        for name, role in self.roles.items():
            if name in names and role.state != RoleState.IN_ORDER:
                return role.differences[0].message if role.differences else f"{name}: {role.state.replace('_', ' ')}"
        return next((check.message for check in self.checks or () if check.role in names), None)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A location of the site file that has something on another platform. `text` is what, or why nobody knows."""

    location: str
    platform: PlatformName
    text: str


@dataclass(frozen=True, slots=True)
class Observed:
    """All answers of one look at a site. `elsewhere` are locations that are on another platform than the file says."""

    locations: Mapping[str, ObservedLocation | None] = field(default_factory=dict)
    unanswered: Mapping[str, str] = field(default_factory=dict)
    looks: Mapping[str, HostLook] = field(default_factory=dict)
    elsewhere: tuple[Elsewhere, ...] = ()


NOTHING_ASKED = Observed()
