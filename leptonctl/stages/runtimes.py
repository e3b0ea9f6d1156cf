"""Runtimes: a container runtime is not taken away from under running containers unless the operator names the host."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from leptonctl.errors import Problem, Refused
from leptonctl.hosts.containers import containers_on

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from leptonctl.hosts.target import Target
    from leptonctl.stages.configuring import Selection
    from leptonctl.stages.looking import Looked

ROLE = "container_runtime"


def refuse_runtime_change(aims: Iterable[Target], looked: Looked, named: frozenset[str]) -> None:
    """Refuse to change the runtime of hosts that run containers, unless each host, its location or `all` is named.

    Only hosts whose runtime is another one in the site file now are asked. Raises Refused (exit 7) with the containers
    of each host; one that could not be asked is refused too.
    """
    problems = tuple(_problems(_changing(aims, looked), named))
    if problems:
        count = "1 host" if len(problems) == 1 else f"{len(problems)} hosts"
        raise Refused(
            f"the container runtime of {count} would change under running containers: nothing was touched",
            hint="move them first, or let them be stopped: --stop-containers ADDRESS (a host, a location, or 'all')",
            problems=problems,
        )


def with_stops_allowed(chosen: Selection, named: frozenset[str]) -> Selection:
    """The same hosts and roles; on those that are named the role may stop the containers of another runtime."""
    return replace(
        chosen,
        targets={
            address: target.with_settings(ROLE, {"stop_containers": True}) if _is_named(target, named) else target
            for address, target in chosen.targets.items()
        },
    )


def _is_named(target: Target, named: frozenset[str]) -> bool:
    return bool({target.address, target.location, "all"} & named)


def _changing(aims: Iterable[Target], looked: Looked) -> dict[str, tuple[Target, str]]:
    """The hosts whose runtime is another one now, with the one that is wanted."""
    found: dict[str, tuple[Target, str]] = {}
    for aim in aims:
        look = looked.observed.looks.get(aim.address)
        seen, wanted = look.roles.get(ROLE) if look is not None else None, aim.role(ROLE)
        if seen is not None and wanted is not None and "runtime" in seen.changed_settings:
            found[aim.address] = (aim, str(wanted.settings["runtime"]))
    return found


def _problems(changing: Mapping[str, tuple[Target, str]], named: frozenset[str]) -> Iterable[Problem]:
    asked = [aim for aim, _ in changing.values() if not _is_named(aim, named)]
    for address, answer in containers_on(asked).items():
        if answer.problem is not None:
            yield Problem("runtime_change", f"what runs there could not be asked: {answer.problem}", where=address)
        _, wanted = changing[address]
        lost = {runtime: names for runtime, names in answer.running.items() if runtime != wanted}
        if lost:
            listed = "; ".join(f"{runtime}: {', '.join(names)}" for runtime, names in sorted(lost.items()))
            yield Problem("runtime_change", f"the runtime becomes {wanted}; running are {listed}", where=address)
