"""Asks hosts what their devices hold, by the program that the role storage_ceph makes OSDs with."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from leptonctl.assets import asset
from leptonctl.hosts.reach import Request
from leptonctl.hosts.sent import ask
from leptonctl.planning.observed import Reach

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
    program = asset("playbooks", "roles", "storage_ceph", "files", "ceph_host.py").read_bytes()
    requests = [
        Request(address, target.endpoint, _command(target, devices), program)
        for address, (target, devices) in asked.items()
    ]
    return {address: occupied_of(reply) for address, reply in ask(requests, limit_s=LIMIT_S).items()}


def _command(target: Target, devices: tuple[str, ...]) -> str:
    begin = "exec python3 - --look" if target.endpoint.user == "root" else "exec sudo -n -- python3 - --look"
    return f"{begin} {shlex.join(devices)}"


def occupied_of(reply: Reply) -> Occupied:
    """A host's answer; anything but the program's own shape is no answer."""
    if reply.reach != Reach.OK:
        return Occupied(problem=reply.detail)
    try:
        found = json.loads(reply.stdout)
        return Occupied({str(device): str(held) for device, held in found.items() if held is not None})
    except (ValueError, AttributeError):
        said = reply.stderr.decode(errors="replace").strip().splitlines()[-1:]
        return Occupied(problem=f"the host's answer was not understood: {''.join(said) or 'it said nothing'}")
