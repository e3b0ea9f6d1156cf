"""One look at a region: what is there of every location of the site, in nine list calls, whatever the size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leptonctl.planning.aws_cluster import is_of_kubernetes
from leptonctl.platforms.aws_clusters import clusters
from leptonctl.platforms.aws_listing import GROUPS, INSTANCES, SCALING_GROUPS, VOLUMES, VPCS, listed, tagged
from leptonctl.platforms.aws_rules import foreign_rules

if TYPE_CHECKING:
    from leptonctl.platforms.aws_cloud import AwsCloud
    from leptonctl.platforms.aws_listing import Found
    from leptonctl.platforms.aws_rules import ForeignRule

_THINGS = (VPCS, VOLUMES, INSTANCES, SCALING_GROUPS)
# Only what EC2 does not list itself; with everything, a thousand machines would be ten pages more.
_STORES = ("s3", "elasticfilesystem:file-system", "fsx:file-system")


@dataclass(frozen=True, slots=True)
class RegionLook:
    """What is there now: machines, their groups, volumes, networks, security groups, stores, clusters, foreign rules.

    What is on its way out is left out: it is of no use any more. So is what Kubernetes looks after: the machines of a
    cluster, and the volumes that pods claim.
    """

    found: tuple[Found, ...]
    rules: tuple[ForeignRule, ...]

    @property
    def locations(self) -> frozenset[str]:
        """The locations that something is there of."""
        return frozenset(one.location for one in self.found)

    def of(self, location: str) -> tuple[Found, ...]:
        """What is there of one location."""
        return tuple(one for one in self.found if one.location == location)

    def rules_of(self, location: str) -> tuple[ForeignRule, ...]:
        """The foreign rules in the security groups of one location."""
        return tuple(one for one in self.rules if one.location == location)


def look_at(cloud: AwsCloud, site: str, location: str | None = None) -> RegionLook:
    """Ask for everything of the site in this region, or of one location."""
    things = [one for listing in _THINGS for one in listed(cloud, listing, site, location)]
    things = [one for one in things if not is_of_kubernetes(one.tags)]
    groups = listed(cloud, GROUPS, site, location)
    found = (*things, *tagged(cloud, site, location, types=_STORES), *groups, *clusters(cloud, site, location))
    there = tuple(one for one in found if not one.is_going)
    return RegionLook(there, foreign_rules(cloud, site, groups))
