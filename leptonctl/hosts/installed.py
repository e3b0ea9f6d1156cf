"""Installed: what a host has for accelerators (devices, drivers, runtimes), as the doctor reads it."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - a field's type
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from leptonctl.hosts.sent import answer_of, ask, request_of

if TYPE_CHECKING:
    from leptonctl.hosts.target import Target

LIMIT_S = 60.0
_MODULES = ("facts", "installed")


@dataclass(frozen=True, slots=True)
class Device:
    """An accelerator on the PCI bus; `driver` is empty where none has it."""

    bus_id: str
    vendor: str
    device: str
    driver: str


@dataclass(frozen=True, slots=True)
class Module:
    """A kernel module. `installed` is the version that could be loaded (`unknown`: it says none), None: not there."""

    is_loaded: bool
    version: str | None
    installed: str | None


@dataclass(frozen=True, slots=True)
class Installed:
    """What was read; `packages` are versions by name, `units` the states of those that are there."""

    kernel: str
    devices: tuple[Device, ...]
    packages: Mapping[str, str]
    modules: Mapping[str, Module]
    units: Mapping[str, str]
    secure_boot: bool | None


def read_installed(target: Target) -> Installed | str:
    """What a host has, or why it could not be asked."""
    (reply,) = ask([request_of(target, _MODULES, {})], limit_s=LIMIT_S).values()
    answer, problem = answer_of(reply)
    return problem if problem is not None else installed_of(answer)


def installed_of(answer: Mapping[str, Any]) -> Installed:
    """A host's answer."""
    return Installed(
        kernel=answer["kernel"],
        devices=tuple(Device(**one) for one in answer["devices"]),
        packages=answer["packages"],
        modules={name: Module(**one) for name, one in answer["modules"].items()},
        units=answer["units"],
        secure_boot=answer["secure_boot"],
    )
