"""Rollout: in which batches hosts are changed, and when that ends early. Pure.

A rollout goes over all locations of a tier that have the same settings: an edge often is a single box, and a batch of
one box in each of 400 edges would be all of them. Tiers are never mixed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain, pairwise, repeat
from typing import TYPE_CHECKING

from leptonctl.planning.ceph import ceph_turns
from leptonctl.planning.hdfs import hdfs_turns
from leptonctl.planning.kubeadm import cluster_of
from leptonctl.sitefile.rollout import ALL_AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from leptonctl.planning.desired import DesiredLocation, Tier
    from leptonctl.sitefile.rollout import RolloutSettings

_FEW = 3


@dataclass(frozen=True, slots=True)
class Rollout:
    """Hosts that are changed one batch after the other.

    `locations` are all that it goes over, also those with nothing to change, and `host_count` all of their hosts: what
    percentages are of. `batches` have each host once that has to be changed and can be; `barred` are those that have to
    be and cannot be asked. `canary_count` is the size of the first batch where that is a canary, else 0.
    """

    tier: Tier
    locations: tuple[str, ...]
    host_count: int
    batches: tuple[tuple[str, ...], ...]
    barred: tuple[str, ...]
    canary_count: int
    max_failed: int
    pause_s: int

    @property
    def name(self) -> str:
        """What it goes over, in a few words."""
        if len(self.locations) <= _FEW:
            return ", ".join(self.locations)
        return f"{len(self.locations)} {self.tier}s, {self.locations[0]} to {self.locations[-1]}"

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many hosts each batch has."""
        return tuple(len(batch) for batch in self.batches)


def together(locations: Iterable[DesiredLocation]) -> tuple[tuple[DesiredLocation, ...], ...]:
    """The locations by rollout: those of a tier that have the same settings, in the order given."""
    found: dict[object, list[DesiredLocation]] = {}
    for location in locations:
        found.setdefault((location.tier, location.rollout), []).append(location)
    return tuple(tuple(members) for members in found.values())


def roll_over(
    members: Sequence[DesiredLocation],
    *,
    changing: Collection[str],
    barred: Collection[str],
    fresh: Collection[str] = frozenset(),
) -> Rollout:
    """The rollout over locations of one tier and with the same settings.

    `changing` are the addresses of hosts that have to be changed and can be, `barred` those that have to be and cannot
    be asked; both in any order, that of the site is taken. `fresh` are hosts that no role ever ran on: nothing of
    theirs can be broken, so where all are, they go at once unless the site file says otherwise.
    """
    settings = members[0].rollout
    addresses = [host.address for location in members for host in location.hosts]
    ready = [address for address in addresses if address in changing]
    is_first = not settings.is_chosen and set(ready) <= set(fresh)
    if is_first:
        settings = replace(settings, canary=ALL_AT_ONCE.canary, batches=ALL_AT_ONCE.batches)
    sizes = batch_sizes(len(ready), of=len(addresses), settings=settings)
    ends = [sum(sizes[:number]) for number in range(len(sizes) + 1)]
    return Rollout(
        tier=members[0].tier,
        locations=tuple(location.address for location in members),
        host_count=len(addresses),
        batches=in_turns(tuple(tuple(ready[begin:end]) for begin, end in pairwise(ends)), turns_of(members)),
        barred=tuple(address for address in addresses if address in barred),
        canary_count=min(settings.canary.of(len(addresses)), len(ready)),
        max_failed=settings.max_failed.of(len(addresses)),
        pause_s=settings.pause_s,
    )


def turns_of(members: Iterable[DesiredLocation]) -> dict[str, int]:
    """The turn of each control plane host, of each monitor of Ceph, and of each name and journal node of HDFS.

    These change one after the other, and before all others.
    """
    there = tuple(members)
    clusters = (cluster_of(location) for location in there)
    turns = ceph_turns(there) | {
        address: turn for cluster in clusters if cluster is not None for turn, address in enumerate(cluster.control)
    }
    return turns | hdfs_turns(there, turns)


def in_turns(batches: tuple[tuple[str, ...], ...], turns: Mapping[str, int]) -> tuple[tuple[str, ...], ...]:
    """The batches with hosts that have a turn taken out of them and put first, those of one turn together."""
    early: dict[int, list[str]] = {}
    for address in chain.from_iterable(batches):
        if address in turns:
            early.setdefault(turns[address], []).append(address)
    rest = (tuple(address for address in batch if address not in turns) for batch in batches)
    return (*(tuple(early[turn]) for turn in sorted(early)), *(batch for batch in rest if batch))


def batch_sizes(count: int, *, of: int, settings: RolloutSettings) -> tuple[int, ...]:
    """How `count` hosts to change are cut into batches; percentages are of `of` hosts. No batch is empty."""
    found: list[int] = []
    canary = min(settings.canary.of(of), count)
    if canary:
        found.append(canary)
    left = count - canary
    for share in chain(settings.batches, repeat(settings.batches[-1])):
        if not left:
            break
        found.append(min(max(share.of(of), 1), left))
        left -= found[-1]
    return tuple(found)


def why_stop(rollout: Rollout, failed: Collection[str]) -> str | None:
    """Why nothing more may be begun; None where it may. `failed` are hosts of batches that were begun.

    Hosts that could not be asked count as failed. A canary is there for the others: where one fails, no other is
    changed, whatever the threshold.
    """
    canary = rollout.batches[0] if rollout.canary_count and len(rollout.batches) > 1 else ()
    dead = [address for address in canary if address in failed]
    if dead:
        return f"the canary {', '.join(dead)} failed"
    count = len({*failed, *rollout.barred})
    if count <= rollout.max_failed:
        return None
    unasked = f" ({len(rollout.barred)} of them could not be asked)" if rollout.barred else ""
    return f"{count} of {rollout.host_count} hosts failed{unasked}, at most {rollout.max_failed} may"


@dataclass(frozen=True, slots=True)
class RolledOut:
    """What came of a rollout: how many batches were begun, which of their hosts failed, why it stopped if it did."""

    rollout: Rollout
    begun: int
    failed: tuple[str, ...]
    stopped: str | None

    @property
    def not_begun(self) -> tuple[str, ...]:
        """The hosts of the batches that were not begun."""
        return tuple(chain.from_iterable(self.rollout.batches[self.begun :]))

    @property
    def unfinished(self) -> tuple[str, ...]:
        """Where it stopped: the locations that what depends on them waits for. None where it did not stop."""
        if self.stopped is None:
            return ()
        hosts = (*self.failed, *self.rollout.barred, *self.not_begun)
        places = {address.rpartition("/")[0] for address in hosts}
        return tuple(location for location in self.rollout.locations if location in places)
