"""Diff: what has to change so that what is there becomes what should be. Pure; unknown stays unknown."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from leptonctl.planning import hdfs
from leptonctl.planning.ceph import refused_ceph_edits
from leptonctl.planning.derived import unknown_targets
from leptonctl.planning.elsewhere import is_going, refused
from leptonctl.planning.kubeadm import refused_edits
from leptonctl.planning.monitoring import SERVER
from leptonctl.planning.observed import Reach, RoleState
from leptonctl.planning.order import waves
from leptonctl.planning.plan import Action, Change, HostPlan, LocationPlan, Plan, RolePlan, digest_of
from leptonctl.planning.removal import gone_roles
from leptonctl.planning.resources import resource_changes
from leptonctl.planning.rollout import roll_over, together
from leptonctl.planning.service import Service, service_note, service_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from leptonctl.planning.desired import Desired, DesiredHost, DesiredLocation
    from leptonctl.planning.observed import Elsewhere, HostLook, Observed, ObservedResource, RoleLook
    from leptonctl.planning.rollout import Rollout


def diff(
    desired: Desired,
    observed: Observed,
    *,
    whole: Desired | None = None,
    strays: tuple[ObservedResource, ...] = (),
    named: Collection[str] = (),
    delete_data: frozenset[str] = frozenset(),
) -> Plan:
    """Everything that has to change, in order.

    `strays` carry the site's mark but belong to locations that the site file no longer has: hosts and networks are
    deleted, data is kept. Where `desired` is a part of a site (`--only`), `whole` is all of it: machines are compared
    with the whole location, so that a host that was left out does not look like one too many. `named` are the hosts
    that the operator named: they are changed also while they are out of service. `delete_data` has the roles whose data
    goes with them, as `HOST:ROLE`.
    """
    everything = whole or desired
    locations = {location.address: location for location in everything.locations}
    waiting = unknown_targets(everything, hostnames(observed))
    plans = tuple(
        _location(
            location,
            locations[location.address],
            observed,
            waiting,
            delete_data=delete_data,
        )
        for location in desired.locations
    )
    return Plan(
        site=desired.site,
        is_observed=bool(observed.locations or observed.unanswered),
        waves=waves({location.address: location.depends_on for location in desired.locations}),
        locations=plans,
        removed=tuple(
            _removal(stray) for stray in strays if not (is_going(stray) and _elsewhere(observed, stray.location))
        ),
        desired_digest=desired_digest(desired),
        rollouts=_rollouts(desired, plans, named),
    )


def _rollouts(desired: Desired, plans: tuple[LocationPlan, ...], named: Collection[str]) -> tuple[Rollout, ...]:
    """In which batches the roles will run, as far as hosts can be asked now."""
    changing = {
        host.address: bool(plan.note or host.note)
        for plan in plans
        for host in plan.hosts
        if host.changing_roles and (host.service is not Service.OUT or host.address in named)
    }
    if not changing:
        return ()
    barred = {address for address, is_barred in changing.items() if is_barred}
    fresh = {host.address for plan in plans for host in plan.hosts if _is_fresh(host)}
    found = (
        roll_over(members, changing=changing.keys() - barred, barred=barred, fresh=fresh)
        for members in together(desired.locations)
    )
    return tuple(rollout for rollout in found if rollout.batches or rollout.barred)


def _is_fresh(host: HostPlan) -> bool:
    """Whether no role ever ran there: the host is still to be made, or has no manifest."""
    return host.hostname is None or (not host.gone_roles and all(role.state == RoleState.NEW for role in host.roles))


def desired_digest(desired: Desired) -> str:
    """A digest of what the site file means: comments and order of keys do not change it, values do."""
    bare = (replace(location, hosts=(), section=None) for location in desired.locations)
    return digest_of([[asdict(one), _hosts(location)] for one, location in zip(bare, desired.locations, strict=True)])


def hostnames(observed: Observed) -> dict[str, str]:
    """How each host that runs is reached now by the site's other hosts, by address."""
    return {
        address: endpoint.site_hostname or endpoint.hostname
        for location in observed.locations.values()
        if location is not None
        for address, endpoint in location.endpoints.items()
    }


