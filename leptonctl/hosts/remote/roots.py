"""Who may become root on a host, and where it says so. Looks only: taking such a right away is for people to decide."""

from __future__ import annotations

import grp
import hashlib
import os
import pwd
import re
from typing import Any

from leptonctl.hosts.remote.facts import digest_of_file, run

GROUP = "sudo"
SUDOERS = "/etc/sudoers"
SUDOERS_FOLDER = "/etc/sudoers.d"
LIST_THEM = "list {} under software.base.users with sudo: true"


def rights_now() -> dict[str, Any]:
    """Give what is there: members of the group, other accounts with the number of root, digests of sudo's files."""
    return {
        "members": members(),
        "accounts": sorted(account.pw_name for account in pwd.getpwall() if account.pw_uid == 0),
        "files": {path: digest_of_file(path) for path in files_of_sudo()},
    }


def members() -> list[str]:
    """Name the accounts whose group it is, whether the first or a further one."""
    try:
        group = grp.getgrnam(GROUP)
    except KeyError:
        return []
    first = (account.pw_name for account in pwd.getpwall() if account.pw_gid == group.gr_gid)
    return sorted({*group.gr_mem, *first})


def files_of_sudo() -> list[str]:
    """Name the files that sudo reads; it passes over names with a dot or a tilde at the end."""
    try:
        names = sorted(os.listdir(SUDOERS_FOLDER))
    except OSError:
        names = []
    more = [f"{SUDOERS_FOLDER}/{name}" for name in names if "." not in name and not name.endswith("~")]
    return [path for path in (SUDOERS, *more) if os.path.isfile(path)]


def strangers(entry: dict[str, Any], own_files: list[str]) -> list[dict[str, str]]:
    """Say who may become root and is neither named by the site file nor was there before leptonctl came.

    `own_files` have entries of their own. The texts say what to do: `up` does not take these rights away.
    """
    accepted = entry["accepted"]
    now = rights_now()
    found = []
    for name in now["members"]:
        if name not in entry["listed"] and name not in accepted["members"]:
            out = f"gpasswd --delete {name} {GROUP}"
            message = f"user {name} is in group {GROUP} and may become root: run `{out}`, or " + LIST_THEM.format(name)
            found.append({"item": "user " + name, "message": message})
    for name in now["accounts"]:
        if name != "root" and name not in accepted["accounts"]:
            message = f"user {name} has the number of root (0): remove the account, or give it a number of its own"
            found.append({"item": "user " + name, "message": message})
    for path, digest in now["files"].items():
        if path in own_files or accepted["files"].get(path) == digest or is_expected(path, entry["may"]):
            continue
        who = ", ".join(named_in(path)) or "it"
        message = f"{path} changes who may become root ({who}): take it out, or " + LIST_THEM.format("them")
        found.append({"item": path, "message": message})
    return found


def is_expected(path: str, may: list[str]) -> bool:
    """Whether a file of sudo gives rights to none but those who may become root, or is as its package brought it."""
    if set(named_in(path)) <= set(may):
        return True
    return path == SUDOERS and is_as_packed(path)


def named_in(path: str) -> list[str]:
    """Give the first word of each rule, which is who gets a right (or a keyword, such as Defaults)."""
    with open(path, encoding="utf-8", errors="replace") as file:
        text = re.sub(r"\\\n", " ", file.read())
    lines = (line.strip() for line in text.splitlines())
    # `#includedir` and `#include` are no comments, nor is a number of an account after `#`.
    rules = (line for line in lines if line and not re.match(r"#(?!include|\d)", line))
    return sorted({rule.split()[0] for rule in rules})


def is_as_packed(path: str) -> bool:
    """Whether the file has the digest that dpkg keeps of it."""
    _, out, _ = run(["dpkg-query", "--show", "--showformat=${Conffiles}", "sudo"])
    kept = {words[0]: words[1] for words in (line.split() for line in out.splitlines()) if len(words) > 1}
    with open(path, "rb") as file:
        found = hashlib.md5(file.read()).hexdigest()  # noqa: S324 - dpkg keeps no other
    return kept.get(path) == found
