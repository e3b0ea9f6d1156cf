"""Drivers: which packages drive the GPUs of a host as asked, or why nothing can. Pure.

The same answer serves `validate`, which knows the declared model, and the role, which has read the PCI bus.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from leptonctl.devices.gpus import Generation

# The branch that Debian 12 has in non-free; its archive has no Fabric Manager.
DEBIAN_BRANCH = 535
# From here on NVIDIA's own repository has one package for all that computing needs, and Fabric Manager without a branch
# in its name from the second on (NVIDIA Driver Installation Guide; the repository's index).
_ONE_PACKAGE_SINCE, _PLAIN_FABRIC_MANAGER_SINCE = 570, 580
# The GPUs of these are joined by a switch that a subnet manager has to run (Fabric Manager user guide, NVLink 5).
_WITH_SUBNET_MANAGER = frozenset({"Blackwell", "Blackwell Ultra"})
_OPEN, _PROPRIETARY = "open", "proprietary"

_DEBIAN_NVIDIA = ("nvidia-smi", "libcuda1", "libnvidia-ml1", "libnvidia-cfg1", "nvidia-modprobe")
_DEBIAN_AMD = ("firmware-amd-graphics", "rocm-smi", "rocminfo")
_VENDOR_AMD = ("amdgpu-dkms", "amd-smi-lib", "rocm-smi-lib", "rocminfo")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a site file asks of the driver. `version` holds the packages at a Debian version, as `535.261.03*`."""

    vendor: str = "nvidia"
    source: str = "debian"
    branch: int = DEBIAN_BRANCH
    kernel_module: str = "auto"
    version: str | None = None
    has_nvswitch: bool = False


def wish_of(settings: Mapping[str, object], *, has_nvswitch: bool) -> Wish:
    """The settings of the role `gpu_driver` as a wish."""
    return Wish(**{name: settings[name] for name in _SETTINGS}, has_nvswitch=has_nvswitch)  # type: ignore[arg-type]


_SETTINGS = ("vendor", "source", "branch", "kernel_module", "version")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a wish cannot be met: the setting that stands in the way, what is wrong, what to do."""

    setting: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Driver:
    """What to install. `versioned` are those of `packages` that carry the driver's own version."""

    kernel_module: str
    packages: tuple[str, ...]
    versioned: tuple[str, ...]


def refusals(wish: Wish, generations: Iterable[Generation]) -> tuple[Refusal, ...]:
    """Every reason why no driver is as wished for GPUs of these generations (none where they are not known)."""
    if wish.vendor == "amd":
        return ()
    found = [*_of_debian(wish)] if wish.source == "debian" else []
    for one in dict.fromkeys(generations):
        if wish.branch < one.oldest_branch:
            message = f"{one.name} GPUs need the branch {one.oldest_branch} or later, not {wish.branch}"
            found.append(Refusal("branch", message, f"set `branch: {one.oldest_branch}` and `source: vendor`"))
        if wish.kernel_module not in {"auto", *one.modules}:
            known = " or ".join(one.modules)
            message = f"the {wish.kernel_module} kernel module does not know {one.name} GPUs, the {known} one does"
            found.append(Refusal("kernel_module", message, "leave `kernel_module` out: the right one is taken"))
    return tuple(found)


def _of_debian(wish: Wish) -> Iterable[Refusal]:
    if wish.branch != DEBIAN_BRANCH:
        message = f"Debian has the branch {DEBIAN_BRANCH}, not {wish.branch}"
        yield Refusal("branch", message, f"set `source: vendor`, or `branch: {DEBIAN_BRANCH}`")
    if wish.has_nvswitch:
        message = "behind an NVSwitch Fabric Manager has to run, and Debian does not have it"
        yield Refusal("source", message, "set `source: vendor`")
    if wish.kernel_module == _OPEN and wish.version is None:
        message = "Debian's open kernel module is of another version than the rest of its driver"
        yield Refusal("kernel_module", message, "name one that both have, as `version: 535.261.03*`")


def driver(wish: Wish, generations: Iterable[Generation]) -> Driver:
    """What to install for GPUs of these generations. Only where nothing is refused."""
    known = tuple(dict.fromkeys(generations))
    if wish.vendor == "amd":
        return Driver("in-tree" if wish.source == "debian" else "dkms", *_amd(wish))
    module = _kernel_module(wish, known)
    if wish.source == "debian":
        kernel = "nvidia-open-kernel-dkms" if module == _OPEN else "nvidia-kernel-dkms"
        versioned = (kernel, *_DEBIAN_NVIDIA[:4])
        return Driver(module, (*versioned, *_DEBIAN_NVIDIA[4:], "nvidia-persistenced"), versioned)
    kernel = "nvidia-kernel-open-dkms" if module == _OPEN else "nvidia-kernel-dkms"
    programs = ("nvidia-driver-cuda",) if wish.branch >= _ONE_PACKAGE_SINCE else _DEBIAN_NVIDIA[:4]
    versioned = (kernel, *programs, "nvidia-persistenced", *_fabric_manager(wish))
    subnet = ("nvlsm",) if wish.has_nvswitch and _WITH_SUBNET_MANAGER & {one.name for one in known} else ()
    return Driver(module, (*versioned, *subnet), versioned)


def _kernel_module(wish: Wish, known: tuple[Generation, ...]) -> str:
    """The one that is asked for, else the open one where all GPUs take it and the source keeps it up to date."""
    if wish.kernel_module != "auto":
        return wish.kernel_module
    can_open = all(_OPEN in one.modules for one in known) and bool(known)
    must_open = any(_PROPRIETARY not in one.modules for one in known)
    return _OPEN if must_open or (can_open and wish.source == "vendor") else _PROPRIETARY


def _fabric_manager(wish: Wish) -> tuple[str, ...]:
    if not wish.has_nvswitch:
        return ()
    plain = wish.branch >= _PLAIN_FABRIC_MANAGER_SINCE
    return ("nvidia-fabricmanager" if plain else f"nvidia-fabricmanager-{wish.branch}",)


def _amd(wish: Wish) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return (_DEBIAN_AMD, ()) if wish.source == "debian" else (_VENDOR_AMD, ())
