"""Runs a command that cannot outlive who started it: `leash.py FIFO COMMAND...`, standard library only.

Who started it holds the FIFO open for writing. `i` written to it is passed on as SIGINT, `k` kills; when the other end
closes, by whatever death, everything ends and the FIFO's folder is removed. A signal at the parent's death would not
do: Ansible's workers and SSH's masters leave their session and their parent. Here orphans come back to this process,
and it ends last of all.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_GRACE_S = 10.0
_TICK_S = 0.2


def main(fifo: str, command: list[str]) -> int:
    """Run the command to its end and give its exit status, as a shell would."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for ignored in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        # Only the FIFO speaks here. A handler that does nothing is, unlike SIG_IGN, not inherited by the command.
        signal.signal(ignored, lambda *_: None)
    child = subprocess.Popen(command)
    status = _watch(Path(fifo), child)
    _end_all()
    return status if status >= 0 else 128 - status


def _watch(fifo: Path, child: subprocess.Popen[bytes]) -> int:
    """Wait for the child, passing on what comes through the FIFO. Gives the child's status."""
    leash = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    poll = select.poll()
    poll.register(leash, select.POLLIN | select.POLLHUP)
    while True:
        _reap(child.pid)
        status = child.poll()
        if status is not None:
            return status
        if not poll.poll(_TICK_S * 1000):
            continue
        word = os.read(leash, 1)
        if word == b"i":
            child.send_signal(signal.SIGINT)
        elif word == b"k":
            _end_all(child.pid, grace_s=0.0)
        else:  # the other end is gone, and nobody else is left to remove what it had in the FIFO's folder
            _end_all(child.pid)
            shutil.rmtree(fifo.parent, ignore_errors=True)


def _end_all(child: int = 0, grace_s: float = _GRACE_S) -> None:
    """End every descendant: by SIGTERM, and by SIGKILL what is still there after `grace_s`."""
    deadline = time.monotonic() + grace_s
    how = signal.SIGTERM if grace_s else signal.SIGKILL
    told: set[int] = set()
    while alive := _descendants():
        if how == signal.SIGTERM and time.monotonic() > deadline:
            how, told = signal.SIGKILL, set()
        for process in alive - told:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, how)
        told |= alive
        _reap(child)
        time.sleep(0.02)


def _reap(child: int = 0) -> None:
    """Take in orphans that ended. The status of `child` is left for `Popen`."""
    with contextlib.suppress(ChildProcessError):
        while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if ended.si_pid == child:
                return
            os.waitpid(ended.si_pid, os.WNOHANG)


def _descendants() -> set[int]:
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                # The command's name may hold blanks and brackets: the fields are counted from the last bracket.
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                if state != "Z":
                    parents[int(entry.name)] = int(parent)
    found: set[int] = set()
    edge = {os.getpid()}
    while edge:
        edge = {process for process, parent in parents.items() if parent in edge}
        found |= edge
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
