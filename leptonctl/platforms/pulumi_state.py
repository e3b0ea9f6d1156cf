"""What the engine keeps on disk: locks with their owners, copies of the state, and operations without a known end."""

from __future__ import annotations

import json
import os
import secrets
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leptonctl.errors import Locked, PlatformFailed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KEPT_EXPORTS = 10
_CLOCK_TOLERANCE_S = 2
Deployment = dict[str, Any]
"""What `stack export` gives: {"version": 3, "deployment": {...}}."""


@dataclass(frozen=True, slots=True)
class StateFolder:
    """Where the states of a site's stacks are, one stack a location, and all that belongs to them; folders are 0700."""

    folder: Path
    project: str

    @property
    def url(self) -> str:
        """The backend's address as the engine wants it."""
        return f"file://{self.folder}"

    @property
    def passphrase_file(self) -> Path:
        """The file with the passphrase that the secrets in the states are encrypted with."""
        return self.folder / "passphrase"

    def work_dir(self, stack: str) -> Path:
        """A folder for the settings of one stack: two stacks never write the same file."""
        return self.folder / "work" / stack

    def state_file(self, stack: str) -> Path:
        """The state of a stack."""
        return self.folder / ".pulumi" / "stacks" / self.project / f"{stack}.json"

    def stacks(self) -> tuple[str, ...]:
        """The names of the stacks that there are."""
        return tuple(sorted(path.stem for path in self.state_file("x").parent.glob("*.json")))

    def make(self, stack: str) -> None:
        """Make the folders, and a passphrase where there is none."""
        for folder in (self.folder, self.work_dir(stack), self.folder / "exports"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            handle = os.open(self.passphrase_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(32))

    def keep(self, stack: str, deployment: Deployment) -> Path:
        """Keep a copy of a state as it was before a change (0600); the newest ten a stack stay."""
        folder = self.folder / "exports"
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
        path = folder / f"{stack}-{stamp}.json"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(deployment, file)
        for old in sorted(folder.glob(f"{stack}-*.json"))[:-KEPT_EXPORTS]:
            old.unlink()
        return path

    def locks(self, stack: str) -> tuple[LockOwner, ...]:
        """Who holds the stack, oldest first."""
        folder = self.folder / ".pulumi" / "locks" / "organization" / self.project / stack
        return tuple(sorted((_lock_owner(path) for path in folder.glob("*.json")), key=lambda one: one.since))


@dataclass(frozen=True, slots=True)
class LockOwner:
    """The process that took a lock of the engine, as it wrote it down."""

    pid: int
    user: str
    host: str
    since: datetime
    path: Path

    def is_dead(self) -> bool:
        """Whether it was a process of this machine that is gone. False where that cannot be told."""
        if self.host != socket.gethostname():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return _started_after(self.pid, self.since)

    def text(self, now: datetime) -> str:
        """Owner, process, machine and age, for people."""
        minutes, seconds = divmod(max(0, int((now - self.since).total_seconds())), 60)
        age = f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
        return f"{self.user}, pid {self.pid} on {self.host}, for {age}"


def release_dead_locks(owners: Sequence[LockOwner], location: str, now: datetime) -> tuple[LockOwner, ...]:
    """Take away the locks of dead processes of this machine and return them.

    Raises `Locked` where anyone else holds one; then nothing is taken away.
    """
    living = [owner for owner in owners if not owner.is_dead()]
    if living:
        raise Locked(
            f"{location}: its stack is locked by {'; '.join(owner.text(now) for owner in living)}",
            hint="wait for it to end; if that process is surely gone on the other machine, remove "
            + ", ".join(str(owner.path) for owner in living),
        )
    for owner in owners:
        owner.path.unlink(missing_ok=True)
    return tuple(owners)


@dataclass(frozen=True, slots=True)
class PendingOperation:
    """An operation that was begun and whose end the state does not know. `kind` is the engine's word (`creating`)."""

    kind: str
    urn: str
    type: str
    inputs: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The resource's name in the program."""
        return self.urn.rpartition("::")[2]


def pending_operations(state: Deployment) -> tuple[PendingOperation, ...]:
    """The operations of a state without a known end."""
    return tuple(
        PendingOperation(
            one["type"], one["resource"]["urn"], one["resource"]["type"], one["resource"].get("inputs") or {}
        )
        for one in state["deployment"].get("pending_operations") or ()
    )


def with_adopted(state: Deployment, found: Mapping[str, str]) -> Deployment:
    """The state without pending operations, and with those resources in it that were found: URN -> id in the cloud.

    An adopted resource stands last: it depends only on what was complete before it was begun. Its outputs are its
    inputs until the next refresh reads it.
    """
    deployment = dict(state["deployment"])
    pending = deployment.pop("pending_operations", None) or []
    resources = list(deployment.get("resources") or [])
    known = {one["urn"] for one in resources}
    for one in pending:
        resource = one["resource"]
        if one["type"] == "creating" and resource["urn"] in found and resource["urn"] not in known:
            made = {**resource, "id": found[resource["urn"]], "outputs": dict(resource.get("inputs") or {})}
            resources.append({**made, "custom": True})
    return {**state, "deployment": {**deployment, "resources": resources}}


def _started_after(pid: int, moment: datetime) -> bool:
    """Whether the process with this number was started after the moment: numbers are used again."""
    try:
        # The program's name, in brackets, may hold blanks; the start, in ticks after boot, is the 20th word behind it.
        ticks = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
        boot = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime "))
    except (OSError, ValueError, IndexError, StopIteration):
        return False
    started_s = int(boot.split()[1]) + ticks / os.sysconf("SC_CLK_TCK")
    return started_s > moment.timestamp() + _CLOCK_TOLERANCE_S


def _lock_owner(path: Path) -> LockOwner:
    try:
        told = json.loads(path.read_text())
        since = datetime.fromisoformat(told["timestamp"])
        return LockOwner(int(told["pid"]), str(told["username"]), str(told["hostname"]), since, path)
    except (OSError, ValueError, KeyError, TypeError) as odd:
        raise PlatformFailed(
            f"the engine's lock {path} was not understood ({type(odd).__name__}: {odd})",
            hint="if no other run is going on, remove that file and run this again",
        ) from odd
