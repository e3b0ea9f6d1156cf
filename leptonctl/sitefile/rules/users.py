"""Rules on accounts: each once, none of the system's own, keys that are keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.sitefile.findings import Finding
from leptonctl.sitefile.rules.forms import is_plain_path, is_public_key
from leptonctl.sitefile.rules.parts import sections
from leptonctl.sitefile.words import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.sitefile.findings import Path
    from leptonctl.sitefile.model import Site
    from leptonctl.sitefile.software.host import User

# Accounts of Debian and of the roles. Setting keys or a shell for them would lock out the system, or leptonctl itself.
_RESERVED = frozenset(
    (
        *("root", "daemon", "bin", "sys", "sync", "games", "man", "lp", "mail", "news", "uucp", "proxy", "www-data"),
        *("backup", "list", "irc", "nobody", "messagebus", "sshd", "systemd-network", "systemd-resolve"),
        *("systemd-timesync", "prometheus", "alertmanager"),
    )
)


def check_users(site: Site) -> Iterator[Finding]:
    """The users of every `base` section."""
    for path, software, _ in sections(site):
        names: set[str] = set()
        for index, user in enumerate(software.base.users if software.base else ()):
            place = (*path, "base", "users", index)
            if user.name in names:
                message = f"the user {quoted(user.name)} is listed twice"
                yield Finding("duplicate-user", (*place, "name"), message, "remove one of the two")
            names.add(user.name)
            yield from _check_user(user, place)


def _check_user(user: User, place: Path) -> Iterator[Finding]:
    if user.name in _RESERVED:
        message = f"{quoted(user.name)} is an account of the system"
        yield Finding("reserved-user", (*place, "name"), message, "choose another name")
    if not is_plain_path(user.shell):
        message = f"{quoted(user.shell)} is not an absolute path"
        yield Finding("bad-shell", (*place, "shell"), message, "write one such as /bin/bash")
    if user.full_name is not None and set(user.full_name) & set(":,="):
        message = f"{quoted(user.full_name)} has a character that separates fields in the account's entry"
        yield Finding("bad-full-name", (*place, "full_name"), message, "leave out : , and =")
    for index, key in enumerate(user.ssh_keys):
        if is_public_key(key):
            continue
        where = (*place, "ssh_keys", index)
        if "PRIVATE" in key:
            message = "this is a private key: it does not belong here"
            hint = "write the public key, and make a new pair where this file was shared"
            yield Finding("bad-ssh-key", where, message, hint, shows_line=False)
        else:
            message = f"{quoted(key)} is not a public key"
            yield Finding("bad-ssh-key", where, message, "write the line of the .pub file: ssh-ed25519 AAAA... NAME")
