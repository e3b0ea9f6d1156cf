"""Rules on rollouts: batches that come to an end, a canary that protects others, a threshold that can be passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.sitefile.findings import Finding
from leptonctl.sitefile.ranges import RangeError, group_hosts
from leptonctl.sitefile.rollout import read_share
from leptonctl.sitefile.rules.parts import locations
from leptonctl.sitefile.settings import resolve_rollout
from leptonctl.sitefile.words import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.sitefile.findings import Path
    from leptonctl.sitefile.model import Location, Site
    from leptonctl.sitefile.rollout import Rollout


def check_rollouts(site: Site) -> Iterator[Finding]:
    """Every `rollout` section, by itself and for the hosts that it holds for."""
    sections = [(("rollout",), site.rollout), *(((*path, "rollout"), one.rollout) for path, one in locations(site))]
    written = [(path, section) for path, section in sections if section.model_fields_set]
    flaws = [flaw for path, section in written for flaw in _flaws(section, path)]
    yield from flaws
    if written and not flaws:
        yield from _beyond_the_hosts(site)


def _flaws(rollout: Rollout, path: Path) -> Iterator[Finding]:
    """What is wrong with the values of a section, whatever hosts there are."""
    batch = rollout.batch if isinstance(rollout.batch, tuple) else (rollout.batch,)
    is_list = isinstance(rollout.batch, tuple)
    places = [(rollout.canary, "canary", (*path, "canary")), (rollout.max_failed, "max_failed", (*path, "max_failed"))]
    places += [
        (value, "batch", (*path, "batch", index) if is_list else (*path, "batch")) for index, value in enumerate(batch)
    ]
    for value, name, place in places:
        if value is None:
            continue
        share = read_share(value)
        if share is None:
            message = f"{quoted(value)} is neither a number of hosts nor a percentage of them"
            yield Finding("bad-share", place, message, "write a number such as 5, or a percentage such as 20% or 2.5%")
        elif name == "batch" and not share.amount:
            message = f"with batches of {value} the rollout never comes to an end"
            yield Finding("rollout-budget", place, message, "write at least 1, or a percentage above 0%")
        elif name == "canary" and share.is_everything:
            message = "a canary of all hosts protects none"
            yield Finding("rollout-budget", place, message, "write a number such as 1, or a smaller percentage")
        elif name == "max_failed" and share.is_everything:
            message = "where all hosts may fail the rollout never stops"
            yield Finding("rollout-budget", place, message, "write a number, or a percentage below 100%")


def _beyond_the_hosts(site: Site) -> Iterator[Finding]:
    """Numbers that are as large as the rollouts that they hold for; what holds for several may fit one of them."""
    counts = _host_counts(site)
    if counts is None:
        return
    most: dict[tuple[Path, str], tuple[int, int]] = {}
    for address, count in counts.items():
        for key, resolved in resolve_rollout(site, address).items():
            if key in _LIMITED and resolved.origin is not None and isinstance(resolved.value, int):
                largest = max(count, most.get((resolved.origin, key), (0, 0))[1])
                most[resolved.origin, key] = (resolved.value, largest)
    for (path, key), (value, count) in most.items():
        if count and key == "canary" and value > count:
            message = f"a canary of {value} hosts is more than the {_hosts(count)} that it is for"
            yield Finding("rollout-budget", path, message, "write fewer, or a percentage")
        elif count and key == "max_failed" and value >= count:
            message = f"where {value} of {_hosts(count)} may fail the rollout never stops"
            yield Finding("rollout-budget", path, message, "write fewer, or a percentage below 100%")


_LIMITED = ("canary", "max_failed")


def _hosts(count: int) -> str:
    return "1 host" if count == 1 else f"{count} hosts"


def _host_counts(site: Site) -> dict[str, int] | None:
    """For each location the hosts of the rollout that it is in; None where a list of hosts cannot be read."""
    totals: dict[str, int] = {}
    rollouts: dict[str, str] = {}
    try:
        for address, location in site.locations().items():
            values = {key: resolved.value for key, resolved in resolve_rollout(site, address).items()}
            rollouts[address] = f"{address.partition('/')[0]} {values}"
            totals[rollouts[address]] = totals.get(rollouts[address], 0) + _count(location)
    except RangeError:
        return None
    return {address: totals[rollout] for address, rollout in rollouts.items()}


def _count(location: Location) -> int:
    """The hosts of a location; of a group that scales as many as it may have."""
    return sum(
        group.scaling.max if group.scaling else len(group_hosts(name, group)) for name, group in location.nodes.items()
    )
