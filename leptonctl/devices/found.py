"""Found: the accelerators that a host has on its PCI bus, compared with what the site file declares. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leptonctl.devices.gpus import Generation, of_device, of_model

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from leptonctl.devices.drivers import Wish

# The NVSwitches of these are devices of the PCI bus; later ones stand outside the host's view.
_SWITCH_ON_BUS = frozenset({"Volta", "Ampere", "Hopper"})


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU or NVSwitch on the PCI bus. `driver` is the kernel's, empty where none has it."""

    bus_id: str
    vendor: str
    device: int
    is_switch: bool
    driver: str


@dataclass(frozen=True, slots=True)
class Bus:
    """What the look at a host said. `secure_boot` is None where the firmware does not say."""

    devices: tuple[Device, ...]
    kernel: str
    headers: str
    container: str
    secure_boot: bool | None

    def gpus(self, vendor: str) -> tuple[Device, ...]:
        """The GPUs of a maker."""
        return tuple(one for one in self.devices if one.vendor == vendor and not one.is_switch)


def read_bus(answer: Mapping[str, object]) -> Bus:
    """The answer of the role's `look.py`. Raises KeyError or TypeError where it has another shape."""
    rows = answer["devices"]
    if not isinstance(rows, list):
        raise TypeError("the devices are no list")
    return Bus(
        devices=tuple(Device(**row) for row in rows),
        kernel=str(answer["kernel"]),
        headers=str(answer["headers"]),
        container=str(answer["container"]),
        secure_boot=None if answer["secure_boot"] is None else bool(answer["secure_boot"]),
    )


def generations_of(devices: Iterable[Device]) -> tuple[Generation, ...]:
    """The generations of NVIDIA GPUs that are known, each once."""
    found = (of_device(one.device) for one in devices if one.vendor == "nvidia" and not one.is_switch)
    return tuple(dict.fromkeys(one for one in found if one is not None))


def disagreements(bus: Bus, wish: Wish, *, count: int | None, model: str | None) -> tuple[str, ...]:
    """What on the host is not as declared, or stands in the way of any driver. `count` None: nothing is declared."""
    gpus = bus.gpus(wish.vendor)
    return (
        *_count(gpus, bus, wish.vendor, count),
        *_model(gpus, model),
        *_switches(bus, gpus, wish),
        *_unknown(gpus, wish),
        *_headers(bus, gpus),
    )


def _count(gpus: tuple[Device, ...], bus: Bus, vendor: str, count: int | None) -> Iterable[str]:
    if count is None or len(gpus) == count:
        return
    maker = {"nvidia": "NVIDIA", "amd": "AMD"}[vendor]
    there = ", ".join(one.bus_id for one in gpus)
    others = sorted({one.vendor for one in bus.devices} - {vendor})
    found = f"{len(gpus)} are on the PCI bus ({there})" if gpus else "none is on the PCI bus"
    more = f"; it has GPUs of {' and '.join(others)}" if others and not gpus else ""
    why = "; a GPU that is missing fell off the bus or has no power" if gpus and len(gpus) < count else ""
    yield f"the site file declares {count} {maker} GPU{'' if count == 1 else 's'}, {found}{more}{why}"


def _model(gpus: tuple[Device, ...], model: str | None) -> Iterable[str]:
    declared = of_model(model) if model else None
    if declared is None:
        return
    for one in gpus:
        found = of_device(one.device)
        if found is not None and found != declared:
            yield (
                f"the GPU {one.bus_id} ({one.device:04x}) is of the generation {found.name}, and the site file declares"
                f" {model}, which is {declared.name}"
            )


def _switches(bus: Bus, gpus: tuple[Device, ...], wish: Wish) -> Iterable[str]:
    switches = [one for one in bus.devices if one.is_switch]
    if switches and not wish.has_nvswitch:
        yield (
            f"the host has {len(switches)} NVSwitches, and the site file does not declare `nvswitch: true`: without"
            " Fabric Manager its GPUs do not start"
        )
    on_bus = _SWITCH_ON_BUS & {one.name for one in generations_of(gpus)}
    if wish.has_nvswitch and on_bus and not switches:
        yield "the site file declares an NVSwitch, and none is on the PCI bus"


def _unknown(gpus: tuple[Device, ...], wish: Wish) -> Iterable[str]:
    if wish.kernel_module != "auto" or wish.vendor != "nvidia":
        return
    for one in gpus:
        if of_device(one.device) is None:
            yield (
                f"the GPU {one.bus_id} has the PCI id 10de:{one.device:04x}, which no generation known here has:"
                " name the `kernel_module` that it needs"
            )


def _headers(bus: Bus, gpus: tuple[Device, ...]) -> Iterable[str]:
    if gpus and bus.headers == "none" and not bus.container:
        yield (
            f"no module can be built for the running kernel {bus.kernel}: the archive has no"
            f" linux-headers-{bus.kernel}; boot a kernel of the archive first"
        )
