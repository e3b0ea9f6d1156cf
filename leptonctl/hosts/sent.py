"""Sends a program of `remote` to hosts and reads its answer: one round trip each, all at once, nothing installed."""

from __future__ import annotations

import base64
import json
import zlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leptonctl.hosts.reach import Request

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from leptonctl.hosts.reach import Reply
    from leptonctl.hosts.target import Target

HOSTS_AT_ONCE = 64
_FOLDER = Path(__file__).parent / "remote"


def request_of(target: Target, modules: tuple[str, ...], request: Mapping[str, object]) -> Request:
    """The request that runs `modules` (in order of need; the last one is the program) on a host, as root."""
    command = "exec python3 -" if target.endpoint.user == "root" else "exec sudo -n -- python3 -"
    program = f"{_source('start')}\n\nstart({_packed(modules)!r}, {json.dumps(request)!r})\n"
    return Request(target.address, target.endpoint, command, program.encode())


def ask(requests: Iterable[Request], *, limit_s: float) -> dict[str, Reply]:
    """The replies by host address; a host that does not answer within the limit has one that says so."""
    from leptonctl.hosts.ssh import run_all  # noqa: PLC0415 - heavy

    return run_all(list(requests), limit=HOSTS_AT_ONCE, timeout_s=limit_s)


def answer_of(reply: Reply) -> tuple[dict[str, Any], str | None]:
    """The program's answer, or why it is not one."""
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


@cache
def _packed(modules: tuple[str, ...]) -> str:
    """Names and sources as `remote.start` takes them: made once for all hosts, a third of their size."""
    sources = json.dumps([(name, _source(name)) for name in modules])
    return base64.b64encode(zlib.compress(sources.encode(), 9)).decode()


@cache
def _source(name: str) -> str:
    return (_FOLDER / f"{name}.py").read_text(encoding="utf-8")
