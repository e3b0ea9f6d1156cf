"""The stand-in's stacks: a file or object a stack where the real engine would have it, with its lock and history.

They lie in leptonctl's own stores. What seals the secrets is only named, and of a passphrase it is checked that it is
the same one; nothing is encrypted.
"""

from __future__ import annotations

import base64
import getpass
import hashlib
import json
import os
import re
import socket
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from leptonctl.platforms.aws_bucket import BucketStore
from leptonctl.platforms.aws_cloud import AwsCloud
from leptonctl.platforms.state_store import FolderStore

if TYPE_CHECKING:
    from leptonctl.platforms.state_store import Store

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
MASK = "[secret]"
_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"


class StackFile:
    """One stack of the project whose settings lie in the working directory."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.project = _project()
        self._store = _store(os.environ["PULUMI_BACKEND_URL"])
        self._key = f".pulumi/stacks/{self.project}/{name}.json"
        self._history = f".pulumi/history/{self.project}/{name}.json"
        self._locks = f".pulumi/locks/organization/{self.project}/{name}/"

    def exists(self) -> bool:
        """Whether there is a state."""
        return self._store.read(self._key) is not None

    def init(self, provider: str) -> None:
        """Make the stack; the state says what its secrets would be sealed with."""
        sealed = {"type": "cloud", "state": {"url": provider, "encryptedkey": "none"}}
        if provider == "passphrase":
            sealed = {"type": "passphrase", "state": {"salt": _digest()}}
        self.write({"secrets_providers": sealed, "resources": []})

    def is_open(self) -> bool:
        """Whether the passphrase is the one that the stack was made with."""
        sealed = self.read().get("secrets_providers") or {}
        return sealed.get("type") != "passphrase" or sealed["state"]["salt"] == _digest()

    def remove(self) -> None:
        """Forget it."""
        self._store.remove(self._key)

    def read(self) -> dict[str, Any]:
        """The state."""
        found: dict[str, Any] = json.loads(self._store.read(self._key) or b"")["checkpoint"]["latest"]
        return found

    def write(self, state: dict[str, Any]) -> None:
        """Put a state in its place, as a whole."""
        if "secrets_providers" not in state:
            state = {"secrets_providers": self.read().get("secrets_providers"), **state}
        told = {"version": 3, "checkpoint": {"stack": self.name, "latest": state}}
        self._store.write(self._key, json.dumps(told).encode())

    def outputs(self) -> dict[str, Any]:
        """What the stack exported."""
        stacks = [one for one in self.read().get("resources") or () if one["type"] == "pulumi:pulumi:Stack"]
        found: dict[str, Any] = stacks[0].get("outputs") or {} if stacks else {}
        return found

    def lock(self) -> bool:
        """Take the lock; False where somebody has it."""
        if self._store.listed(self._locks):
            return False
        now = datetime.now(UTC).isoformat()
        told = {"pid": os.getpid(), "username": getpass.getuser(), "hostname": socket.gethostname(), "timestamp": now}
        self._store.write(f"{self._locks}{uuid.uuid4()}.json", json.dumps(told).encode())
        return True

    def unlock(self) -> None:
        """Give the lock back."""
        for one in self._store.listed(self._locks):
            self._store.remove(one.key)

    def remember(self, kind: str, began: datetime, result: str, counts: dict[str, int]) -> None:
        """Write an operation down."""
        entry = {
            "kind": "update" if kind == "up" else kind, "startTime": began.strftime(_TIME), "message": "",
            "environment": {}, "config": {}, "result": result, "endTime": datetime.now(UTC).strftime(_TIME),
            "version": len(self.history()) + 1, "resourceChanges": counts,
        }  # fmt: skip
        self._store.write(self._history, json.dumps([entry, *self.history()]).encode())

    def history(self) -> list[dict[str, Any]]:
        """All operations, newest first."""
        found: list[dict[str, Any]] = json.loads(self._store.read(self._history) or b"[]")
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


def _store(url: str) -> Store:
    where = urlsplit(url)
    if where.scheme == "file":
        return FolderStore(Path(where.path))
    prefix = where.path.strip("/")
    region = parse_qs(where.query)["region"][0]
    return BucketStore(AwsCloud(region), where.netloc, f"{prefix}/" if prefix else "")


def _digest() -> str:
    text = os.environ.get("PULUMI_CONFIG_PASSPHRASE")
    if text is None:
        text = Path(os.environ["PULUMI_CONFIG_PASSPHRASE_FILE"]).read_text()
    return hashlib.sha256(text.encode()).hexdigest()


def _project() -> str:
    for name in ("Pulumi.yaml", "Pulumi.yml", "Pulumi.json"):
        path = Path.cwd() / name
        if path.exists() and (found := re.search(r'^\s*"?name"?:\s*"?([\w.-]+)', path.read_text(), re.MULTILINE)):
            return found[1]
    return "project"
