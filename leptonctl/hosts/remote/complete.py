"""Completes what Ansible reported with what is on the host, and refuses what is not there."""

from __future__ import annotations

import os
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
    user_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def complete_path(entry: Entry, _facts: Facts) -> str | None:
    """Add what the event did not have: the SHA-256 of a file, owner, group and mode as they are now."""
    path = entry["path"]
    try:
        found = os.lstat(path)
    except OSError:
        return f"{path} is not there"
    is_kind = kind_of(found.st_mode)
    if is_kind != entry["kind"]:
        return "{} is a {}, should be a {}".format(path, is_kind, entry["kind"])
    if is_kind == "link":
        entry["target"] = os.readlink(path)
        return None
    entry.update(owner=owner_of(found), group=group_of(found), mode=f"{stat.S_IMODE(found.st_mode):04o}")
    if is_kind == "file":
        sha1 = entry.pop("sha1", None)
        if sha1 and digest_of_file(path, "sha1") != sha1:
            return f"{path} changed while the role ran"
        entry["sha256"] = digest_of_file(path)
    return None


def complete_absent(entry: Entry, _facts: Facts) -> str | None:
    """Make sure that it is absent."""
    return "{} is still there".format(entry["path"]) if os.path.lexists(entry["path"]) else None


def complete_package(entry: Entry, facts: Facts) -> str | None:
    """Add the version that is installed."""
    found = facts["package"].get(entry["name"])
    if found is None or found["status"] != "installed":
        return "package {} is not installed".format(entry["name"])
    entry.update(version=found["version"], want=found["want"])
    return None


def complete_unit(entry: Entry, facts: Facts) -> str | None:
    """Add the unit's states and the digests of its drop-ins."""
    found = facts["unit"].get(entry["name"])
    if found is None or found.get("LoadState") != "loaded":
        return "unit {} is not loaded".format(entry["name"])
    entry.update(active=found["ActiveState"], file_state=found["UnitFileState"], drop_ins=drop_ins_of(found))
    return "unit {} is {}".format(entry["name"], found["ActiveState"]) if found["ActiveState"] == "failed" else None


def complete_user(entry: Entry, _facts: Facts) -> str | None:
    """Add the account as it is."""
    found = user_of(entry["name"])
    if found is None:
        return "user {} is not there".format(entry["name"])
    entry.update(found)
    return None


def complete_nothing(_entry: Entry, _facts: Facts) -> str | None:
    """Leave an entry that is complete as it is."""
    return None


COMPLETE: dict[str, Callable[[Entry, Facts], str | None]] = {
    "file": complete_path,
    "directory": complete_path,
    "link": complete_path,
    "absent": complete_absent,
    "package": complete_package,
    "unit": complete_unit,
    "fresh": complete_nothing,
    "user": complete_user,
}
