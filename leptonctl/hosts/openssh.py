"""The rules of `ssh` as arguments and files of OpenSSH, for Ansible and for `leptonctl ssh`."""

from __future__ import annotations

import getpass
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from leptonctl.errors import InvalidSite

if TYPE_CHECKING:
    from collections.abc import Iterable

    from leptonctl.planning.observed import Endpoint

_SSH_PORT = 22
_JUMP = re.compile(
    r"(?:(?P<user>[A-Za-z0-9._\\-]+)@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>\d{1,5}))?"
)


@dataclass(frozen=True, slots=True)
class JumpHost:
    """A host to go through."""

    hostname: str
    port: int
    user: str


def jump_host(endpoint: Endpoint) -> JumpHost | None:
    """The endpoint's jump host, `[USER@]HOST[:PORT]` taken apart; the user is, as with ssh, the one who asks."""
    if endpoint.jump is None:
        return None
    match = _JUMP.fullmatch(endpoint.jump)
    if match is None or match["host"].startswith("-") or (match["user"] or "").startswith("-"):
        hint = "write it as [USER@]HOST[:PORT]; one jump host is supported"
        raise InvalidSite(f"jump host {endpoint.jump!r} of {endpoint.hostname} cannot be read", hint=hint)
    return JumpHost(match["host"].strip("[]"), int(match["port"] or _SSH_PORT), match["user"] or getpass.getuser())


def known_hosts_files(endpoint: Endpoint) -> tuple[Path, ...]:
    """The files, of those that exist, that hold for an endpoint with no pinned key and for any jump host."""
    files = (Path("~/.ssh/known_hosts").expanduser(), Path("/etc/ssh/ssh_known_hosts"))
    return tuple(file for file in ([endpoint.known_hosts] if endpoint.known_hosts else files) if file.is_file())


def known_hosts_text(endpoints: Iterable[Endpoint]) -> str:
    """A known_hosts file with the pinned keys of the endpoints and their jump hosts, sorted, each line once."""
    lines = {
        f"{_known_name(place.hostname, place.port)} {' '.join(key.split()[:2])}\n"
        for endpoint in endpoints
        for place, keys in ((endpoint, endpoint.host_keys), (jump_host(endpoint), endpoint.jump_host_keys))
        if place is not None
        for key in keys
    }
    return "".join(sorted(lines))


def openssh_args(endpoint: Endpoint, known_hosts: Path) -> list[str]:
    """The arguments of `ssh` up to and without the host: host key checked, nothing asked, no ssh_config read.

    `known_hosts` is a file with `known_hosts_text`; it holds only for an endpoint, or a jump host, with pinned keys.
    """
    files = (known_hosts,) if endpoint.host_keys else known_hosts_files(endpoint)
    args = [*_common_args(files), *_identity_args(endpoint), "-p", str(endpoint.port), "-l", endpoint.user]
    jump = jump_host(endpoint)
    if jump is not None:
        through = [
            "ssh",
            *_common_args((known_hosts,) if endpoint.jump_host_keys else known_hosts_files(endpoint)),
            *_identity_args(endpoint),
            *("-p", str(jump.port), "-l", jump.user, "-W", "[%h]:%p", "--", jump.hostname),
        ]
        # ProxyJump would start its ssh without these rules (known_hosts, key), so the command is spelled out.
        escaped = [part if part == "[%h]:%p" else part.replace("%", "%%") for part in through]
        args += ["-o", f"ProxyCommand={shlex.join(escaped)}"]
    return args


def _common_args(known_hosts: tuple[Path, ...]) -> list[str]:
    files = " ".join(_quoted(file) for file in known_hosts) or "/dev/null"
    return [
        *("-F", "none"),
        *("-o", "BatchMode=yes"),
        *("-o", "StrictHostKeyChecking=yes"),
        *("-o", "UpdateHostKeys=no"),
        *("-o", "CheckHostIP=no"),
        *("-o", f"UserKnownHostsFile={files}"),
        *("-o", "GlobalKnownHostsFile=/dev/null"),
        *("-o", "PreferredAuthentications=publickey"),
        *("-o", "ForwardAgent=no"),
    ]


def _identity_args(endpoint: Endpoint) -> list[str]:
    return ["-i", str(endpoint.key), "-o", "IdentitiesOnly=yes"] if endpoint.key else []


def _known_name(hostname: str, port: int) -> str:
    return hostname if port == _SSH_PORT else f"[{hostname}]:{port}"


def _quoted(path: Path) -> str:
    """A path as a value of ssh's options, where `%` starts a token and a blank the next file."""
    text = str(path).replace("%", "%%")
    return f'"{text}"' if " " in text else text
