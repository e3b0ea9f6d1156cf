"""Asks hosts what their devices hold, by the program that the role storage_ceph makes OSDs with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from leptonctl.hosts.sent import ask, read_as, request_of_role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leptonctl.hosts.reach import Reply
    from leptonctl.hosts.target import Target

LIMIT_S = 120.0


@dataclass(frozen=True, slots=True)
class Occupied:
    """What each device holds that an OSD would overwrite; a blank one is not in it. Or why that is not known."""

    devices: Mapping[str, str] = field(default_factory=dict)
    problem: str | None = None


def occupied_devices(asked: Mapping[str, tuple[Target, tuple[str, ...]]]) -> dict[str, Occupied]:
    """What the devices of each host hold, by its address, one round trip each. Never raises for a host; only looks."""
    requests = [
        request_of_role(target, "storage_ceph", "ceph_devices.py", *devices) for target, devices in asked.values()
    ]
    return {address: occupied_of(reply) for address, reply in ask(requests, limit_s=LIMIT_S).items()}


def occupied_of(reply: Reply) -> Occupied:
    """A host's answer; anything but the program's own shape is no answer."""
    return read_as(reply, _read, lambda problem: Occupied(problem=problem))


def _read(found: Any) -> Occupied:  # noqa: ANN401 - JSON
    return Occupied({str(device): str(held) for device, held in found.items() if held is not None})
