"""The podman command line, typed: the only module that runs podman.

Reads are JSON and become frozen values; what podman refuses becomes `PlatformFailed` with its own last lines.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from leptonctl.errors import PlatformFailed, PreflightFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

INSTALL_HINT = "install it: sudo apt-get install --yes podman runc uidmap"
GIB = 1024**3
# runc and podman live in sbin on Debian, which is not on every user's PATH.
_SEARCH_MORE = ("/usr/local/sbin", "/usr/sbin", "/sbin")
_NOISE = ("failed to connect to syslog",)
_KEPT_LINES = 4
_KEPT_LINE_LENGTH = 400
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Container:
    """One container as podman tells it. `cpus` and `memory_gib` are those of its creation; None is no limit.

    `status` is podman's word (`created`, `running`, `exited`, ...). `mounts` maps volume name to path in the container.
    `ssh_port` is the port of this machine that leads to its port 22, where one was published.
    """

    id: str
    name: str
    status: str
    labels: Mapping[str, str]
    image_id: str
    mounts: Mapping[str, str]
    cpus: float | None
    memory_gib: float | None
    cgroup_path: str
    ssh_port: int | None


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of the list of containers.

    A killed `podman create` leaves one that only the storage knows: its `status` is `storage`, and it has no labels.
    """

    id: str
    names: tuple[str, ...]
    status: str
    labels: Mapping[str, str]
    image_id: str


@dataclass(frozen=True, slots=True)
class PodmanNetwork:
    """One network as podman tells it; `cidrs` are its IPv4 and IPv6 ranges."""

    id: str
    name: str
    labels: Mapping[str, str]
    cidrs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PodmanVolume:
    """One volume as podman tells it."""

    name: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PodmanImage:
    """One image as podman tells it."""

    id: str
    names: tuple[str, ...]
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Podman:
    """The podman of this machine.

    `runtime` is the OCI runtime it is told to use, `temporary_folder` where it puts large temporary files; None leaves
    its own choice.
    """

    program: str
    runtime: str | None = None
    temporary_folder: Path | None = None

    def text(self, *args: str, stdin: bytes | None = None, timeout_s: float = 60, hint: str | None = None) -> str:
        """What podman printed. Raises `PlatformFailed` where it failed, or did not answer within `timeout_s`."""
        command = [self.program, *(("--runtime", self.runtime) if self.runtime else ()), *args]
        environment = {**os.environ, "TMPDIR": str(self.temporary_folder)} if self.temporary_folder else None
        by_hand = f"run it by hand to see more: {shlex.join(['podman', *args])}" if stdin is None else None
        try:
            done = subprocess.run(
                command, input=stdin or b"", capture_output=True, timeout=timeout_s, check=False, env=environment
            )
        except subprocess.TimeoutExpired as late:
            message = f"podman {args[0]} did not answer within {timeout_s:g} s"
            raise PlatformFailed(message, hint=hint or by_hand) from late
        except OSError as broken:
            raise PlatformFailed(f"podman could not be started: {broken.strerror}", hint=INSTALL_HINT) from broken
        if done.returncode != 0:
            raise PlatformFailed(f"podman {args[0]} failed: {last_lines(done.stderr)}", hint=hint or by_hand)
        return done.stdout.decode(errors="replace")

    def listed(self) -> tuple[Listed, ...]:
        """Every container of this user, whoever made it, and those that only the storage knows."""
        return tuple(self._read(_listed, "ps", "--all", "--external", "--no-trunc", "--format", "json"))

    def containers(self, ids: Sequence[str]) -> tuple[Container, ...]:
        """The containers with these ids, sorted by name. One that went away meanwhile makes it fail."""
        if not ids:
            return ()
        return tuple(sorted(self._read(_container, "container", "inspect", *ids), key=lambda one: one.name))

    def networks(self, *filters: str) -> tuple[PodmanNetwork, ...]:
        """Networks that pass all `filters`, sorted by name."""
        found = self._read(_network, "network", "ls", "--format", "json", *_filtered(filters))
        return tuple(sorted(found, key=lambda one: one.name))

    def volumes(self, *filters: str) -> tuple[PodmanVolume, ...]:
        """Volumes that pass all `filters`, sorted by name."""
        found = self._read(_volume, "volume", "ls", "--format", "json", *_filtered(filters))
        return tuple(sorted(found, key=lambda one: one.name))

    def images(self, *filters: str) -> tuple[PodmanImage, ...]:
        """Images that pass all `filters`."""
        return tuple(self._read(_image, "images", "--no-trunc", "--format", "json", *_filtered(filters)))

    def info(self) -> Mapping[str, Any]:
        """`podman info`: versions, runtime, cgroups, as podman words it."""
        return self._parse("info", self.text("info", "--format", "json"), dict)

    def _read(self, make: Callable[[Mapping[str, Any]], T], *args: str) -> list[T]:
        return self._parse(args[0], self.text(*args), lambda found: [make(row) for row in found])

    def _parse(self, verb: str, text: str, make: Callable[[Any], T]) -> T:
        # A shape that is not understood is an unknown, never an absence.
        try:
            return make(json.loads(text or "[]"))
        except (ValueError, KeyError, TypeError, AttributeError) as odd:
            message = f"podman {verb} gave an answer that was not understood ({type(odd).__name__}: {odd})"
            raise PlatformFailed(message, hint="podman 4.3 to 5 is known to work: see `podman --version`") from odd


