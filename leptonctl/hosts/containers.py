"""Asks hosts which containers run in which runtime, by the program that the role container_runtime looks with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from leptonctl.hosts.sent import ask, read_as, request_of_role

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
    requests = [request_of_role(target, "container_runtime", "containers.py") for target in targets]
    return {address: containers_of(reply) for address, reply in ask(requests, limit_s=LIMIT_S).items()}


def containers_of(reply: Reply) -> Containers:
    """A host's answer; anything but the program's own shape is no answer."""
    return read_as(reply, _read, lambda problem: Containers(problem=problem))


def _read(found: Any) -> Containers:  # noqa: ANN401 - JSON
    return Containers({str(runtime): tuple(map(str, names)) for runtime, names in found["running"].items()})
