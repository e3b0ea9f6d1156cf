"""A target: one reachable host with the roles that it should have; what probes and Ansible are pointed at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from leptonctl.planning.desired import DesiredRole, Settings, Tier
    from leptonctl.planning.observed import Endpoint


@dataclass(frozen=True, slots=True)
class Leaving:
    """A role to take off a host: `delete` are folders that go with it, `staying` the roles that the host keeps."""

    name: str
    delete: tuple[str, ...]
    staying: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """A host that can be reached. `roles` are in running order; their settings are complete, secrets resolved never.

    `leaving` are roles to take off before, in their order.
    """

    address: str
    name: str
    location: str
    tier: Tier
    endpoint: Endpoint
    roles: tuple[DesiredRole, ...]
    leaving: tuple[Leaving, ...] = ()

    def role(self, name: str) -> DesiredRole | None:
        """Its role of that name; None where it has none."""
        return next((role for role in self.roles if role.name == name), None)

    def with_settings(self, name: str, more: Settings) -> Target:
        """The same host, with `more` among the settings of its role of that name."""
        roles = tuple(
            replace(role, settings={**role.settings, **more}) if role.name == name else role for role in self.roles
        )
        return replace(self, roles=roles)


def by_address(targets: Iterable[Target]) -> dict[str, Target]:
    """The targets by their addresses in the site."""
    return {target.address: target for target in targets}
