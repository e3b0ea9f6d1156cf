"""The lock: one a location, held by at most one run on this machine; a dead owner holds nothing."""

from __future__ import annotations

import json
import os
import socket
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from leptonctl.errors import Locked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


@contextmanager
def hold(state_dir: Path, locations: Sequence[str], *, run_id: str) -> Iterator[None]:
    """Hold the locks of all `locations`, or none: raises Locked with every owner in the way.

    The lock is the kernel's (flock): it ends with the process, also by SIGKILL. The file is for people.
    """
    from filelock import FileLock, Timeout  # noqa: PLC0415 - only the verbs that change something need it

    folder = state_dir / "locks"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    taken: list[str] = []
    with ExitStack() as stack:
        for location in sorted(locations):
            path = folder / (location.replace("/", ".") + ".lock")
            owner = path.with_suffix(".owner")
            try:
                stack.enter_context(FileLock(path, timeout=0, mode=0o600))
            except Timeout:
                taken.append(f"{location} is locked by {_owner(owner)}")
                continue
            owner.write_text(json.dumps(_me(run_id)))
            stack.callback(owner.unlink, missing_ok=True)
        if taken:
            raise Locked(
                "; ".join(taken),
                hint="wait for that run to end, or stop it (one Ctrl-C); the lock goes with its process",
            )
        yield


def _me(run_id: str) -> dict[str, object]:
    return {
        "run": run_id,
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "user": os.environ.get("USER") or str(os.getuid()),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _owner(path: Path) -> str:
    try:
        owner = json.loads(path.read_text())
        return (
            f"run {owner['run']} (user {owner['user']}, pid {owner['pid']} on {owner['host']}, since {owner['since']})"
        )
    except (OSError, ValueError, KeyError, TypeError):
        return "another run that has not written its name yet"
