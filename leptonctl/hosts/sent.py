"""Sends a program of `remote` to hosts and reads its answer: one round trip each, all at once, nothing installed."""

from __future__ import annotations

import base64
import json
import shlex
import zlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from leptonctl.assets import asset
from leptonctl.hosts.reach import Request
from leptonctl.planning.observed import Reach

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from leptonctl.hosts.reach import Reply
    from leptonctl.hosts.target import Target

Read = TypeVar("Read")
HOSTS_AT_ONCE = 64
_FOLDER = Path(__file__).parent / "remote"


def request_of(target: Target, modules: tuple[str, ...], request: Mapping[str, object]) -> Request:
    """The request that runs `modules` (in order of need; the last one is the program) on a host, as root."""
    program = f"{_source('start')}\n\nstart({_packed(modules)!r}, {json.dumps(request)!r})\n"
    return _python(target, program.encode())


def request_of_role(target: Target, role: str, program: str, *arguments: str) -> Request:
    """The request that runs a program among a role's files on a host, as root: what the role itself looks with there.

    Its answer is read by `read_as`: such a program prints JSON of its own shape.
    """
    return _python(target, asset("playbooks", "roles", role, "files", program).read_bytes(), *arguments)


def _python(target: Target, program: bytes, *arguments: str) -> Request:
    begin = "exec" if target.endpoint.user == "root" else "exec sudo -n --"
    return Request(target.address, target.endpoint, f"{begin} {shlex.join(('python3', '-', *arguments))}", program)


def ask(requests: Iterable[Request], *, limit_s: float) -> dict[str, Reply]:
    """The replies by host address; a host that does not answer within the limit has one that says so."""
    from leptonctl.hosts.ssh import run_all  # noqa: PLC0415 - heavy

    return run_all(list(requests), limit=HOSTS_AT_ONCE, timeout_s=limit_s)


def answer_of(reply: Reply) -> tuple[dict[str, Any], str | None]:
    """The program's answer, or why there is none."""
    if reply.reach != Reach.OK:
        return {}, reply.detail
    try:
        answer = json.loads(reply.stdout)
    except ValueError:
        said = b" ".join((reply.stderr or reply.stdout).split())[-300:].decode(errors="replace")
        return {}, f"the host's answer was not understood (exit {reply.exit_status}): {said or 'it said nothing'}"
    if not isinstance(answer, dict) or answer.get("schema") != 1:
        return {}, "the host's answer has a shape that is not understood"
    if "error" in answer:
        return {}, f"the look at the host failed: {answer['error']}"
    return answer, None


def read_as(reply: Reply, read: Callable[[Any], Read], unknown: Callable[[str], Read]) -> Read:
    """What `read` makes of the JSON that a program printed, or `unknown` of why there is none."""
    if reply.reach != Reach.OK:
        return unknown(reply.detail)
    try:
        return read(json.loads(reply.stdout))
    except (ValueError, KeyError, TypeError, AttributeError):
        said = reply.stderr.decode(errors="replace").strip().splitlines()[-1:]
        return unknown(f"the host's answer was not understood: {''.join(said) or 'it said nothing'}")


@cache
def _packed(modules: tuple[str, ...]) -> str:
    """Names and sources as `remote.start` takes them: made once for all hosts, a third of their size."""
    sources = json.dumps([(name, _source(name)) for name in modules])
    return base64.b64encode(zlib.compress(sources.encode(), 9)).decode()


@cache
def _source(name: str) -> str:
    return (_FOLDER / f"{name}.py").read_text(encoding="utf-8")
