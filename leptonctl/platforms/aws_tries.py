"""Tries: where AWS has no capacity for a host, what to try next, each said once; and the failure when all was tried."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from leptonctl.errors import PlatformFailed, Problem
from leptonctl.planning.capacity import Choice, choice_text, lacking_hosts, next_choices
from leptonctl.platforms.aws_filling import living_hosts
from leptonctl.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leptonctl.planning.aws_types import LocationArgs
    from leptonctl.platforms.aws_listing import Found
    from leptonctl.progress import Report


@dataclass(slots=True)
class Tries:
    """What was tried in this run for the hosts of a location, and what is `chosen` now, both by address."""

    report: Report
    chosen: dict[str, Choice] = field(default_factory=dict)
    tried: dict[str, tuple[Choice, ...]] = field(default_factory=dict)

    def go_on(self, args: LocationArgs, failed: PlatformFailed, there: Sequence[Found]) -> None:
        """Choose anew for every host that AWS had no capacity for.

        Each choice is tried once; what else failed is tried again with it. Raises the failure where no host lacked
        capacity, and one with all that was tried where a host has no choice left.
        """
        lacking = lacking_hosts(args, [problem.message for problem in failed.problems])
        if not lacking:
            raise failed
        now = {host.address: Choice(host.zone, host.machine_type) for group in args.groups for host in group.hosts}
        for address, choice in next_choices(args, lacking, self.tried, living_hosts(there)).items():
            self.tried[address] = (*self.tried.get(address, ()), now[address])
            if choice is not None:
                self.chosen[address] = choice
                message = f"AWS has no {choice_text(args, now[address])}: goes on with {choice_text(args, choice)}"
                self.report(Progress("platform", "warning", address, message))
            else:
                self.chosen.pop(address, None)
        used_up = [address for address in lacking if address not in self.chosen]
        if used_up:
            names = tuple(f"{address.rpartition('/')[2]}: " for address in lacking)
            others = tuple(problem for problem in failed.problems if not problem.message.startswith(names))
            raise _no_capacity(args, {address: self.tried[address] for address in used_up}, others)


def _no_capacity(
    args: LocationArgs, tried: Mapping[str, Sequence[Choice]], others: tuple[Problem, ...]
) -> PlatformFailed:
    problems = tuple(
        Problem(
            rule="no_capacity",
            message=f"AWS has no capacity; tried {', '.join(choice_text(args, choice) for choice in choices)}",
            hint="run this again later, or name more `zones` or `fallback_types`, or a `reservation`",
            where=address,
        )
        for address, choices in tried.items()
    )
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return PlatformFailed(
        f"{problems[0].where}: {problems[0].message}{more}", hint=problems[0].hint, problems=(*problems, *others)
    )
