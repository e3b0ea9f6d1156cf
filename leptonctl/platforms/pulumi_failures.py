"""The engine's failures in our words; its texts, not its exit codes, tell them apart. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from leptonctl.errors import Interrupted, Locked, PlatformFailed, PreflightFailed, Problem
from leptonctl.platforms.aws_errors import NEW_CREDENTIALS, expired_code, hint_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from leptonctl.errors import LeptonError

AGAIN = (
    "run `leptonctl up` again: whatever it made is looked for on AWS by its mark and taken over, nothing is made twice"
)
_TAIL = 4
# What gRPC, and the network below it, say where a request went out and no answer came. A provider that says that the
# service refused something has had an answer.
_NO_ANSWER = re.compile(
    r"\bEOF\b|Stream removed|Socket closed|transport is closing|connection reset|broken pipe|i/o timeout|"
    r"deadline exceeded|keepalive"
)
_DIED = "exited prematurely"
_ECHOES = frozenset({"update failed", "preview failed", "destroy failed", "refresh failed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What was tried: where and what, what sealed the state, and what was told on the way.

    `told` are errors by resource and message ("" for what belongs to none), `unanswered` the resources that were being
    made when the answer stayed away.
    """

    where: str
    what: str
    sealed_from: str
    is_interrupted: bool
    told: Sequence[tuple[str, str]] = ()
    unanswered: Sequence[str] = ()


def failure_of(printed: str, attempt: Attempt, owners: Callable[[], str]) -> LeptonError:
    """The error for what the engine printed when it failed; `owners` says who holds the stack, where it is locked."""
    text, where = plain(printed), attempt.where
    if "the stack is currently locked by" in text:
        return Locked(f"{where}: its stack was locked while this run began, by {owners()}", hint="wait for it to end")
    if attempt.is_interrupted:
        return Interrupted(
            f"{where}: interrupted; what was begun has been brought to its end",
            hint="`leptonctl up` again goes on from here",
        )
    if "incorrect passphrase" in text:
        return PreflightFailed(
            f"{where}: the passphrase is not the one that the stack's secrets were encrypted with",
            hint=f"it was taken from {attempt.sealed_from}: put the right one there",
        )
    told = tuple(dict.fromkeys(attempt.told))
    # The stack and the preview themselves only say that something failed.
    causes = tuple((name, message) for name, message in told if name and "::" not in name and message not in _ECHOES)
    if attempt.unanswered:
        return _unanswered(attempt, causes, is_dead=_DIED in text or any(_DIED in message for _, message in told))
    if not (causes or told):
        return PlatformFailed(f"{where}: the engine failed at {attempt.what}: {_tail(printed)}")
    return _refused(where, causes or told)


def is_no_answer(message: str) -> bool:
    """Whether an error says that no answer came: what was asked for may have been done all the same."""
    return _NO_ANSWER.search(message) is not None


def plain(message: str) -> str:
    """A message of the engine on one line, without its marks of colour."""
    text = message
    while "<{%" in text and "%}>" in text:
        text = text[: text.index("<{%")] + text[text.index("%}>") + 3 :]
    # Of a program that failed only what failed; how Python came there is for the log.
    return " ".join(text.partition("Traceback (most recent call last)")[0].split())


def _unanswered(attempt: Attempt, causes: Sequence[tuple[str, str]], *, is_dead: bool) -> LeptonError:
    # Resources of different types may have one name.
    names = sorted(set(attempt.unanswered))
    what = "died" if is_dead else "got no answer"
    problems = tuple(
        Problem("no_answer", f"{name}: {message}", hint=AGAIN, where=attempt.where)
        for name, message in sorted(causes)
        if name in names
    )
    # What was refused besides may be why; of a plug-in that died, the others only say that it could not be reached.
    refused = () if is_dead else tuple((name, message) for name, message in causes if name not in names)
    return PlatformFailed(
        f"{attempt.where}: the engine's plug-in for AWS {what} while it was making {', '.join(names)}, and nobody "
        "knows yet how that ended",
        hint=AGAIN,
        problems=(*problems, *_problems_of(attempt.where, refused)),
    )


def _problems_of(where: str, causes: Sequence[tuple[str, str]]) -> tuple[Problem, ...]:
    return tuple(
        Problem("engine", f"{name}: {message}" if name else message, hint=hint_of(message), where=where)
        for name, message in causes
    )


def _refused(where: str, causes: Sequence[tuple[str, str]]) -> LeptonError:
    """What the provider said of resources, by name and message, as one error."""
    problems = _problems_of(where, causes)
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    expired = [(code, name) for name, message in causes if (code := expired_code(message))]
    if expired:
        code, name = expired[0]
        return PreflightFailed(
            f"{where}: AWS no longer takes the credentials ({code} at {name}){more}",
            hint=NEW_CREDENTIALS,
            problems=problems,
        )
    return PlatformFailed(f"{where}: {problems[0].message}{more}", hint=problems[0].hint, problems=problems)


def _tail(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return plain(" / ".join(lines[-_TAIL:])) or "it said nothing"
