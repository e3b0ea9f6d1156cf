"""Compares accounts and groups with their entries in the manifest."""

from __future__ import annotations

import grp
from typing import TYPE_CHECKING

from leptonctl.hosts.remote.facts import user_of

if TYPE_CHECKING:
    from leptonctl.hosts.remote.facts import Entry, Facts


def compare_user(entry: Entry, _facts: Facts) -> list[str]:
    """Compare an account."""
    name, found = entry["name"], user_of(entry["name"])
    if found is None:
        return [f"user {name} is missing"]
    messages = []
    for key in ("uid", "gid", "home", "shell", "comment", "groups"):
        if key in entry and found[key] != entry[key]:
            values = [", ".join(value) if isinstance(value, list) else value for value in (found[key], entry[key])]
            words = [value if isinstance(value, int) else value or "empty" for value in values]
            messages.append(f"user {name}: {key} is {words[0]}, should be {words[1]}")
    messages += [
        f"user {name}: is not in group {group}"
        for group in entry.get("groups_at_least", ())
        if group not in found["groups"]
    ]
    if found["password"] != entry["password"]:
        messages.append(f"user {name}: the password changed")
    return messages


def compare_group(entry: Entry, _facts: Facts) -> list[str]:
    """Compare a group and its number, where one was asked for."""
    name = entry["name"]
    try:
        found = grp.getgrnam(name)
    except KeyError:
        return [f"group {name} is missing"]
    if "gid" in entry and found.gr_gid != int(entry["gid"]):
        return ["group {}: gid is {}, should be {}".format(name, found.gr_gid, entry["gid"])]
    return []
