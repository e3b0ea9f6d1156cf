"""What `leptonctl state init`, `show` and `unlock` say in text, line by line. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.result import Result


def state_lines(result: Result) -> Iterator[str]:
    """The lines of one of these results."""
    data = result.data
    if result.verb == "state init":
        yield from data["done"]
        yield f"{data['place']} is ready" if data["done"] else f"{data['place']} is in order: nothing to do"
    elif result.verb == "state unlock":
        taken = "; ".join(data["taken_away"])
        yield f"took away the lock of {taken}" if taken else f"{data['location']} is not locked"
    else:
        yield f"states of site {result.site} in {data['place']}"
        for stack in data["stacks"]:
            yield from _stack_lines(stack)
        if not data["stacks"]:
            yield "none yet"


def _stack_lines(stack: dict[str, Any]) -> Iterator[str]:
    size = f"{stack['resource_count']} resources, {stack['size_bytes'] / 1024:.0f} KiB"
    yield f"{stack['stack']}: {size}, written {stack['age']} ago, sealed with {stack['sealed_by'] or 'nothing yet'}"
    newest = f", newest {stack['newest_copy']}" if stack["newest_copy"] else ""
    yield f"    {stack['copy_count']} copies{newest}"
    yield from (f"    locked by {text}" for text in stack["locks"])
    yield from (f"    unfinished: {text}" for text in stack["unfinished"])
    if stack["flaw"]:
        yield f"    {stack['flaw']}"
