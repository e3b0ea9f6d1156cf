"""Runs a program that must not outlive its limit, nor whoever asked for it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import tempfile
import time

TICK_S = 0.25
# A diagnostic tells its engine to stop when it is asked to; killed at once, it would leave the load running.
ENDINGS = ((signal.SIGINT, 15.0), (signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0))
OUT_LIMIT = 16 * 1024 * 1024


def run_bounded(argv: list[str], limit_s: float, stdin: str = "") -> tuple[int, str, str]:
    """Run a program and give its exit status and what it printed; 124 where the limit ended it.

    It, and all that it started in its process group, also end when nobody reads our own output any more: that is how
    a host sees that the operator pressed Ctrl-C, or is gone.
    """
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(stdin.encode())
        given.seek(0)
        try:
            child = subprocess.Popen(argv, stdin=given, stdout=out, stderr=err, start_new_session=True)
        except OSError as error:
            return 127, "", f"{argv[0]}: {error.strerror}"
        try:
            why = wait_for(child, limit_s)
        finally:
            end_all(child)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read(OUT_LIMIT).decode(errors="replace"))
        if why:
            return 124, texts[0], why
        return child.returncode, texts[0], texts[1]


def wait_for(child: subprocess.Popen[bytes], limit_s: float) -> str:
    """Wait for the end of the program; give why it has to be ended, or nothing where it ended by itself."""
    end = time.monotonic() + limit_s
    while child.poll() is None:
        if time.monotonic() > end:
            return "it did not end within %d s" % limit_s
        if nobody_reads():
            return "nobody waits for it any more"
        time.sleep(TICK_S)
    return ""


def nobody_reads() -> bool:
    """Whether the other end of our own output is closed."""
    poll = select.poll()
    try:
        poll.register(sys.stdout.fileno(), select.POLLERR)
    except (OSError, ValueError):
        return False
    return any(event & (select.POLLERR | select.POLLHUP | select.POLLNVAL) for _, event in poll.poll(0))


def end_all(child: subprocess.Popen[bytes]) -> None:
    """End the program's process group: asked first, and killed at last."""
    for number, grace_s in ENDINGS:
        try:
            os.killpg(child.pid, number)
        except (ProcessLookupError, PermissionError):
            child.poll()
            return
        end = time.monotonic() + grace_s
        while time.monotonic() < end and is_there(child):
            time.sleep(TICK_S / 5)


def is_there(child: subprocess.Popen[bytes]) -> bool:
    """Whether anything of the program's process group still runs."""
    child.poll()
    try:
        os.killpg(child.pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True
