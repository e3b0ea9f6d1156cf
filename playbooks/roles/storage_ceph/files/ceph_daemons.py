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
OVER_PACKAGES = tuple(
    Path(top, name) for top in ("/etc/systemd", "/run/systemd") for name in ("system", "system.control")
)
OSD_DROP_IN = OVER_PACKAGES[0] / "ceph-osd@.service.d/leptonctl.conf"


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


def files_of(unit: str) -> list[Path]:
    """The files that change what a unit does, our own among them: drop-ins, and files in the place of packed ones."""
    drop_ins = [path for folder in folders_of(unit) for path in folder.glob("*.conf")]
    found = [*drop_ins, *(place / name for place in OVER_PACKAGES for name in names_of(unit))]
    return [path for path in found if path.is_file() and not path.is_symlink()]


def folders_of(unit: str) -> list[Path]:
    """The folders that drop-ins of a unit, or of all of its kind, lie in."""
    folders = [place / f"{name}.d" for place in OVER_PACKAGES for name in names_of(unit)]
    return [folder for folder in folders if folder.is_dir()]


def names_of(unit: str) -> tuple[str, str]:
    """A unit, and what systemd reads for all of its kind."""
    return unit, f"{unit.partition('@')[0]}@.service"


def put_over(unit: str) -> list[Path]:
    """Those of its files that others wrote."""
    ours = {OSD_DROP_IN, OVER_PACKAGES[0] / unit} if unit.startswith("leptonctl-") else {OSD_DROP_IN}
    return [path for path in files_of(unit) if path not in ours]


def uncover(unit: str) -> None:
    """Take away what others put over a unit."""
    found = put_over(unit)
    for path in found:
        path.unlink()
        print(f"changed: removed {path}")
    if found:
        run("systemctl", "daemon-reload")


def is_older_than_its_files(unit: str) -> bool:
    """Whether a unit was started before its files last changed; a folder tells of one that was removed."""
    # systemd makes this link anew at each start, so its age is the unit's.
    started = Path(f"/run/systemd/units/invocation:{unit}")
    read = (*files_of(unit), *folders_of(unit))
    return started.is_symlink() and any(path.stat().st_ctime > started.lstat().st_ctime for path in read)


def switch_on(unit: str) -> None:
    """Have a unit run as it was packed, now and after a boot."""
    uncover(unit)
    is_older = is_older_than_its_files(unit)
    if unit_is_on(unit) and not is_older:
        return
    run("systemctl", "unmask", unit)
    subprocess.run(["systemctl", "reset-failed", unit], check=False, capture_output=True)
    run("systemctl", "enable", unit)
    run("systemctl", "restart" if is_older else "start", unit)
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
