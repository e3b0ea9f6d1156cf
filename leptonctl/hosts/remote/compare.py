"""Compares entries of the manifest with the host, and says what differs in the operator's words."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

from leptonctl.hosts.remote.facts import (
    Entry,
    Facts,
    digest_of_file,
    drop_ins_of,
    group_of,
    kind_of,
    owner_of,
    run,
    user_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def differences_of(entry: Entry, facts: Facts) -> list[dict[str, str]]:
    """Say what of one entry is not as it should be, in the operator's words."""
    compare = COMPARE.get(entry["kind"])
    if compare is None:
        return [{"item": entry["kind"], "message": "an entry of the kind {} is not understood".format(entry["kind"])}]
    item = entry.get("path") or "{} {}".format(entry["kind"], entry["name"])
    try:
        return [{"item": item, "message": message} for message in compare(entry, facts)]
    except OSError as error:
        return [{"item": item, "message": f"{item} cannot be looked at: {error.strerror}"}]


def compare_path(entry: Entry, _facts: Facts) -> list[str]:
    """Compare a file, directory or link."""
    path = entry["path"]
    try:
        found = os.lstat(path)
    except FileNotFoundError:
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
    now = {"mode": f"{stat.S_IMODE(found.st_mode):04o}", "owner": owner_of(found), "group": group_of(found)}
    messages = []
    if is_kind == "file" and digest_of_file(path) != entry["sha256"]:
        messages.append(f"{path}: content changed")
    for name, value in now.items():
        if value != entry[name]:
            messages.append(f"{path}: {name} {value}, should be {entry[name]}")
    return messages


def compare_absent(entry: Entry, _facts: Facts) -> list[str]:
    """Compare a path that should not be there."""
    return ["{} is there, should be absent".format(entry["path"])] if os.path.lexists(entry["path"]) else []


def compare_package(entry: Entry, facts: Facts) -> list[str]:
    """Compare a package's presence, version and hold."""
    found = facts["package"].get(entry["name"])
    if found is None or found["status"] != "installed":
        return ["package {} is not installed".format(entry["name"])]
    messages = []
    if found["version"] != entry["version"]:
        messages.append("package {} is {}, should be {}".format(entry["name"], found["version"], entry["version"]))
    if found["want"] != entry["want"]:
        messages.append("package {} is marked {}, should be {}".format(entry["name"], found["want"], entry["want"]))
    return messages


ACTIVE_WORDS = {"active": "running", "inactive": "stopped"}


def compare_unit(entry: Entry, facts: Facts) -> list[str]:
    """Compare a unit's states, its file and its drop-ins."""
    name, found = entry["name"], facts["unit"].get(entry["name"])
    if found is None:
        return [f"unit {name} cannot be asked about"]
    if found.get("LoadState") == "masked":
        return [f"unit {name} is masked"]
    messages = []
    if found["ActiveState"] != entry["active"]:
        words = [ACTIVE_WORDS.get(state, state) for state in (found["ActiveState"], entry["active"])]
        messages.append(f"unit {name} is {words[0]}, should be {words[1]}")
    if found["UnitFileState"] != entry["file_state"]:
        messages.append("unit {} is {}, should be {}".format(name, found["UnitFileState"], entry["file_state"]))
    now, then = drop_ins_of(found), entry["drop_ins"]
    for path in sorted(set(now) | set(then)):
        if path not in then:
            messages.append(f"unit {name} has an extra drop-in {path}")
        elif path not in now:
            messages.append(f"unit {name} lacks its drop-in {path}")
        elif now[path] != then[path]:
            messages.append(f"unit {name}: {path} changed")
    if found.get("NeedDaemonReload") == "yes":
        messages.append(f"unit {name}: its files changed and systemd has not read them yet")
    return messages


def compare_fresh(entry: Entry, _facts: Facts) -> list[str]:
    """Compare the age of a unit's process with that of the files it reads: systemd makes the link at each start."""
    link = "/run/systemd/units/invocation:" + entry["name"]
    try:
        started = os.lstat(link).st_mtime_ns
    except FileNotFoundError:
        return []  # it does not run, which its own entry tells
    return [
        "unit {} runs older settings than {}".format(entry["name"], path)
        for path in entry["files"]
        if os.path.exists(path) and os.stat(path).st_mtime_ns > started
    ]


def compare_user(entry: Entry, _facts: Facts) -> list[str]:
    """Compare an account."""
    found = user_of(entry["name"])
    if found is None:
        return ["user {} is missing".format(entry["name"])]
    messages = []
    for key in ("uid", "gid", "home", "shell", "comment", "groups"):
        if found[key] != entry[key]:
            values = [", ".join(value) if isinstance(value, list) else value for value in (found[key], entry[key])]
            messages.append(
                "user {}: {} is {}, should be {}".format(entry["name"], key, values[0] or "empty", values[1] or "empty")
            )
    if found["password"] != entry["password"]:
        messages.append("user {}: the password changed".format(entry["name"]))
    return messages


COMPARE: dict[str, Callable[[Entry, Facts], list[str]]] = {
    "file": compare_path,
    "directory": compare_path,
    "link": compare_path,
    "absent": compare_absent,
    "package": compare_package,
    "unit": compare_unit,
    "fresh": compare_fresh,
    "user": compare_user,
}


def tampered_packages(entries: list[Entry]) -> list[dict[str, str]]:
    """Say which files of the role's packages are not as packed. Settings (conffiles) are files of their own entries."""
    found = []
    for name in sorted({entry["name"] for entry in entries if entry["kind"] == "package"}):
        _, out, _ = run(["dpkg", "--verify", name], limit_s=120)
        for line in out.splitlines():
            match = re.match(r"(\S+)\s+(c\s+)?(/.*)$", line)
            if match and not match.group(2):
                what = "is missing" if match.group(1) == "missing" else "is not as packed"
                found.append({"item": "package " + name, "message": f"package {name}: {match.group(3)} {what}"})
    return found
