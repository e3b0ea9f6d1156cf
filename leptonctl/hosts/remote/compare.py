"""Compares entries of the manifest with the host, and says what differs in the operator's words."""

from __future__ import annotations

import fnmatch
import grp
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from leptonctl.hosts.remote.compare_accounts import compare_group, compare_user
from leptonctl.hosts.remote.facts import (
    Entry,
    Facts,
    digest_of_file,
    drop_ins_of,
    invocation_of,
    is_older,
    kind_of,
    rights_of,
    run,
    user_of,
)
from leptonctl.hosts.remote.roots import strangers

if TYPE_CHECKING:
    from collections.abc import Callable


def differences_in(entries: list[Entry], facts: Facts) -> list[dict[str, str]]:
    """Say what of a role's entries is not as it should be.

    What follows from another difference is not told twice: a unit that went with its package, the owner of a file whose
    account is missing.
    """
    packages = [entry["name"] for entry in entries if entry["kind"] == "package"]
    is_lost = any(facts["package"].get(name, {}).get("status") != "installed" for name in packages)
    gone = {entry["name"] for entry in entries if entry["kind"] == "user" and user_of(entry["name"]) is None}
    own_files = [entry["path"] for entry in entries if entry["kind"] == "file"]
    found = []
    for entry in entries:
        if entry["kind"] == "roots":
            found += strangers(entry, own_files)
        elif not (is_lost and entry["kind"] == "unit" and is_gone(entry, facts)):
            told = {key for key in ("owner", "group") if entry.get(key) in gone}
            found += differences_of({key: value for key, value in entry.items() if key not in told}, facts)
    return found


def is_gone(entry: Entry, facts: Facts) -> bool:
    """Whether no package has such a unit any more; Debian masks those of removed packages."""
    is_packed = any(os.path.exists(f"{folder}/systemd/system/{entry['name']}") for folder in ("/usr/lib", "/lib"))
    return not is_packed and facts["unit"].get(entry["name"], {}).get("LoadState") != "loaded"


def differences_of(entry: Entry, facts: Facts) -> list[dict[str, str]]:
    """Say what of one entry is not as it should be."""
    compare = COMPARE.get(entry["kind"])
    if compare is None:
        return [{"item": entry["kind"], "message": "an entry of the kind {} is not understood".format(entry["kind"])}]
    kind = {"drop_ins": "unit", "fresh": "unit", "gone": entry.get("of")}.get(entry["kind"], entry["kind"])
    item = entry.get("path") or "{} {}".format(kind, entry["name"])
    try:
        return [{"item": item, "message": message} for message in compare(entry, facts)]
    except OSError as error:
        return [{"item": item, "message": f"{item} cannot be looked at: {error.strerror}"}]


def compare_path(entry: Entry, _facts: Facts) -> list[str]:
    """Compare a file, directory or link."""
    path = entry["path"]
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return [f"{path} is missing"]
    is_kind = kind_of(found.st_mode)
    if is_kind != entry["kind"]:
        return ["{} is a {}, should be a {}".format(path, is_kind, entry["kind"])]
    if is_kind == "link":
        target = os.readlink(path)
        return (
            []
            if target == entry["target"]
            else ["{} points to {}, should point to {}".format(path, target, entry["target"])]
        )
    messages = []
    if is_kind == "file" and digest_of_file(path) != entry["sha256"]:
        messages.append(f"{path}: content changed")
    now = rights_of(path)
    messages += [
        f"{path}: {name} {now[name]}, should be {entry[name]}"
        for name in ("mode", "owner", "group")
        if name in entry and now[name] != entry[name]
    ]
    return messages


def compare_absent(entry: Entry, _facts: Facts) -> list[str]:
    """Compare a path that should not be there."""
    return ["{} is there, should be absent".format(entry["path"])] if os.path.lexists(entry["path"]) else []


def lines_of(path: str) -> list[str]:
    """Give the lines of a file; none where it is missing."""
    try:
        return Path(path).read_text(errors="replace").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return []


def compare_line(entry: Entry, _facts: Facts) -> list[str]:
    """Compare a line of a file: it is there, and no other line that its pattern fits."""
    path, line, pattern = entry["path"], entry.get("line"), entry.get("pattern")
    lines = lines_of(path)
    others = [other for other in lines if pattern and other != line and re.search(pattern, other)]
    messages = [f"{path}: the line `{line}` is missing"] if line is not None and line not in lines else []
    return messages + [f"{path}: the line `{other}` should not be there" for other in others]


def compare_block(entry: Entry, _facts: Facts) -> list[str]:
    """Compare a block of lines, with the marks around it."""
    wanted, lines = entry["lines"], lines_of(entry["path"])
    starts = range(len(lines) - len(wanted) + 1)
    if any(lines[start : start + len(wanted)] == wanted for start in starts):
        return []
    return ["{}: the block after `{}` is missing or changed".format(entry["path"], wanted[0])]


def compare_package(entry: Entry, facts: Facts) -> list[str]:
    """Compare a package's presence, version and hold. Where no version is asked for, newer ones are fine."""
    name, found = entry["name"], facts["package"].get(entry["name"])
    if found is None or found["status"] != "installed":
        return [f"package {name} is not installed"]
    messages = []
    if "pattern" in entry:
        if not fnmatch.fnmatchcase(found["version"], entry["pattern"]):
            messages.append("package {} is {}, should be {}".format(name, found["version"], entry["pattern"]))
    elif is_older(found["version"], entry["version"]):
        messages.append("package {} is {}, should be {} or newer".format(name, found["version"], entry["version"]))
    if found["want"] != entry["want"]:
        messages.append("package {} is marked {}, should be {}".format(name, found["want"], entry["want"]))
    return messages


