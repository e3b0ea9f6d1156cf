"""Rules on storage: stores for groups that are there, mounted where nothing else is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.sitefile.findings import Finding
from leptonctl.sitefile.rules.forms import is_plain_path
from leptonctl.sitefile.rules.parts import locations
from leptonctl.sitefile.stores.volume import Volume
from leptonctl.sitefile.words import did_you_mean, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.sitefile.findings import Path
    from leptonctl.sitefile.model import Location, Site

# A volume over one of these hides what the host needs to run or to be reached.
_SYSTEM = ("/tmp", "/var", "/var/lib", "/var/lib/systemd", "/var/log")  # noqa: S108 - refused, not used
# The same, and everything below.
_SYSTEM_TREES = (
    *("/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/proc", "/root", "/run", "/sbin"),
    *("/sys", "/usr", "/var/lib/apt", "/var/lib/dpkg"),
)


def check_storage(site: Site) -> Iterator[Finding]:
    """Every store of every location: its groups and where it is mounted; then what only volumes have."""
    for path, location in locations(site):
        mounted: dict[tuple[str, str], str] = {}
        for name, store in location.storage.items():
            place = (*path, "storage", name)
            key = "nodes" if isinstance(store, Volume) else "clients"
            groups: tuple[str, ...] = getattr(store, key, ())
            yield from _check_groups(groups, location, (*place, key))
            mount_path = getattr(store, "mount_path", None)
            if mount_path is not None:
                yield from _check_mount(name, mount_path, groups, mounted, (*place, "mount_path"))
        for name, volume in location.volumes.items():
            yield from _check_volume(volume, location, (*path, "storage", name))


def is_of_the_system(path: str) -> bool:
    """Whether the system lives there: what is mounted there hides it, and what is served from there shows it."""
    return path in _SYSTEM or any(path == tree or path.startswith(f"{tree}/") for tree in _SYSTEM_TREES)


def _check_volume(volume: Volume, location: Location, place: Path) -> Iterator[Finding]:
    for index, group in enumerate(volume.nodes):
        if group in location.nodes and location.nodes[group].scaling is not None:
            message = f"a volume for each host cannot be attached to {quoted(group)}: its hosts come and go"
            hint = "use a bucket or a file system (`aws.buckets`, `aws.file_systems`), or a group with a `count`"
            yield Finding("scaled-hosts", (*place, "nodes", index), message, hint)
    if location.platform == "local" and volume.mount_path is None:
        message, hint = "this volume is not mounted anywhere", "write `mount_path: /data`, or another path"
        yield Finding("missing-mount-path", place, message, hint, at="key")
    if location.platform == "aws" and volume.mount_path is not None:
        message = "a volume on aws is attached to its host, and not mounted"
        hint = "remove it; the host has it under /dev/disk/by-id, to be formatted and mounted there"
        yield Finding("wrong-platform", (*place, "mount_path"), message, hint, at="key")


def _check_groups(groups: tuple[str, ...], location: Location, place: Path) -> Iterator[Finding]:
    for index, group in enumerate(groups):
        if group not in location.nodes:
            message = f"there is no node group {quoted(group)} here{did_you_mean(group, location.nodes)}"
            known = ", ".join(location.nodes)
            hint = f"groups of this location: {known}" if known else "describe the group under `nodes`"
            yield Finding("unknown-group", (*place, index), message, hint)
        elif group in groups[:index]:
            message = f"the group {quoted(group)} is named twice"
            yield Finding("duplicate-group", (*place, index), message, "remove one of the two")


def _check_mount(
    name: str, path: str, groups: tuple[str, ...], mounted: dict[tuple[str, str], str], where: Path
) -> Iterator[Finding]:
    if not is_plain_path(path):
        message = f"{quoted(path)} is not an absolute path in its plain form"
        yield Finding("bad-mount-path", where, message, "write one such as /data/models")
        return
    if is_of_the_system(path):
        message = f"a store on {quoted(path)} would hide part of the system"
        yield Finding("system-mount", where, message, "mount it elsewhere, such as on /data or /srv/models")
    for group in dict.fromkeys(groups):
        first = mounted.setdefault((group, path), name)
        if first != name:
            message = f"the store {quoted(first)} is mounted on {quoted(path)} already"
            yield Finding("duplicate-mount", where, message, "give each store its own path")
            return
