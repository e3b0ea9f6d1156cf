"""A stand-in for the `pulumi` program: what the Automation API asks of it, for machines that have no engine.

It does: stacks in files and buckets, create, no change, update, replace, delete in reverse order, refresh, previews
with unknown values, the order of dependence, a state after a failure that holds what was made, secrets masked in
outputs, a lock while it works, and the event log; of exclusions, that what is not registered stays. It does not do:
pending operations, aliases, moving, targets, transforms, policies, plug-ins by version, several providers of one
package, encryption (secrets are only encoded), or an end in good order when it is interrupted. A pass on it is never
evidence about the real engine.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime

from tests.engine.standin.deployment import Failed, Operation
from tests.engine.standin.events import EventLog
from tests.engine.standin.stack import StackFile, masked, shown

VERSION = "v3.260.0"


def main(words: list[str]) -> int:
    """Do one command and return the exit code."""
    plain = [word for word in words if not word.startswith("-")]
    if words == ["version"] or plain[:1] == ["version"]:
        return _say(VERSION)
    if plain[:1] == ["stack"]:
        return _stack(plain[1], words)
    if plain[0] in {"up", "preview", "refresh", "destroy"}:
        return _change(plain[0], words)
    return _fail(f"the stand-in has no command {' '.join(words)}")


def _stack(verb: str, words: list[str]) -> int:  # noqa: PLR0911 - a return for each command
    names = [word for word in words if not word.startswith("-")][2:]
    stack = StackFile(_value(words, "--stack") or names[0])
    if verb == "init":
        if stack.exists():
            return _fail(f"stack '{stack.name}' already exists")
        stack.init(_value(words, "--secrets-provider") or "passphrase")
        return 0
    if not stack.exists():
        return _fail(f"no stack named '{stack.name}' found", 6)
    if verb == "select":
        return 0
    if verb == "export":
        return _say(json.dumps({"version": 3, "deployment": stack.read()}))
    if verb == "import":
        with open(_value(words, "--file") or "") as file:  # noqa: PTH123 - the path comes as text
            stack.write(json.load(file)["deployment"])
        return 0
    if verb == "rm":
        stack.remove()
        return 0
    if verb == "output":
        found = {name: shown(value) if "--show-secrets" in words else masked(value)
                 for name, value in stack.outputs().items()}  # fmt: skip
        return _say(json.dumps(found))
    if verb == "history":
        return _say(json.dumps(stack.history()[:1]))
    return _fail(f"the stand-in has no command stack {verb}")


def _change(verb: str, words: list[str]) -> int:
    stack = StackFile(_value(words, "--stack") or "")
    is_dry = verb == "preview" or "--preview-only" in words
    if not stack.is_open():
        return _fail("failed to decrypt: incorrect passphrase")
    if not is_dry and not stack.lock():
        return _fail("the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end")
    events = EventLog(_value(words, "--event-log"))
    began = datetime.now(UTC)
    result = "succeeded"
    operation = Operation(stack, events, is_dry=is_dry)
    try:
        if verb == "refresh" or "--refresh" in words:
            operation.refresh(is_told=verb == "refresh")
        if verb in {"up", "preview"}:
            operation.run_program(_value(words, "--client") or "", kept=_values(words, "--exclude"))
        if verb == "destroy":
            operation.destroy(exclude_protected="--exclude-protected" in words)
    except Failed as failed:
        result = "failed"
        events.error(str(failed))
    finally:
        operation.end()
        if not is_dry:
            stack.write(operation.state())
            stack.remember(verb, began, result, operation.counts)
            stack.unlock()
        events.summary(operation.counts)
        events.close()
    return 0 if result == "succeeded" else _fail(f"{'preview' if is_dry else 'update'} failed", 255)


def _value(words: list[str], flag: str) -> str | None:
    for place, word in enumerate(words):
        if word == flag:
            return words[place + 1]
        if word.startswith(f"{flag}="):
            return word.partition("=")[2]
    return None


def _values(words: list[str], flag: str) -> set[str]:
    return {words[place + 1] for place, word in enumerate(words) if word == flag}


def _say(text: str) -> int:
    sys.stdout.write(f"{text}\n")
    return 0


def _fail(text: str, code: int = 1) -> int:
    sys.stderr.write(f"error: {text}\n")
    return code
