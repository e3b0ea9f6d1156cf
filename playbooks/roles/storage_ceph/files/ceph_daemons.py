# Managed by leptonctl: the next run puts this file back.
"""What every daemon of a host's Ceph cluster is made with: commands, keyrings, folders and units.

Loaded by `ceph_host` and `ceph_osds`, which lie beside it.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

LIB = Path("/var/lib/ceph")
OWN = LIB / "leptonctl"
AS_CEPH = ("--setuser", "ceph", "--setgroup", "ceph")
SERVES_S = 120
OWNER_ALONE = 0o600


class Failed(Exception):
    """Something that could not be done, with what was said."""


def run(*argv: str, text: str | None = None, limit_s: int = 300) -> str:
    """What a command prints that has to succeed. It writes files for their owner alone."""
    done = subprocess.run(argv, input=text, text=True, capture_output=True, check=False, timeout=limit_s, umask=0o077)
    if done.returncode != 0:
        last = " ".join((done.stderr or done.stdout).split())[-400:]
        raise Failed(f"{' '.join(argv[:4])}: exit {done.returncode}: {last or 'it said nothing'}")
    return done.stdout


def ceph(*arguments: str, text: str | None = None) -> str:
    """Ask the cluster, as its administrator."""
    return run("ceph", "--connect-timeout", "30", *arguments, text=text)


def write_private(path: Path, text: str, owner: str = "root") -> bool:
    """Write a file that only its owner reads; whether that changed it."""
    if path.exists() and path.read_text() == text and path.stat().st_mode & 0o777 == OWNER_ALONE:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)
    shutil.chown(path, owner, owner)
    return True


def keyring_of(name: str, key: str, *caps: str) -> str:
    """A keyring with one key, as Ceph writes it."""
    pairs = zip(caps[::2], caps[1::2], strict=True)
    return f"[{name}]\n\tkey = {key}\n" + "".join(f'\tcaps {kind} = "{cap}"\n' for kind, cap in pairs)


def folder(path: Path) -> Path:
    """A folder that is Ceph's alone."""
    path.mkdir(parents=True, exist_ok=True)
    shutil.chown(path, "ceph", "ceph")
    path.chmod(0o750)
    return path


def unit_is_on(unit: str) -> bool:
    """Whether a unit runs, and will after a boot."""
    states = [["is-active"], ["is-enabled"]]
    return all(subprocess.run(["systemctl", *one, "--quiet", unit], check=False).returncode == 0 for one in states)


def switch_on(unit: str) -> None:
    """Have a unit run, now and after a boot."""
    if not unit_is_on(unit):
        subprocess.run(["systemctl", "reset-failed", unit], check=False, capture_output=True)
        run("systemctl", "enable", "--now", unit)
        print(f"changed: {unit} runs")


def wait_until(what: str, holds: Callable[[], bool]) -> None:
    """Ask until it holds."""
    end = time.monotonic() + SERVES_S
    problem = "no"
    while True:
        try:
            if holds():
                return
        except (Failed, ValueError, KeyError) as failure:
            problem = str(failure)
        if time.monotonic() > end:
            raise Failed(f"waited {SERVES_S} s until {what}: {problem}")
        time.sleep(1)
