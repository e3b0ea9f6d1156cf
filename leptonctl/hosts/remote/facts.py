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


def is_older(version: str, other: str) -> bool:
    """Whether a package version comes before another in Debian's order."""
    return version != other and run(["dpkg", "--compare-versions", version, "lt", other])[0] == 0


def gather(entries: list[Entry]) -> Facts:
    """Ask dpkg and systemd once for all packages and units of the entries."""
    packages = sorted({entry["name"] for entry in entries if entry["kind"] == "package"})
    packages = sorted({*packages, *(entry["name"] for entry in entries if entry.get("of") == "package")})
    units = sorted({entry["name"] for entry in entries if entry["kind"] in ("unit", "drop_ins")})
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


def is_regular_file(path: str) -> bool:
    """Whether the path itself, and no link, is a file."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def read_link(path: str) -> str:
    """Give where a link leads; an empty text where it is none."""
    try:
        return os.readlink(path)
    except OSError:
        return ""


def rights_of(path: str) -> dict[str, str]:
    """Give owner, group and mode of what is there, or nothing."""
    try:
        found = os.lstat(path)
    except OSError:
        return {}
    return {"owner": owner_of(found), "group": group_of(found), "mode": f"{stat.S_IMODE(found.st_mode):04o}"}


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
    """Give an account with its further groups, and a digest of its password."""
    try:
        account = pwd.getpwnam(name)
    except KeyError:
        return None
    return {
        "uid": account.pw_uid,
        "gid": account.pw_gid,
        "home": account.pw_dir,
        "shell": account.pw_shell,
        "comment": account.pw_gecos,
        "groups": sorted(group.gr_name for group in grp.getgrall() if name in group.gr_mem),
        "password": password_of(name),
    }


def password_of(name: str) -> str:
    """Give a digest of an account's password field, which is a salted hash, `!` or `*`."""
    fields = (line.split(":") for line in Path("/etc/shadow").read_text().splitlines())
    password = next((field[1] for field in fields if field[0] == name), "")
    return hashlib.sha256(f"{name}:{password}".encode()).hexdigest()


# Who writes here needs no drop-in to change a unit: packages, and what systemd itself makes at each start.
PACKED = ("/usr/lib/", "/lib/", "/run/systemd/generator", "/run/systemd/system/service.d/")
OWN_FOLDERS = tuple(
    top + folder for top in ("/etc/systemd/", "/run/systemd/") for folder in ("system", "system.control")
)


def drop_ins_of(unit: dict[str, str]) -> list[str]:
    """Name the files that change a unit which a package brought, and a file that stands in its place.

    A folder that is new since systemd last read its files is not in what systemd says, but is in force after a restart.
    """
    name = unit.get("Id", "?")
    found = {*unit.get("DropInPaths", "").split(), unit.get("FragmentPath", "")}
    for folder in OWN_FOLDERS:
        found.update(map(str, Path(folder, name + ".d").glob("*.conf")))
        found.add(f"{folder}/{name}")
    return sorted(
        path
        for path in found
        if path.startswith("/") and not path.startswith(PACKED) and os.path.isfile(path) and not is_packed_link(path)
    )


def is_packed_link(path: str) -> bool:
    """Whether a link leads to a packed unit: that is how systemd keeps aliases and what is enabled."""
    return os.path.islink(path) and os.path.realpath(path).startswith(PACKED)


def invocation_of(unit: str) -> tuple[str, int] | None:
    """Give the number that systemd gave to the running process of a unit, and when it gave it; None where none runs."""
    link = "/run/systemd/units/invocation:" + unit
    try:
        return os.readlink(link), os.lstat(link).st_mtime_ns
    except OSError:
        return None
