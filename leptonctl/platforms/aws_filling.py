"""The arguments of a location's stack, completed with what is there: keys, images, and where each host is made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from leptonctl.planning import aws_tags
from leptonctl.planning.aws import completed
from leptonctl.planning.aws_types import LocationSecrets, PublicKeys
from leptonctl.planning.capacity import Choice, LivingHost, kept_choices, with_choices
from leptonctl.platforms.aws_look import host_key_of
from leptonctl.platforms.local_keys import new_host_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leptonctl.planning.aws_types import LocationArgs, LocationOutputs
    from leptonctl.platforms.aws_listing import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a stack is completed with: its own outputs, what is there, those of the locations above, and keys.

    `operator_keys` are the public keys that may log in; `group_keys` those that scaling groups have, by group.
    """

    previous: LocationOutputs | None
    there: Sequence[Found]
    above: Mapping[str, LocationOutputs]
    operator_keys: tuple[str, ...]
    group_keys: Mapping[str, str]


def filled(args: LocationArgs, known: Known, chosen: Mapping[str, Choice]) -> tuple[LocationArgs, LocationSecrets]:
    """The arguments with keys, images, peers and choices.

    A host or scaling group that is not there gets a new host key. `chosen` holds over what was chosen on earlier runs.
    """
    args = with_choices(args, {**kept_choices(args, known.previous, living_hosts(known.there)), **chosen})
    living = {one.address: host_key_of(one) for one in known.there if one.type == "instance"}
    previous = known.previous
    if previous is not None:
        hosts = {address: host for address, host in previous.hosts.items() if address in living}
        previous = replace(previous, hosts=hosts)
    names = {host.name: host.address for group in args.groups for host in group.hosts}
    made = {name: new_host_key() for name, address in names.items() if address not in living}
    public = {name: living[address] for name, address in names.items() if address in living}
    scaled = [group.name for group in args.groups if group.scaling is not None]
    made_groups = {name: new_host_key() for name in scaled if name not in known.group_keys}
    keys = PublicKeys(
        operators=known.operator_keys,
        hosts={**public, **{name: key.public for name, key in made.items()}},
        groups={**known.group_keys, **{name: key.public for name, key in made_groups.items()}},
    )
    secrets = LocationSecrets(
        {name: key.private.decode() for name, key in made.items()},
        {name: key.private.decode() for name, key in made_groups.items()},
    )
    return completed(args, keys=keys, above=known.above, previous=previous), secrets


def living_hosts(there: Sequence[Found]) -> dict[str, LivingHost]:
    """The hosts that are there, by address, and those of which a volume is left."""
    found: dict[str, LivingHost] = {}
    for one in there:
        if one.type == "volume" and one.tags.get(aws_tags.ROLE) == "volume":
            found.setdefault(f"{one.location}/{one.tags.get(aws_tags.HOST)}", LivingHost(None, None))
    for one in there:
        if one.type == "instance" and one.scaling is None:
            zone = one.tags.get(aws_tags.ZONE, "")
            found[one.address] = LivingHost(int(zone) if zone.isdigit() else None, one.details.get("InstanceType"))
    return found
