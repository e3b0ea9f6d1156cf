"""What an existing host must be, and the words for everything that can be wrong with one. Pure but for one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from leptonctl.errors import Problem
from leptonctl.planning.observed import Reach

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from leptonctl.hosts.reach import Reply
    from leptonctl.planning.desired import DesiredHost
    from leptonctl.planning.observed import Endpoint

LOOK_COMMAND = "sh -s"
SUPPORTED = {("debian", "12"): "Debian 12"}
MIN_PYTHON = (3, 9)
MAX_CLOCK_DIFFERENCE_S = 30
# A machine sold with 16 GiB shows a little less: firmware and kernel keep some.
_MEMORY_TOLERANCE = 0.9
_SSH_PORT = 22
_KIB_IN_GIB = 2**20


def look_program() -> bytes:
    """The program that says what a host is; for `LOOK_COMMAND`'s standard input."""
    return Path(__file__).with_name("ssh_look.sh").read_bytes()


def read_facts(stdout: bytes) -> Mapping[str, str]:
    """The `name=value` lines of the look, without control characters."""
    text = "".join(char if char.isprintable() or char == "\n" else "?" for char in stdout.decode(errors="replace"))
    pairs = (line.partition("=") for line in text.split("\n"))
    return {name: value.strip() for name, mark, value in pairs if mark}


def problems_of_reply(reply: Reply, endpoint: Endpoint, *, is_pinned: bool) -> tuple[Problem, ...]:
    """Why a host could not be asked, and what to do; `is_pinned` is whether the site file has its host key."""
    place, detail = _place(endpoint), reply.detail
    if reply.reach == Reach.HOST_KEY_CHANGED:
        replace = (
            "correct host_key in the site file"
            if is_pinned
            else f"ssh-keygen -R '{_known_name(endpoint)}'{_file_option(endpoint)}, then add its new key"
        )
        hint = f"nothing was sent to it; only if you know that the host was installed anew: {replace}"
        return (Problem("ssh.host_key", detail, hint, where=reply.address),)
    if reply.reach == Reach.HOST_KEY_UNKNOWN:
        file = endpoint.known_hosts or "~/.ssh/known_hosts"
        hint = (
            "nothing was sent to it; compare with what `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` says on its "
            f"console, then: ssh-keyscan{_port_option(endpoint)} {endpoint.hostname} >> {file}; or set host_key in "
            "the site file"
        )
        return (Problem("ssh.host_key", detail, hint, where=reply.address),)
    if reply.reach == Reach.PERMISSION_DENIED:
        hint = f"set ssh.user and ssh.key, or let your key in: ssh-copy-id{_port_option(endpoint)} {place}"
        return (Problem("ssh.login", detail, hint, where=reply.address),)
    return (Problem("ssh.reach", detail, _reach_hint(detail), where=reply.address),)


def problems_of_facts(
    host: DesiredHost, facts: Mapping[str, str], *, asked_between: tuple[float, float]
) -> tuple[Problem, ...]:
    """All that keeps a host from being used. `asked_between` are our clock's Unix times around its answer."""
    return tuple(
        Problem(rule, message, hint, where=host.address)
        for rule, message, hint in _complaints(host, facts, asked_between)
    )


def _complaints(
    host: DesiredHost, facts: Mapping[str, str], asked_between: tuple[float, float]
) -> Iterator[tuple[str, str, str]]:
    if facts.get("end") != "yes":
        hint = f"try it by hand: its login shell must run `{LOOK_COMMAND}` and print nothing of its own"
        yield "ssh.look", "the host answered in a way that was not understood", hint
        return
    if (facts["os_id"], facts["os_version"]) not in SUPPORTED:
        name = facts["os_name"] or "an unknown system"
        yield "ssh.os", f"{name} is not supported", f"supported: {', '.join(SUPPORTED.values())}"
    if facts["init"] != "systemd":
        yield "ssh.init", f"its init is {facts['init'] or 'unknown'}, not systemd", "use a host that runs systemd"
    yield from _python(facts["python"])
    if facts["root"] == "no":
        user = host.connection.user if host.connection and host.connection.user else "root"
        hint = f"allow it on the host: echo '{user} ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/leptonctl"
        yield "ssh.root", f"user {user} cannot become root with sudo without a password", hint
    yield from _clock(facts["clock_s"], asked_between)
    yield from _size(host, facts)


def _python(version: str) -> Iterator[tuple[str, str, str]]:
    wanted = ".".join(str(part) for part in MIN_PYTHON)
    parts = version.split(".")
    if not version:
        yield "ssh.python", "python3 is not installed", "install it on the host: apt-get install python3"
    elif not all(part.isdecimal() for part in parts) or tuple(int(part) for part in parts) < MIN_PYTHON:
        yield "ssh.python", f"python3 is {version}", f"leptonctl needs {wanted} or newer on the host"


def _clock(text: str, asked_between: tuple[float, float]) -> Iterator[tuple[str, str, str]]:
    if not text.isdecimal():
        yield "ssh.clock", "its clock could not be read", "see `date` on the host"
        return
    # Only what is certain counts: it was read at some moment of this span, and is cut to whole seconds.
    clock, (first, last) = int(text), asked_between
    off_by = max(first - 1 - clock, clock - last, 0)
    if off_by > MAX_CLOCK_DIFFERENCE_S:
        direction = "ahead of" if clock > last else "behind"
        hint = "set it: run an NTP client there (apt-get install systemd-timesyncd), or correct this machine's clock"
        yield "ssh.clock", f"its clock is {off_by:.0f} s {direction} this machine's", hint


def _size(host: DesiredHost, facts: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    hint = "use a larger machine, or correct `machine` in the site file"
    cpus, memory_gib = host.machine.cpus, host.machine.memory_gib
    if cpus is not None and not (facts["cpus"].isdecimal() and int(facts["cpus"]) >= cpus):
        yield "ssh.size", f"it has {facts['cpus'] or 'an unknown number of'} CPUs, machine.cpus is {cpus:g}", hint
    if memory_gib is None:
        return
    there = int(facts["memory_kib"]) / _KIB_IN_GIB if facts["memory_kib"].isdecimal() else None
    if there is None or there < memory_gib * _MEMORY_TOLERANCE:
        amount = "an unknown amount" if there is None else f"{there:.1f} GiB"
        yield "ssh.size", f"it has {amount} of memory, machine.memory_gib is {memory_gib:g}", hint


def _reach_hint(detail: str) -> str:
    if "refused" in detail:
        return "is sshd running there, and on this port (ssh.port)?"
    if "DNS" in detail:
        return "correct the host's name, or set its `address`"
    if "jump host" in detail:
        return "check ssh.jump, and that you can log in to the jump host with the same key"
    return "is the host up, and is the way to it open (firewall, VPN, ssh.jump)?"


def _place(endpoint: Endpoint) -> str:
    return f"{endpoint.user}@{endpoint.hostname}"


def _known_name(endpoint: Endpoint) -> str:
    return endpoint.hostname if endpoint.port == _SSH_PORT else f"[{endpoint.hostname}]:{endpoint.port}"


def _port_option(endpoint: Endpoint) -> str:
    return "" if endpoint.port == _SSH_PORT else f" -p {endpoint.port}"


def _file_option(endpoint: Endpoint) -> str:
    return f" -f {endpoint.known_hosts}" if endpoint.known_hosts else ""
