"""Capacity: the zone and machine type of each host, and what comes next where AWS has none. Pure.

The order is: every zone that the host may be in, its own first, with the wanted type; then the same with each fallback
type. Scaling groups are not seen here: AWS itself goes on to their next type and zone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from leptonctl.planning.aws_types import GroupArgs, HostArgs, LocationArgs, LocationOutputs

# Of the EC2 API's error codes those that another zone or machine type may help against:
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
_NO_CAPACITY = re.compile(
    r"\b(InsufficientInstanceCapacity|InsufficientHostCapacity|InsufficientCapacity|SpotMaxPriceTooLow"
    r"|Unsupported\b.*\bnot supported in your requested Availability Zone)\b"
)


@dataclass(frozen=True, slots=True)
class Choice:
    """Where and as what a host is made: the number of the zone, and the machine type."""

    zone: int
    machine_type: str


@dataclass(frozen=True, slots=True)
class LivingHost:
    """A host that is there, with its zone and machine type; None is not known, or that only volumes of it are left.

    Volumes stay in their zone: the host can only be made again there.
    """

    zone: int | None
    machine_type: str | None


def with_choices(args: LocationArgs, chosen: Mapping[str, Choice]) -> LocationArgs:
    """The arguments with the hosts of these addresses in their zones and with their types."""
    return replace(
        args,
        groups=tuple(
            replace(group, hosts=tuple(_chosen(host, chosen) for host in group.hosts)) for group in args.groups
        ),
    )


def kept_choices(
    args: LocationArgs, previous: LocationOutputs | None, living: Mapping[str, LivingHost]
) -> dict[str, Choice]:
    """What was chosen on earlier runs and still holds, by host address.

    A host that is there keeps its zone, and its type if it is a fallback. One that is not is made again as it was last,
    as long as the site file names the same types.
    """
    records = previous.hosts if previous else {}
    found: dict[str, Choice] = {}
    for group in args.groups:
        for host in group.hosts:
            record, there = records.get(host.address), living.get(host.address)
            zone, machine_type = host.zone, None
            if record is not None:
                zone, machine_type = record.zone, record.machine_type if record.wanted == group.wanted else None
            if there is not None:
                zone = zone if there.zone is None else there.zone
                machine_type = there.machine_type or machine_type
            choice = Choice(zone, machine_type if machine_type in group.fallback_types else host.machine_type)
            if choice != Choice(host.zone, host.machine_type) and zone < args.network.zone_count:
                found[host.address] = choice
        found |= _together(group, found, living)
    return found


def recorded_hosts(previous: LocationOutputs | None) -> dict[str, LivingHost]:
    """The hosts of a stack's outputs as if they were all there: for a preview, which asks nobody."""
    hosts = previous.hosts if previous else {}
    return {address: LivingHost(host.zone, host.machine_type) for address, host in hosts.items()}


def lacking_hosts(args: LocationArgs, failures: Iterable[str]) -> tuple[str, ...]:
    """The addresses of the hosts that AWS had no capacity for, in site order, from what failed as `NAME: MESSAGE`."""
    told = [failure.partition(": ") for failure in failures]
    names = {name for name, _, message in told if _NO_CAPACITY.search(message)}
    return tuple(host.address for group in args.groups for host in group.hosts if host.name in names)


def next_choices(
    args: LocationArgs,
    lacking: Iterable[str],
    tried: Mapping[str, tuple[Choice, ...]],
    living: Mapping[str, LivingHost],
) -> dict[str, Choice | None]:
    """For each host that AWS had no capacity for, what to try next; None where every choice was tried.

    `args` are those of the last try, `tried` what was tried before it. Hosts that must share a zone move together, as
    long as none of them is there.
    """
    wanted = set(lacking)
    found: dict[str, Choice | None] = {}
    for group in args.groups:
        for host in group.hosts:
            if host.address not in wanted:
                continue
            now, before = Choice(host.zone, host.machine_type), tried.get(host.address, ())
            first = (*before, now)[0].zone
            is_bound = group.is_in_one_zone and any(one.address in living for one in group.hosts)
            zones = (host.zone,) if is_bound or host.address in living else _from(first, group.zones)
            types = group.machine_types if group.reservation is None else (host.machine_type,)
            every = [Choice(zone, machine_type) for machine_type in types for zone in zones]
            found[host.address] = next((choice for choice in every if choice not in {*before, now}), None)
            if group.is_in_one_zone and not is_bound:
                found |= {one.address: found[host.address] for one in group.hosts}
    return found


def choice_text(args: LocationArgs, choice: Choice) -> str:
    """A choice for people: `g6.xlarge in eu-central-1b`."""
    zones = args.network.zones
    return f"{choice.machine_type} in {zones[choice.zone] if zones else f'zone {choice.zone + 1}'}"


def _chosen(host: HostArgs, chosen: Mapping[str, Choice]) -> HostArgs:
    choice = chosen.get(host.address)
    return host if choice is None else replace(host, zone=choice.zone, machine_type=choice.machine_type)


def _together(group: GroupArgs, found: Mapping[str, Choice], living: Mapping[str, LivingHost]) -> dict[str, Choice]:
    """The hosts of a group that must share a zone, all where the first of them is that is there."""
    if not group.is_in_one_zone:
        return {}
    now = {host.address: found.get(host.address, Choice(host.zone, host.machine_type)) for host in group.hosts}
    there = [choice.zone for address, choice in now.items() if address in living]
    moved = [choice.zone for address, choice in now.items() if address in found]
    zone = next(iter((*there, *moved)), None)
    return {} if zone is None else {address: replace(choice, zone=zone) for address, choice in now.items()}


def _from(first: int, zones: tuple[int, ...]) -> tuple[int, ...]:
    """The zones in turn, beginning with this one."""
    later = [zone for zone in zones if zone > first]
    return (first, *later, *(zone for zone in zones if zone < first))
