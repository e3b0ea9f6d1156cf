"""Completes what a role asked for with what it left open, right after the run, and refuses a host that is not as asked.

What is taken from the host may not change from one run to the next by itself: an older package, another number of a
user. There the former manifest has the word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leptonctl.hosts.remote.compare import differences_of
from leptonctl.hosts.remote.facts import (
    Entry,
    Facts,
    digest_of_file,
    invocation_of,
    is_older,
    is_regular_file,
    read_link,
    rights_of,
    user_of,
)
from leptonctl.hosts.remote.roots import is_expected, rights_now

if TYPE_CHECKING:
    from collections.abc import Callable

# These are told by each look and stop no manifest: nothing in them is taken from the host.
WATCHED = ("drop_ins", "roots")


def complete(entry: Entry, before: Entry | None, facts: Facts, is_first: bool) -> list[str]:  # noqa: FBT001 - internal
    """Complete one entry in place; say what on the host is not as the role asked, or nothing.

    `before` is the same entry of the former manifest, where one is trusted. `is_first` where the role has never run
    here: only then is what was there before accepted.
    """
    if entry["kind"] == "roots":
        complete_roots(entry, before, is_first)
        return []
    fill = FILL.get(entry["kind"])
    problem = fill(entry, before or {}, facts) if fill else None
    if problem:
        return [problem]
    if entry["kind"] in WATCHED:
        return []
    return [found["message"] for found in differences_of(entry, facts)]


def fill_file(entry: Entry, _before: Entry, _facts: Facts) -> str | None:
    """Add the SHA-256 of a file, once it is the one that Ansible wrote, and the rights that nobody named."""
    path, sha1 = entry["path"], entry.pop("sha1", None)
    if not is_regular_file(path):
        return None  # the comparison says what is there instead
    if sha1 and digest_of_file(path, "sha1") != sha1:
        return f"{path} changed while the role ran"
    entry["sha256"] = digest_of_file(path)
    entry.update({**rights_of(path), **entry})
    return None


def fill_directory(entry: Entry, _before: Entry, _facts: Facts) -> str | None:
    """Add the rights that nobody named."""
    entry.update({**rights_of(entry["path"]), **entry})
    return None


def fill_link(entry: Entry, _before: Entry, _facts: Facts) -> str | None:
    """Add the target where the role did not name it."""
    entry.setdefault("target", read_link(entry["path"]))
    return None


def fill_package(entry: Entry, before: Entry, facts: Facts) -> str | None:
    """Add the version, which never goes down by itself, and that nothing holds the package."""
    entry.setdefault("want", "install")
    found = facts["package"].get(entry["name"])
    if found is None:
        return None
    entry["version"] = found["version"]
    former = before.get("version")
    if former and "pattern" not in before and is_older(found["version"], former):
        entry["version"] = former
    return None


def fill_fresh(entry: Entry, before: Entry, _facts: Facts) -> str | None:
    """Add which process it is that has read these files.

    The same process as before with other files has not read them, whatever the clock says.
    """
    name = entry["name"]
    running = invocation_of(name)
    entry["digests"] = {path: digest_of_file(path) for path in entry["files"] if is_regular_file(path)}
    if running is None:
        return None
    if running[0] == before.get("invocation") and entry["digests"] != before.get("digests"):
        return f"unit {name} still runs the settings of before: `systemctl restart {name}`"
    entry["invocation"] = running[0]
    return None


def fill_user(entry: Entry, before: Entry, _facts: Facts) -> str | None:
    """Add number, home and what else the role left open: as they were, unless the account was made just now."""
    found = user_of(entry["name"])
    is_made = entry.pop("is_made", False)
    if found is None:
        return None
    for key in ("uid", "gid", "home", "shell", "comment"):
        entry.setdefault(key, found[key] if is_made else before.get(key, found[key]))
    is_kept = entry["password"] == "kept" and not is_made  # noqa: S105 - the role does not ask for one
    entry["password"] = before.get("password", found["password"]) if is_kept else found["password"]
    return None


def complete_roots(entry: Entry, before: Entry | None, is_first: bool) -> None:  # noqa: FBT001 - internal
    """Add who could become root before leptonctl came. Later ones are strangers until the site file names them."""
    now = rights_now()
    if is_first:
        accepted: dict[str, Any] = now
    elif before is not None:
        accepted = before["accepted"]
    else:
        accepted = {"members": [], "accounts": [], "files": {}}
    entry["accepted"] = {
        **accepted,
        "files": {
            **accepted["files"],
            **{path: digest for path, digest in now["files"].items() if is_expected(path, entry["may"])},
        },
    }


FILL: dict[str, Callable[[Entry, Entry, Facts], str | None]] = {
    "file": fill_file,
    "directory": fill_directory,
    "link": fill_link,
    "package": fill_package,
    "fresh": fill_fresh,
    "user": fill_user,
}
