"""The stand-in's stacks: a file a stack where the real engine would have it, with its lock and history."""

from __future__ import annotations

import base64
import getpass
import json
import os
import re
import socket
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
MASK = "[secret]"
_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"


class StackFile:
    """One stack of the project whose settings lie in the working directory."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.project = _project()
        self._folder = Path(os.environ["PULUMI_BACKEND_URL"].removeprefix("file://")) / ".pulumi"
        self.path = self._folder / "stacks" / self.project / f"{name}.json"
        self._history = self._folder / "history" / self.project / f"{name}.json"
        self._locks = self._folder / "locks" / "organization" / self.project / name

    def read(self) -> dict[str, Any]:
        """The state."""
        found: dict[str, Any] = json.loads(self.path.read_text())["checkpoint"]["latest"]
        return found

    def write(self, state: dict[str, Any]) -> None:
        """Put a state in its place, as a whole."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps({"version": 3, "checkpoint": {"stack": self.name, "latest": state}}))
        new.replace(self.path)

    def outputs(self) -> dict[str, Any]:
        """What the stack exported."""
        stacks = [one for one in self.read().get("resources") or () if one["type"] == "pulumi:pulumi:Stack"]
        found: dict[str, Any] = stacks[0].get("outputs") or {} if stacks else {}
        return found

    def lock(self) -> bool:
        """Take the lock; False where somebody has it."""
        self._locks.mkdir(parents=True, exist_ok=True)
        if any(self._locks.glob("*.json")):
            return False
        now = datetime.now(UTC).isoformat()
        told = {"pid": os.getpid(), "username": getpass.getuser(), "hostname": socket.gethostname(), "timestamp": now}
        (self._locks / f"{uuid.uuid4()}.json").write_text(json.dumps(told))
        return True

    def unlock(self) -> None:
        """Give the lock back."""
        for path in self._locks.glob("*.json"):
            path.unlink()

    def remember(self, kind: str, began: datetime, result: str, counts: dict[str, int]) -> None:
        """Write an operation down."""
        entry = {
            "kind": "update" if kind == "up" else kind, "startTime": began.strftime(_TIME), "message": "",
            "environment": {}, "config": {}, "result": result, "endTime": datetime.now(UTC).strftime(_TIME),
            "version": len(self.history()) + 1, "resourceChanges": counts,
        }  # fmt: skip
        self._history.parent.mkdir(parents=True, exist_ok=True)
        self._history.write_text(json.dumps([entry, *self.history()]))

    def history(self) -> list[dict[str, Any]]:
        """All operations, newest first."""
        found: list[dict[str, Any]] = json.loads(self._history.read_text()) if self._history.exists() else []
        return found


def hidden(value: Any) -> Any:
    """A value in the form in which the state keeps a secret. It is encoded, not encrypted."""
    return {SIGNATURE: SECRET, "ciphertext": base64.b64encode(json.dumps(value).encode()).decode()}


def is_secret(value: Any) -> bool:
    """Whether a value is a secret, in the form of the wire or of the state."""
    return isinstance(value, dict) and value.get(SIGNATURE) == SECRET


def shown(value: Any) -> Any:
    """A value with its secrets in clear."""
    if is_secret(value):
        return shown(value["value"] if "value" in value else json.loads(base64.b64decode(value["ciphertext"])))
    if isinstance(value, dict):
        return {name: shown(item) for name, item in value.items()}
    return [shown(item) for item in value] if isinstance(value, list) else value


def masked(value: Any) -> Any:
    """A value with its secrets masked."""
    if is_secret(value):
        return MASK
    if isinstance(value, dict):
        return {name: masked(item) for name, item in value.items()}
    return [masked(item) for item in value] if isinstance(value, list) else value


def kept(value: Any) -> Any:
    """A value with its secrets in the form of the state."""
    if is_secret(value):
        return hidden(shown(value))
    if isinstance(value, dict):
        return {name: kept(item) for name, item in value.items()}
    return [kept(item) for item in value] if isinstance(value, list) else value


def _project() -> str:
    for name in ("Pulumi.yaml", "Pulumi.yml", "Pulumi.json"):
        path = Path.cwd() / name
        if path.exists() and (found := re.search(r'^\s*"?name"?:\s*"?([\w.-]+)', path.read_text(), re.MULTILINE)):
            return found[1]
    return "project"
