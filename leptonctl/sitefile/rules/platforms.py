"""Rules on platforms: which sections and keys each of them has, and which it cannot do without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.sitefile.findings import Finding
from leptonctl.sitefile.rules.forms import is_machine_type
from leptonctl.sitefile.rules.parts import locations
from leptonctl.sitefile.words import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.sitefile.base import Frozen
    from leptonctl.sitefile.findings import Path
    from leptonctl.sitefile.model import NodeGroup, PlatformName, Site

# Which platforms have a key; what is not named here is for all.
_LOCATION_KEYS: dict[str, tuple[PlatformName, ...]] = {
    "network": ("local", "aws"),
    "ssh": ("ssh",),
    "aws": ("aws",),
}
_HOST_KEYS: dict[str, tuple[PlatformName, ...]] = {"count": ("local", "aws"), "hosts": ("ssh",), "scaling": ("aws",)}
_GROUP_KEYS: dict[str, tuple[PlatformName, ...]] = {"ssh": ("ssh",), "aws": ("aws",)}
_MACHINE_KEYS: dict[str, tuple[PlatformName, ...]] = {
    "cpus": ("local", "ssh"),
    "memory_gib": ("local", "ssh"),
    "type": ("aws",),
    "disk_gib": ("aws",),
}
_HINTS = {
    "count": "machines of the platform ssh exist already: list them under `hosts`",
    "hosts": "this platform makes the machines: write `count`",
    "scaling": "only aws makes machines that come and go: write `count`",
    "cpus": "the machine type decides: write `type`",
    "memory_gib": "the machine type decides: write `type`",
}


def check_platforms(site: Site) -> Iterator[Finding]:
    """Each location uses what its platform has, and sets what its platform needs."""
    for path, location in locations(site):
        yield from _misplaced(location, path, _LOCATION_KEYS, location.platform)
        for name in location.volumes if location.platform == "ssh" else ():
            message, hint = "the platform ssh makes no volumes", "remove it; it is for the platform local or aws"
            yield Finding("wrong-platform", (*path, "storage", name), message, hint, at="key")
        for name, group in location.nodes.items():
            yield from _check_group(group, (*path, "nodes", name), location.platform)


def _misplaced(
    section: Frozen, path: Path, keys: dict[str, tuple[PlatformName, ...]], platform: PlatformName
) -> Iterator[Finding]:
    for key in section.model_fields_set & keys.keys():
        value = getattr(section, key)
        is_empty = value is None or (hasattr(value, "model_fields_set") and not value.model_fields_set)
        if platform in keys[key] or is_empty:
            continue
        message = f"the platform {platform} has no {quoted(key)}"
        hint = _HINTS.get(key, f"remove it; it is for the platform {' or '.join(keys[key])}")
        yield Finding("wrong-platform", (*path, key), message, hint, at="key")


def _check_group(group: NodeGroup, path: Path, platform: PlatformName) -> Iterator[Finding]:
    if group.count is not None and group.hosts is not None:
        other = "count" if platform == "ssh" else "hosts"
        message = "a group has either `count` or `hosts`, not both"
        yield Finding("count-and-hosts", (*path, other), message, "remove this one", at="key")
    else:
        yield from _misplaced(group, path, _HOST_KEYS, platform)
    if group.scaling is not None and group.count is not None:
        message = "a group has either `count` or `scaling`, not both"
        hint = "remove this one; `scaling` has `min` and `max`"
        yield Finding("count-and-scaling", (*path, "count"), message, hint, at="key")
    if group.count is None and group.scaling is None and not group.hosts:
        message = "this group has no hosts"
        hint = "list them under `hosts`" if platform == "ssh" else "write `count: 1`, or how many are wanted"
        yield Finding("missing-hosts", path, message, hint, at="key")
    yield from _misplaced(group, path, _GROUP_KEYS, platform)
    yield from _misplaced(group.machine, (*path, "machine"), _MACHINE_KEYS, platform)
    machine_type = group.machine.type
    if platform == "aws" and machine_type is None:
        yield Finding("missing-machine-type", path, "a group on aws needs a machine type", _TYPE_HINT, at="key")
    elif platform == "aws" and machine_type is not None and not is_machine_type(machine_type):
        message = f"{quoted(machine_type)} is not a machine type"
        yield Finding("bad-value", (*path, "machine", "type"), message, _TYPE_HINT)


_TYPE_HINT = "write `machine: {type: g6.xlarge}`, or another type"
