"""Service: whether the health gate lets a host take part, from what the host keeps of the last judgement. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from leptonctl.planning.observed import Reach

if TYPE_CHECKING:
    from leptonctl.planning.desired import DesiredHost, DesiredLocation
    from leptonctl.planning.observed import HostLook
    from leptonctl.sitefile.accelerators import Accelerators


class Service(StrEnum):
    """Whether a host that declares accelerators may take work and changes."""

    IN = "in service"
    """The gate passed, and no role ran since."""
    DUE = "not judged yet"
    """Nothing that holds is known: it is judged before it counts as in order."""
    OUT = "out of service"
    """The gate did not pass: it is left out until the same suite passed."""


def accelerators_of(location: DesiredLocation, host: DesiredHost) -> Accelerators | None:
    """What the host's group declares; None where it declares no accelerators."""
    section = location.section
    group = section.nodes.get(host.group) if section is not None else None
    return group.accelerators if group is not None and group.accelerators and group.accelerators.gpus else None


def service_of(location: DesiredLocation, host: DesiredHost, look: HostLook | None) -> Service | None:
    """What is known of a host; None where it declares no accelerators, or could not be asked."""
    declared = accelerators_of(location, host)
    if declared is None or look is None or look.reach != Reach.OK:
        return None
    record = look.gate
    if record is None:
        return Service.DUE
    is_fresh = record.manifest == look.manifest_digest
    if record.verdict.passes or declared.health.shadow:
        return Service.IN if is_fresh else Service.DUE
    # What was only reported, or left in service by the breaker, takes part until it was judged again.
    return Service.DUE if record.is_shadow or record.is_held else Service.OUT


def service_note(service: Service | None, look: HostLook | None) -> str | None:
    """What a plan says of it: nothing of a host in service."""
    if service is Service.OUT and look is not None and look.gate is not None:
        return f"out of service since {look.gate.at}: {look.gate.reason}"
    return "its accelerators have not been judged yet" if service is Service.DUE else None
