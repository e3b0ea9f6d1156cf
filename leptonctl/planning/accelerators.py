"""What each host is declared to have beside its CPUs, and the policy that holds there: from the site alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leptonctl.health.policy import Policy, default_policy
from leptonctl.planning.gpus import declared_gpus

if TYPE_CHECKING:
    from leptonctl.health.readings import Declared
    from leptonctl.planning.desired import Desired
    from leptonctl.sitefile.model import Site


@dataclass(frozen=True, slots=True)
class Expected:
    """What a host's GPUs are judged by. `group` is `LOCATION/GROUP`, whose hosts compute together."""

    declared: Declared
    policy: Policy
    is_shadow: bool
    group: str


def expected_gpus(site: Site, want: Desired) -> dict[str, Expected]:
    """By host address, for every host of `want` whose group declares GPUs."""
    policy = default_policy()
    found: dict[str, Expected] = {}
    for location in want.locations:
        nodes = site.location(location.address).nodes
        for host in location.hosts:
            section = nodes[host.group].accelerators
            if section is not None and section.gpus is not None:
                own = policy.overridden(section.health.policy)
                group = f"{location.address}/{host.group}"
                found[host.address] = Expected(
                    declared_gpus(section, section.gpus, host.name), own, section.health.shadow, group
                )
    return found
