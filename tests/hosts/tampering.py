"""Changes by hand on a real host: each is told alone, under its role, and the next run of the roles mends them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.hosts.box import Box


RELOAD = "systemctl daemon-reload"


@dataclass(frozen=True)
class Change:
    """A change by hand: its role, the message that it has to give, and how it is made."""

    role: str
    message: str
    command: str


@dataclass(frozen=True)
class Round:
    """Changes that a run mends, and others that it has to leave to people, with how these are undone."""

    changes: tuple[Change, ...]
    left: tuple[Change, ...] = ()
    undo: str = "true"
    tampered: tuple[Change, ...] = field(default=())


def content(role: str, path: str, then: str = "true") -> Change:
    """A line more in a file. Of a unit's, systemd has not read it then, which is told, too: `then` has it read."""
    return Change(role, f"{path}: content changed", f"echo >> {path} && {then}")


def missing(role: str, path: str) -> Change:
    """A file that is gone."""
    return Change(role, f"{path} is missing", f"rm {path}")


def mode(role: str, path: str, now: str, should_be: str) -> Change:
    """Other rights on a file or folder."""
    return Change(role, f"{path}: mode {now}, should be {should_be}", f"chmod {now} {path}")


def stopped(role: str, unit: str) -> Change:
    """A unit that does not run."""
    return Change(role, f"unit {unit} is stopped, should be running", f"systemctl stop {unit}")


def disabled(role: str, unit: str) -> Change:
    """A unit that does not come back after a boot."""
    return Change(role, f"unit {unit} is disabled, should be enabled", f"systemctl disable {unit}")


def held(role: str, package: str) -> Change:
    """A package that is kept at its version."""
    return Change(role, f"package {package} is marked hold, should be install", f"apt-mark hold {package}")


def put_over(role: str, unit: str, section: str = "Service", line: str = "Nice=5") -> Change:
    """A drop-in that changes how a unit runs."""
    path = f"/etc/systemd/system/{unit}.d/x.conf"
    return Change(role, f"unit {unit} has an extra drop-in {path}", f"{drop_in(path, section, line)} && {RELOAD}")


def drop_in(path: str, section: str = "Service", line: str = "Nice=5") -> str:
    """The command that writes a drop-in."""
    return f"printf '[{section}]\\n{line}\\n' | install -D -m 0644 /dev/stdin {path}"


def hold(box: Box, one: Round, words: dict[str, str] | None = None) -> None:
    """Make the changes of a round one by one; each has to add its message and no other. Then run the roles.

    `words` stand in messages for what is known on the host alone, as `{version}`.
    """
    assert box.found() == {}
    expected: dict[str, set[str]] = {}
    try:
        for change in (*one.changes, *one.left):
            message = change.message
            for name, value in (words or {}).items():
                message = message.replace("{" + name + "}", value)
            expected.setdefault(change.role, set()).add(message)
            box.run(change.command)
            assert {role: set(messages) for role, messages in box.found().items()} == expected
        for change in one.tampered:
            box.run(change.command)
            expected[change.role].add(f"{change.message}; `up --force --roles {change.role}` puts it back")
        if one.tampered:
            assert {role: set(messages) for role, messages in box.found(with_checks=True).items()} == expected
        box.configure()
        assert box.record().problem is None
        left: dict[str, set[str]] = {}
        for change in one.left:
            left.setdefault(change.role, set()).add(change.message)
        assert {role: set(messages) for role, messages in box.found(with_checks=True).items()} == left
    finally:
        box.run(one.undo)
    assert box.found() == {}