def _hosts(location: DesiredLocation) -> list[object]:
    """Hosts as JSON; roles are shared between hosts of a group, so they are written once."""
    roles = {id(host.roles): host.roles for host in location.hosts}
    shared = {key: digest_of([[role.name, role.settings] for role in value]) for key, value in roles.items()}
    named = [host for host in location.hosts if not host.is_scaled]
    return [
        [
            host.address,
            host.group,
            host.machine.model_dump(),
            shared[id(host.roles)],
            host.volumes,
            str(host.connection),
        ]
        for host in named
    ]


def _elsewhere(observed: Observed, location: str) -> tuple[Elsewhere, ...]:
    return tuple(one for one in observed.elsewhere if one.location == location)


def _location(
    location: DesiredLocation,
    whole: DesiredLocation,
    observed: Observed,
    waiting: tuple[str, ...],
    *,
    delete_data: frozenset[str],
) -> LocationPlan:
    address = location.address
    changes: tuple[Change, ...]
    if found := _elsewhere(observed, address):
        changes = (refused(location, found),)
    elif address in observed.locations:
        changes = resource_changes(whole, observed.locations[address])
    else:
        changes = tuple(replace(change, action=Action.UNKNOWN) for change in resource_changes(whole, None))
    edits = (*refused_edits(location, observed.looks), *refused_ceph_edits(location, observed.looks))
    reasons = dict.fromkeys((*(reason for _, reason in edits), *hdfs.refused_edits(location, observed.looks)))
    changes += tuple(Change(Action.FORBIDDEN, "cluster", address, address, (reason,)) for reason in reasons)
    created = {c.address for c in changes if c.kind == "host" and c.action in {Action.CREATE, Action.REPLACE}}
    there = observed.locations.get(address)
    endpoints = there.endpoints if there is not None else {}
    return LocationPlan(
        address=address,
        tier=location.tier,
        platform=location.platform,
        depends_on=location.depends_on,
        changes=changes,
        hosts=tuple(
            _host(
                location,
                host,
                hostname=endpoints[host.address].hostname if host.address in endpoints else None,
                look=observed.looks.get(host.address),
                is_created=host.address in created,
                waiting=waiting,
                delete_data=delete_data,
            )
            for host in location.hosts
        ),
        note=observed.unanswered.get(address),
    )


def _host(  # noqa: PLR0913 - what is known of it, by name
    location: DesiredLocation,
    host: DesiredHost,
    *,
    hostname: str | None,
    look: HostLook | None,
    is_created: bool,
    waiting: tuple[str, ...],
    delete_data: frozenset[str],
) -> HostPlan:
    if is_created:
        return HostPlan(host.address, None, _unknown_roles(host, "the host does not exist yet"))
    if look is None:
        reason = "not looked at" if hostname is None else "the host was not asked"
        known = host.connection.hostname if host.connection else hostname
        return HostPlan(host.address, known, _unknown_roles(host, reason))
    if look.reach != Reach.OK:
        return HostPlan(host.address, hostname, _unknown_roles(host, look.detail), note=look.detail)
    roles = tuple(_role(role.name, look.roles.get(role.name), waiting) for role in host.roles)
    service = service_of(location, host, look)
    return HostPlan(
        host.address,
        hostname,
        roles,
        gone_roles=gone_roles(host.address, look.gone_roles, delete_data),
        service=service,
        gate=service_note(service, look),
    )


def _unknown_roles(host: DesiredHost, reason: str) -> tuple[RolePlan, ...]:
    return tuple(RolePlan(role.name, RoleState.UNKNOWN, (reason,)) for role in host.roles)


def _role(name: str, look: RoleLook | None, waiting: tuple[str, ...]) -> RolePlan:
    if look is None:
        return RolePlan(name, RoleState.UNKNOWN, ("the look did not answer for this role",))
    reasons = (
        *(difference.message for difference in look.differences),
        *(f"setting {setting} changed" for setting in look.changed_settings),
    )
    if look.state == RoleState.IN_ORDER and name == SERVER and waiting:
        return RolePlan(name, RoleState.SETTINGS_CHANGED, (f"targets: {len(waiting)} hosts will be added",))
    return RolePlan(name, look.state, reasons)


def _removal(stray: ObservedResource) -> Change:
    action = Action.DELETE if is_going(stray) else Action.KEEP
    reason = "data is kept until it is named" if stray.is_data else "its location is not in the site file"
    if stray.stands_under:
        reason = f"kept with {stray.stands_under}, which stands on it"
    return Change(action, stray.kind, stray.address, stray.location, (reason,), is_data=stray.is_data)