def find_podman() -> Podman:
    """The podman of this machine, with runc where that is installed. Raises `PreflightFailed` where there is none."""
    program = find_program("podman")
    if program is None:
        raise PreflightFailed("podman is not installed (looked for it on PATH)", hint=INSTALL_HINT)
    # crun refuses hybrid cgroups (v1 with a v2 branch); runc works on all.
    return Podman(program=program, runtime="runc" if find_program("runc") else None)


def find_program(name: str) -> str | None:
    """Path of a program on PATH or in an sbin folder, or None."""
    places = os.environ.get("PATH", os.defpath).split(os.pathsep)
    if any(place in {"/usr/bin", "/bin"} for place in places):
        places += _SEARCH_MORE
    return shutil.which(name, path=os.pathsep.join(places))


def last_lines(stderr: bytes) -> str:
    """The last lines of a program's complaint as one line of plain text: no control characters, no noise."""
    lines = [_plain(line) for line in stderr.decode(errors="replace").splitlines()]
    kept = [line for line in lines if line and not line.startswith(_NOISE)][-_KEPT_LINES:]
    return " / ".join(kept) or "it said nothing"


def _plain(line: str) -> str:
    text = "".join(char if char.isprintable() else " " for char in line).strip().removeprefix("Error: ")
    return text if len(text) <= _KEPT_LINE_LENGTH else f"{text[:_KEPT_LINE_LENGTH]}..."


def _filtered(filters: Sequence[str]) -> Iterable[str]:
    return [f"--filter={one}" for one in filters]


def _container(row: Mapping[str, Any]) -> Container:
    limits = row["HostConfig"]
    ports = row["NetworkSettings"].get("Ports") or {}
    published = ports.get("22/tcp") or (row["HostConfig"].get("PortBindings") or {}).get("22/tcp") or ()
    return Container(
        id=row["Id"],
        name=row["Name"],
        status=row["State"]["Status"],
        labels=dict(row["Config"]["Labels"] or {}),
        image_id=row["Image"],
        mounts={one["Name"]: one["Destination"] for one in row["Mounts"] if one.get("Type") == "volume"},
        cpus=limits["NanoCpus"] / 1e9 or None,
        memory_gib=limits["Memory"] / GIB or None,
        cgroup_path=row["State"].get("CgroupPath") or "",
        ssh_port=next((int(one["HostPort"]) for one in published if one.get("HostPort")), None),
    )


def _listed(row: Mapping[str, Any]) -> Listed:
    return Listed(
        id=row["Id"],
        names=tuple(row["Names"] or ()),
        status=row["State"].lower(),
        labels=dict(row["Labels"] or {}),
        image_id=row["ImageID"],
    )


def _network(row: Mapping[str, Any]) -> PodmanNetwork:
    cidrs = tuple(one["subnet"] for one in row.get("subnets") or ())
    return PodmanNetwork(id=row["id"], name=row["name"], labels=dict(row.get("labels") or {}), cidrs=cidrs)


def _volume(row: Mapping[str, Any]) -> PodmanVolume:
    return PodmanVolume(name=row["Name"], labels=dict(row.get("Labels") or {}))


def _image(row: Mapping[str, Any]) -> PodmanImage:
    return PodmanImage(id=row["Id"], names=tuple(row.get("Names") or ()), labels=dict(row.get("Labels") or {}))