ACTIVE_WORDS = {"active": "running", "reloading": "running", "inactive": "stopped"}
# systemd's words for units that start by themselves and need no link for it.
ENABLED = ("enabled", "static", "generated")


def compare_unit(entry: Entry, facts: Facts) -> list[str]:
    """Compare a unit's states with what the role asked of it."""
    name, found = entry["name"], facts["unit"].get(entry["name"])
    if found is None:
        return [f"unit {name} cannot be asked about"]
    wanted = entry.get("file_state")
    if wanted == "masked":
        return [] if found.get("LoadState") == "masked" else [f"unit {name} is not masked, should be"]
    if found.get("LoadState") == "masked":
        return [f"unit {name} is masked"]
    if found.get("LoadState") != "loaded":
        return ["unit {} is not there ({})".format(name, found.get("LoadState", "unknown"))]
    messages = []
    if "active" in entry:
        words = [ACTIVE_WORDS.get(state, state) for state in (found["ActiveState"], entry["active"])]
        if words[0] != words[1]:
            messages.append(f"unit {name} is {words[0]}, should be {words[1]}")
    now = found["UnitFileState"]
    if wanted and now != wanted and not (wanted == "enabled" and now in ENABLED):
        messages.append("unit {} is {}, should be {}".format(name, now or "not installed", wanted))
    return messages


def compare_drop_ins(entry: Entry, facts: Facts) -> list[str]:
    """Compare the files that change a unit. Those of packages and of the role itself are expected, no others."""
    name, found = entry["name"], facts["unit"].get(entry["name"])
    if found is None or found.get("LoadState") != "loaded":
        return []  # the unit's own entry says so
    extra = [path for path in drop_ins_of(found) if path not in entry["paths"]]
    if not extra and found.get("NeedDaemonReload") == "yes":
        return [f"unit {name}: its files changed and systemd has not read them yet"]
    return [
        f"unit {name} has an extra drop-in {path}" if ".d/" in path else f"unit {name} is replaced by {path}"
        for path in extra
    ]


def compare_fresh(entry: Entry, _facts: Facts) -> list[str]:
    """Compare what a unit's process has read with the files that are there.

    The process that ran when the manifest was written had read the files as recorded: whatever the clock says, only
    their content counts, and their own entries tell that. One that started later may have read something else in
    between where a file was touched after its start.
    """
    running = invocation_of(entry["name"])
    if running is None or running[0] == entry.get("invocation"):
        return []
    touched = []
    for path in entry["files"]:
        if os.path.exists(path):
            found = os.stat(path)
            if max(found.st_mtime_ns, found.st_ctime_ns) > running[1]:
                touched.append(path)
    return ["unit {} runs older settings than {}".format(entry["name"], path) for path in touched]


def compare_gone(entry: Entry, facts: Facts) -> list[str]:
    """Compare a package, user or group that should not be there."""
    name, of = entry["name"], entry["of"]
    if of == "package":
        is_there = facts["package"].get(name, {}).get("status") == "installed"
    elif of == "user":
        is_there = user_of(name) is not None
    else:
        is_there = any(group.gr_name == name for group in grp.getgrall())
    return [f"{of} {name} is there, should be absent"] if is_there else []


def compare_sysctl(entry: Entry, _facts: Facts) -> list[str]:
    """Compare a kernel setting that is in force."""
    path = Path("/proc/sys", entry["name"].replace(".", "/"))
    now = " ".join(path.read_text().split())
    return [] if now == entry["value"] else ["{}: is {}, should be {}".format(entry["name"], now, entry["value"])]


COMPARE: dict[str, Callable[[Entry, Facts], list[str]]] = {
    "file": compare_path,
    "directory": compare_path,
    "link": compare_path,
    "absent": compare_absent,
    "line": compare_line,
    "block": compare_block,
    "package": compare_package,
    "unit": compare_unit,
    "drop_ins": compare_drop_ins,
    "fresh": compare_fresh,
    "user": compare_user,
    "group": compare_group,
    "gone": compare_gone,
    "sysctl": compare_sysctl,
}


# Images leave out manuals and translations.
LEFT_OUT = re.compile("/usr/share/(doc|man|info|locale|lintian|help)/")


def tampered_packages(role: str, entries: list[Entry]) -> list[dict[str, str]]:
    """Say which files of the role's packages are not as packed. Settings (conffiles) are files of their own entries."""
    found = []
    for name in sorted({entry["name"] for entry in entries if entry["kind"] == "package"}):
        _, out, _ = run(["dpkg", "--verify", name], limit_s=120)
        for line in out.splitlines():
            match = re.match(r"(\S+)\s+(c\s+)?(/.*)$", line)
            if match and not match.group(2) and not (match.group(1) == "missing" and LEFT_OUT.match(match.group(3))):
                what = "is missing" if match.group(1) == "missing" else "is not as packed"
                message = f"package {name}: {match.group(3)} {what}; `up --force --roles {role}` puts it back"
                found.append({"item": "package " + name, "message": message})
    return found
