"""Rules on how hosts are reached: nothing that ssh could take for an option."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.sitefile.findings import Finding
from leptonctl.sitefile.model import Host
from leptonctl.sitefile.rules.forms import is_jump, is_login
from leptonctl.sitefile.rules.parts import locations
from leptonctl.sitefile.words import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.sitefile.findings import Path
    from leptonctl.sitefile.model import Site, Ssh


def check_ssh(site: Site) -> Iterator[Finding]:
    """Every `ssh` section, and the login names of hosts."""
    for path, location in locations(site):
        if location.platform != "ssh":
            continue
        yield from _check_section(location.ssh, (*path, "ssh"))
        for name, group in location.nodes.items():
            yield from _check_section(group.ssh, (*path, "nodes", name, "ssh"))
            for index, host in enumerate(group.hosts or ()):
                if isinstance(host, Host) and host.user is not None and not is_login(host.user):
                    yield _bad_login(host.user, (*path, "nodes", name, "hosts", index, "user"))


def _check_section(ssh: Ssh, path: Path) -> Iterator[Finding]:
    if ssh.user is not None and not is_login(ssh.user):
        yield _bad_login(ssh.user, (*path, "user"))
    if ssh.jump is not None and not is_jump(ssh.jump):
        message = f"{quoted(ssh.jump)} is not a jump host"
        yield Finding("bad-login", (*path, "jump"), message, "write it as [USER@]HOST[:PORT]")
    for key in ("key", "known_hosts"):
        file = getattr(ssh, key)
        if file is not None and file.startswith("-"):
            message = f"{quoted(file)} would be read as an option of ssh"
            yield Finding("bad-login", (*path, key), message, f"write ./{file}")


def _bad_login(user: str, path: Path) -> Finding:
    hint = "use letters, digits, dots, dashes and underscores, a letter first"
    return Finding("bad-login", path, f"{quoted(user)} is not a login name", hint)
