"""Keys of tunnels on hosts that are no whole site: by the program that `up` sends before it runs the roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leptonctl.hosts.sent import answer_of, ask, request_of

if TYPE_CHECKING:
    from tests.hosts.box import Box

MODULES = ("facts", "private_file", "tunnel")


def told(box: Box, request: dict[str, Any]) -> dict[str, Any]:
    """What the program answers on a host."""
    (reply,) = ask([request_of(box.target, MODULES, request)], limit_s=60).values()
    answer, problem = answer_of(reply)
    assert problem is None, problem
    return answer


def make_key(box: Box) -> None:
    """Let a host have a key of its own."""
    told(box, {"do": "key"})
