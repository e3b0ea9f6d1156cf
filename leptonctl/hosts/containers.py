"""Asks hosts which containers run in which runtime, by the program that the role container_runtime looks with."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from leptonctl.assets import asset
from leptonctl.hosts.reach import Request
from leptonctl.hosts.sent import ask
from leptonctl.planning.observed import Reach

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leptonctl.hosts.reach import Reply
    from leptonctl.hosts.target import Target

LIMIT_S = 180.0


@dataclass(frozen=True, slots=True)
class Containers:
    """The names of running containers by runtime, or why they are not known."""

    running: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    problem: str | None = None


def containers_on(targets: Sequence[Target]) -> dict[str, Containers]:
    """What runs on each target, by its address, one round trip each. Never raises for a host; changes nothing."""
    program = asset("playbooks", "roles", "container_runtime", "files", "containers.py").read_bytes()
    requests = [
        Request(
            target.address,
            target.endpoint,
            "exec python3 -" if target.endpoint.user == "root" else "exec sudo -n -- python3 -",
            program,
        )
        for target in targets
    ]
    return {address: containers_of(reply) for address, reply in ask(requests, limit_s=LIMIT_S).items()}


def containers_of(reply: Reply) -> Containers:
    """A host's answer; anything but the program's own shape is no answer."""
    if reply.reach != Reach.OK:
        return Containers(problem=reply.detail)
    try:
        running = json.loads(reply.stdout)["running"]
        return Containers({str(runtime): tuple(map(str, names)) for runtime, names in running.items()})
    except (ValueError, KeyError, TypeError, AttributeError):
        said = reply.stderr.decode(errors="replace").strip().splitlines()[-1:]
        return Containers(problem=f"the host's answer was not understood: {''.join(said) or 'it said nothing'}")
