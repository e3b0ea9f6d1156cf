"""Scaling groups: their hosts have no names in the site file, and become hosts of it when they were seen. Pure.

Platforms say of a `group` these properties: `min`, `max`, `desired` (None: not known) and `host_count`; of a host that
belongs to one `scaling`, the group's address.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from leptonctl.planning.desired import DesiredHost
from leptonctl.planning.plan import Action, Change

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.planning.desired import Desired, DesiredLocation, DesiredRole, DesiredScaling
    from leptonctl.planning.observed import Observed, ObservedLocation, ObservedResource

# Of an instance's id, from its end: so few that two hosts of a site never meet, and short enough for a host name.
_ID_LENGTH = 10


def scaled_name(group: str, instance_id: str) -> str:
    """The name of a scaling group's host, which never changes: `serve-2f3a01b7c4` for `i-0e51d2f3a01b7c4`."""
    return f"{group}-{instance_id.rpartition('-')[2][-_ID_LENGTH:]}"


def with_observed_hosts(want: Desired, observed: Observed) -> Desired:
    """The site with the hosts that its scaling groups have now, each as the site file wants the hosts of its group.

    Hosts of an earlier look that are no longer there are no longer in it. A location that gave no answer has none.
    """
    return replace(
        want,
        locations=tuple(
            _with_hosts(location, observed.locations.get(location.address)) if location.scaling else location
            for location in want.locations
        ),
    )


def every_role(want: Desired) -> Iterator[DesiredRole]:
    """Every role of the site, also those of scaling groups whose hosts have not been seen; shared ones come again."""
    for location in want.locations:
        for one in (*location.hosts, *location.scaling):
            yield from cast("DesiredHost | DesiredScaling", one).roles


def is_of_scaling_group(location: DesiredLocation, address: str) -> bool:
    """Whether a host's address can be one of the location's scaling groups, whose hosts may not have been seen yet."""
    return any(address.startswith(f"{group.address}-") for group in location.scaling)


def group_changes(desired: DesiredLocation, observed: ObservedLocation | None) -> Iterator[Change]:
    """What has to change in the location's scaling groups, and which go."""
    there = {one.address: one for one in observed.resources if one.kind == "group"} if observed else {}
    for group in desired.scaling:
        yield _change(group, there.get(group.address), desired.address)
    for address in sorted(there.keys() - {group.address for group in desired.scaling}):
        yield Change(Action.DELETE, "group", address, desired.address, ("no longer in the site file, with its hosts",))


def missing_hosts(group: DesiredScaling, observed: ObservedLocation | None) -> str | None:
    """What a scaling group lacks, in words; None where it has as many hosts as the site file asks for at least."""
    there = next((one for one in observed.resources if one.address == group.address), None) if observed else None
    if there is None or there.kind != "group":
        return f"scaling group {group.group} is not there"
    count, wanted = there.properties.get("host_count"), group.min if group.desired is None else group.desired
    if isinstance(count, int) and count < wanted:
        return f"scaling group {group.group} has {count} of {wanted} hosts"
    return None


def _with_hosts(location: DesiredLocation, there: ObservedLocation | None) -> DesiredLocation:
    groups = {group.address: group for group in location.scaling}
    # One that is only starting, or stopping, is no host yet, or no longer.
    found = [
        _host(one, groups[str(one.properties["scaling"])])
        for one in (there.resources if there is not None else ())
        if one.kind == "host" and one.status == "running" and one.properties.get("scaling") in groups
    ]
    named = [host for host in location.hosts if not host.is_scaled]
    return replace(location, hosts=(*named, *sorted(found, key=lambda host: host.address)))


def _host(there: ObservedResource, group: DesiredScaling) -> DesiredHost:
    return DesiredHost(
        address=there.address,
        name=there.address.rpartition("/")[2],
        group=group.group,
        machine=group.machine,
        roles=group.roles,
        is_scaled=True,
    )


def _change(group: DesiredScaling, there: ObservedResource | None, location: str) -> Change:
    if there is None:
        return Change(Action.CREATE, "group", group.address, location, (f"unknown hosts, {group.min}..{group.max}",))
    wanted = {"min": group.min, "max": group.max, "desired": group.desired}
    reasons = tuple(
        f"{name} {there.properties[name]} -> {value}"
        for name, value in wanted.items()
        if value is not None and there.properties.get(name) not in {None, value}
    )
    return Change(Action.UPDATE if reasons else Action.KEEP, "group", group.address, location, reasons)
