"""What is there on a host: files, packages, units, accounts. Asks; changes nothing."""

from __future__ import annotations

import grp
import hashlib
import os
import platform
import pwd
import stat
import subprocess
from pathlib import Path
from typing import Any

Entry = dict[str, Any]
# Facts that need a program are asked once for all entries: packages by name, units by name.
Facts = dict[str, dict[str, dict[str, str]]]


def about_host() -> dict[str, str]:
    """Say what the host is, in two words."""
    words = {}
    for line in Path("/etc/os-release").read_text().splitlines():
        key, _, value = line.partition("=")
        words[key] = value.strip('"')
    return {
        "os": "{} {}".format(words.get("ID", "?"), words.get("VERSION_ID", "?")),
        "python": platform.python_version(),
    }


def run(argv: list[str], limit_s: float = 30) -> tuple[int, str, str]:
    """Run a program and give its exit status and what it printed; a time-out is status 124."""
    try:
        done = subprocess.run(
            argv,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limit_s,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return 124, "", "no answer within %d s" % limit_s
    except OSError as error:
        return 127, "", f"{argv[0]}: {error.strerror}"
    return done.returncode, done.stdout, done.stderr


def gather(entries: list[Entry]) -> Facts:
    """Ask dpkg and systemd once for all packages and units of the entries."""
    packages = sorted({entry["name"] for entry in entries if entry["kind"] == "package"})
    units = sorted({entry["name"] for entry in entries if entry["kind"] in ("unit", "fresh")})
    return {"package": packages_of(packages), "unit": units_of(units)}


def packages_of(names: list[str]) -> dict[str, dict[str, str]]:
    """Version, status and selection of each package that dpkg knows."""
    if not names:
        return {}
    form = "${Package}\\t${Version}\\t${db:Status-Status}\\t${db:Status-Want}\\n"
    _, out, _ = run(["dpkg-query", "--show", "--showformat=" + form, "--", *names])
    found = {}
    for line in out.splitlines():
        name, version, status, want = line.split("\t")
        found[name] = {"version": version, "status": status, "want": want}
    return found


UNIT_PROPERTIES = ("Id", "ActiveState", "UnitFileState", "LoadState", "NeedDaemonReload", "DropInPaths", "FragmentPath")


def units_of(names: list[str]) -> dict[str, dict[str, str]]:
    """Give the properties of each unit, by the name that was asked for."""
    if not names:
        return {}
    _, out, _ = run(["systemctl", "show", "--property=" + ",".join(UNIT_PROPERTIES), "--", *names])
    blocks = [block for block in out.strip().split("\n\n") if block.strip()]
    if len(blocks) != len(names):
        return {}
    return {
        name: dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        for name, block in zip(names, blocks)  # noqa: B905 - Python 3.9 has no `strict`; the lengths are compared above
    }


def digest_of_file(path: str, kind: str = "sha256") -> str:
    """Hash a file in pieces."""
    found = hashlib.new(kind)
    with open(path, "rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            found.update(piece)
    return found.hexdigest()


def owner_of(found: os.stat_result) -> str:
    """Give the owner's name, or number where there is no name."""
    try:
        return pwd.getpwuid(found.st_uid).pw_name
    except KeyError:
        return str(found.st_uid)


def group_of(found: os.stat_result) -> str:
    """Give the group's name, or number where there is no name."""
    try:
        return grp.getgrgid(found.st_gid).gr_name
    except KeyError:
        return str(found.st_gid)


def kind_of(mode: int) -> str:
    """Say what a path is."""
    for is_kind, name in ((stat.S_ISLNK, "link"), (stat.S_ISREG, "file"), (stat.S_ISDIR, "directory")):
        if is_kind(mode):
            return name
    return "device"


def user_of(name: str) -> dict[str, Any] | None:
    """Give an account with its groups, and a digest of its password field (which may be a hash, `!` or `*`)."""
    try:
        account = pwd.getpwnam(name)
    except KeyError:
        return None
    groups = sorted(group.gr_name for group in grp.getgrall() if name in group.gr_mem)
    password = ""
    for line in Path("/etc/shadow").read_text().splitlines():
        if line.startswith(name + ":"):
            password = line.split(":")[1]
    return {
        "uid": account.pw_uid,
        "gid": account.pw_gid,
        "home": account.pw_dir,
        "shell": account.pw_shell,
        "comment": account.pw_gecos,
        "groups": groups,
        "password": hashlib.sha256((f"{name}:{password}").encode()).hexdigest(),
    }


def drop_ins_of(unit: dict[str, str]) -> dict[str, str]:
    """Give the digest of each drop-in of a unit, and of the unit's own file where it lies in /etc.

    A folder that is new since systemd last read its files is not in what systemd says, but is in force after a restart.
    """
    waiting = Path("/etc/systemd/system", unit.get("Id", "?") + ".d").glob("*.conf")
    paths = sorted({*unit.get("DropInPaths", "").split(), *map(str, waiting)})
    if unit.get("FragmentPath", "").startswith("/etc/"):
        paths.append(unit["FragmentPath"])
    return {path: digest_of_file(path) for path in paths if os.path.isfile(path)}
