"""Looking commands: which programs of a role only look, so that their tasks ensure nothing. Pure."""

from __future__ import annotations

import hashlib
import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Words by which `find` writes, deletes or runs other programs.
_ACTS_OF_FIND = ("-delete", "-exec", "-execdir", "-fls", "-fprint", "-fprint0", "-fprintf", "-ok", "-okdir")
_LOOKS_OF_SYSTEMCTL = frozenset(
    {
        *("cat", "get-default", "help", "is-active", "is-enabled", "is-failed", "is-system-running"),
        *("list-dependencies", "list-jobs", "list-sockets", "list-timers", "list-unit-files", "list-units"),
        *("show", "show-environment", "status"),
    }
)
_LOOKS_OF_DPKG = ("--verify", "-V", "--get-selections", "--list", "-l", "--listfiles", "-L", "--status", "-s")


@dataclass(frozen=True, slots=True)
class Declared:
    """What a role says of its commands.

    `covered` are programs whose effect one of its checks sees; `looks` the SHA-256 of programs for Python's standard
    input that only look.
    """

    covered: frozenset[str] = frozenset()
    looks: frozenset[str] = frozenset()


def only_looks(argv: Sequence[str], stdin: object, declared: Declared) -> bool:
    """Whether the command changes nothing, or changes what a check of the role sees."""
    if not argv:
        return False
    program = posixpath.basename(argv[0])
    if {argv[0], program} & declared.covered:
        return True
    if program == "python3":
        return tuple(argv[1:]) == ("-",) and isinstance(stdin, str) and digest_of_program(stdin) in declared.looks
    look = _LOOKS.get(program)
    return look is not None and look(argv[1:])


def digest_of_program(text: str) -> str:
    """SHA-256 of a program's text. Ansible's file lookup cuts the end of the last line: that does not count."""
    return hashlib.sha256(text.rstrip().encode()).hexdigest()


def _first_word(arguments: Sequence[str]) -> str:
    return next((word for word in arguments if not word.startswith("-")), "")


_LOOKS: dict[str, Callable[[Sequence[str]], bool]] = {
    "dpkg": lambda arguments: bool(arguments) and arguments[0] in _LOOKS_OF_DPKG,
    "dpkg-query": lambda _arguments: True,
    "find": lambda arguments: not set(arguments) & set(_ACTS_OF_FIND),
    "systemd-detect-virt": lambda _arguments: True,
    "systemctl": lambda arguments: _first_word(arguments) in _LOOKS_OF_SYSTEMCTL,
    "visudo": lambda arguments: bool(arguments) and arguments[0] in {"-c", "-cf", "--check"},
}
