"""A target: one reachable host with the roles that it should have; what probes and Ansible are pointed at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leptonctl.planning.desired import DesiredRole, Tier
    from leptonctl.planning.observed import Endpoint


@dataclass(frozen=True, slots=True)
class Target:
    """A host that can be reached. `roles` are in running order; their settings are complete, secrets resolved never."""

    address: str
    name: str
    location: str
    tier: Tier
    endpoint: Endpoint
    roles: tuple[DesiredRole, ...]
