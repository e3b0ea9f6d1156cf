"""The engine's locks: who holds a stack, and whether that process is surely gone.

The engine never does this itself: a lock stays for ever when its owner is killed.
"""

from __future__ import annotations

import json
import os
import signal
import socket
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from leptonctl.errors import Locked, PlatformFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leptonctl.platforms.state_store import Store

_CLOCK_TOLERANCE_S = 2
_ENDED = frozenset("ZX")


@dataclass(frozen=True, slots=True)
class LockOwner:
    """The process that took a lock of the engine, as it wrote it down. `key` is the lock's own in the store."""

    pid: int
    user: str
    host: str
    since: datetime
    key: str

    def is_dead(self) -> bool:
        """Whether it was a process of this machine that is gone. False where that cannot be told."""
        if self.host != socket.gethostname():
            return False
        return not _is_running(self.pid) or _started_after(self.pid, self.since)

    def is_alive(self) -> bool:
        """Whether it is a process of this machine that still runs. False where that cannot be told."""
        return self.host == socket.gethostname() and not self.is_dead()

    def text(self, now: datetime) -> str:
        """Owner, process, machine and age, for people."""
        return f"{self.user}, pid {self.pid} on {self.host}, for {age(now, self.since)}"


@dataclass(frozen=True, slots=True)
class Engines:
    """The engines that this machine has begun for a stack and not seen ending well: one empty file each, by process.

    Machines that share a bucket may share a name too, as containers do, and number their processes alike. So a lock in
    a bucket is this machine's only where it remembers that process.
    """

    folder: Path

    def begun(self, pid: int) -> None:
        """Remember a process."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.folder / str(pid)).touch(mode=0o600)

    def alive(self, pid: int) -> None:
        """Note that a process still runs."""
        (self.folder / str(pid)).touch(mode=0o600)

    def last_seen(self) -> datetime | None:
        """When an engine that did not end well was seen at work last; None where there is none."""
        seen = [path.stat().st_mtime for path in self.folder.glob("*")]
        return datetime.fromtimestamp(max(seen), UTC) if seen else None

    def ended(self, pid: int) -> None:
        """Forget a process that came to a good end."""
        (self.folder / str(pid)).unlink(missing_ok=True)

    def knows(self, pid: int) -> bool:
        """Whether this machine began it and has not seen it ending well."""
        return (self.folder / str(pid)).exists()

    def forget(self) -> None:
        """Forget all of them: the stack has no lock any more."""
        for path in self.folder.glob("*"):
            path.unlink(missing_ok=True)


def read_lock(store: Store, key: str) -> LockOwner | None:
    """The owner of a lock; None where it has just been given back."""
    text = store.read(key)
    if text is None:
        return None
    try:
        told = json.loads(text)
        since = datetime.fromisoformat(told["timestamp"])
        return LockOwner(int(told["pid"]), str(told["username"]), str(told["hostname"]), since, key)
    except (ValueError, KeyError, TypeError) as odd:
        raise PlatformFailed(
            f"the engine's lock {store.place(key)} was not understood ({type(odd).__name__}: {odd})",
            hint="if no other run is going on, remove it and run this again",
        ) from odd


def is_releasable(owner: LockOwner, store: Store, engines: Engines) -> bool:
    """Whether a lock may be taken away without asking: its owner was this machine's, and is gone."""
    return owner.is_dead() and (not store.is_shared or engines.knows(owner.pid))


def refuse_held(owners: Sequence[LockOwner], store: Store, engines: Engines, *, location: str, now: datetime) -> None:
    """Raise `Locked`, with every owner, where anyone holds a lock that may not be taken away."""
    living = [owner for owner in owners if not is_releasable(owner, store, engines)]
    if living:
        raise Locked(
            f"{location}: its stack is locked by {'; '.join(owner.text(now) for owner in living)}",
            hint=f"wait for it to end; if that process is surely gone, `leptonctl state unlock SITE {location}` takes "
            f"the lock away ({', '.join(store.place(owner.key) for owner in living)})",
        )


def release_dead_locks(
    owners: Sequence[LockOwner], store: Store, engines: Engines, *, location: str, now: datetime
) -> tuple[LockOwner, ...]:
    """Take away the locks of dead processes of this machine and return them.

    Raises `Locked` where anyone else holds one; then nothing is taken away.
    """
    refuse_held(owners, store, engines, location=location, now=now)
    for owner in owners:
        store.remove(owner.key)
    engines.forget()
    return tuple(owners)


def end_orphans(owner: LockOwner) -> tuple[int, ...]:
    """End what a dead engine of this machine left at work, and return the process numbers.

    Its plug-ins live on and finish what they were asked: for nobody, and beside the next run. They are in the session
    that the engine was begun in, whose number is not given to another process as long as they live.
    """
    if owner.host != socket.gethostname() or _is_running(owner.pid):
        return ()
    left = tuple(pid for pid in _processes() if _session_of(pid) == owner.pid)
    for pid in left:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return left


def age(now: datetime, since: datetime) -> str:
    """How long ago that was, for people: in the two largest units."""
    seconds = max(0, int((now - since).total_seconds()))
    parts = ((seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s"))
    first = next((place for place, (count, _) in enumerate(parts) if count), len(parts) - 1)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2])


def _processes() -> tuple[int, ...]:
    return tuple(int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())


def _session_of(pid: int) -> int | None:
    """The session of a process that runs."""
    words = _stat(pid)
    return int(words[3]) if words is not None and words[0] not in _ENDED else None


def _is_running(pid: int) -> bool:
    """Whether there is such a process that has not ended. One that nobody has asked yet how it ended has a number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    words = _stat(pid)
    return words is None or words[0] not in _ENDED


def _stat(pid: int) -> list[str] | None:
    """What Linux says of a process, from its state on; its name, in brackets, may hold blanks."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None


def _started_after(pid: int, moment: datetime) -> bool:
    """Whether the process with this number was started after the moment: numbers are used again."""
    words = _stat(pid)
    try:
        # In ticks after boot.
        ticks = int((words or [])[19])
        boot = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime "))
    except (OSError, ValueError, IndexError, StopIteration):
        return False
    started_s = int(boot.split()[1]) + ticks / os.sysconf("SC_CLK_TCK")
    return started_s > moment.timestamp() + _CLOCK_TOLERANCE_S
