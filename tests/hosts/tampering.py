"""Changes by hand on a real host: each is told alone, under its role, and the next run of the roles mends them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.hosts.box import Box


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
