"""The exception tree: one class an exit code, each with what happened and what to do.

Nothing below `cli.py` exits or prints; it raises one of these. An exception that is not a `LeptonError` is a bug.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable


class ExitCode(IntEnum):
    """What the process exits with; the table of the design page."""

    DONE = 0
    BUG = 1
    USAGE = 2
    INVALID_SITE = 3
    PLATFORM_FAILED = 4
    CONFIGURATION_FAILED = 5
    DIFFERENCE_FOUND = 6
    REFUSED = 7
    LOCKED = 8
    PREFLIGHT_FAILED = 9
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: what, where, and what to do.

    `file`, `line` and `column` (both from 1) are None where the problem has no place in a file; `where` then says where
    it is (a host or location address, a path).
    """

    rule: str
    message: str
    hint: str | None = None
    where: str | None = None
    file: str | None = None
    line: int | None = None
    column: int | None = None
    source_line: str | None = None
    width: int = 1


class LeptonError(Exception):
    """A failure that the operator can act on: `message`, `hint`, and `problems` where there are several."""

    exit_code: ClassVar[ExitCode] = ExitCode.BUG

    def __init__(self, message: str, *, hint: str | None = None, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.problems = problems


class UsageProblem(LeptonError):
    """The command line asks for something that does not exist or does not go together."""

    exit_code = ExitCode.USAGE


class InvalidSite(LeptonError):
    """The site file breaks a rule; `problems` has all of them, sorted by place."""

    exit_code = ExitCode.INVALID_SITE


class PlatformFailed(LeptonError):
    """A platform could not create, read or remove something."""

    exit_code = ExitCode.PLATFORM_FAILED


class ConfigurationFailed(LeptonError):
    """Ansible could not be run, or ended in a way that cannot be told host by host."""

    exit_code = ExitCode.CONFIGURATION_FAILED


class Refused(LeptonError):
    """Doing it would lose or endanger something: data, a stale plan, a wrong host key."""

    exit_code = ExitCode.REFUSED


class Locked(LeptonError):
    """Another run holds the lock."""

    exit_code = ExitCode.LOCKED


class PreflightFailed(LeptonError):
    """A tool, credential or quota is missing; nothing was touched."""

    exit_code = ExitCode.PREFLIGHT_FAILED


class Interrupted(LeptonError):
    """The operator stopped the run; what was begun was brought to a safe end."""

    exit_code = ExitCode.INTERRUPTED


def exit_code_over(errors: Iterable[LeptonError]) -> ExitCode:
    """The exit code of a run in which several locations failed: what they agree on, else that a platform failed.

    A refusal (a wrong host key, data) says more than any other failure.
    """
    codes = {error.exit_code for error in errors}
    if ExitCode.REFUSED in codes:
        return ExitCode.REFUSED
    return codes.pop() if len(codes) == 1 else ExitCode.PLATFORM_FAILED
