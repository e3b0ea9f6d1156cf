"""Ceph's devices: one that holds data gets no OSD unless the operator names it. Asked before anything changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.errors import Problem, Refused
from leptonctl.hosts.ceph import occupied_devices
from leptonctl.planning.ceph import ROLE
from leptonctl.planning.observed import RoleState
from leptonctl.planning.served import texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from leptonctl.hosts.target import Target
    from leptonctl.stages.looking import Looked


def refuse_devices_with_data(aims: Iterable[Target], looked: Looked) -> None:
    """Refuse to make OSDs on devices that hold something, unless `storage_ceph.wipe` names them.

    Only hosts that would get new OSDs are asked. Raises Refused (exit 7) with what each device holds; a host that could
    not be asked is refused too.
    """
    problems = tuple(_problems(_gaining(aims, looked)))
    if problems:
        count = "1 device" if len(problems) == 1 else f"{len(problems)} devices"
        raise Refused(
            f"{count} that OSDs would be made on may hold data: nothing was touched",
            hint="take them out of osd_devices, or name those that may be overwritten in storage_ceph.wipe",
            problems=problems,
        )


def _gaining(aims: Iterable[Target], looked: Looked) -> Iterator[tuple[Target, tuple[str, ...]]]:
    """The hosts that would get OSDs on devices which nobody named."""
    for aim in aims:
        look = looked.observed.looks.get(aim.address)
        seen = look.roles.get(ROLE) if look is not None else None
        role = aim.role(ROLE)
        if role is None or seen is None or not (seen.state == RoleState.NEW or "osd_devices" in seen.changed_settings):
            continue
        named = texts(role.settings["wipe"])
        devices = [device for device in texts(role.settings["osd_devices"]) if device not in named]
        if devices:
            yield aim, tuple(devices)


def _problems(gaining: Iterable[tuple[Target, tuple[str, ...]]]) -> Iterator[Problem]:
    asked = {aim.address: (aim, devices) for aim, devices in gaining}
    for address, answer in occupied_devices(asked).items():
        if answer.problem is not None:
            yield Problem("device_data", f"its devices could not be asked: {answer.problem}", where=address)
        for device, held in answer.devices.items():
            yield Problem("device_data", f"{device}: {held}", where=address)
