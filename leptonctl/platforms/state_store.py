"""Where states are kept: the few things that are asked of a folder or a bucket, and the folder."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Stored:
    """One file or object. `key` counts from the store's top, with slashes."""

    key: str
    size_bytes: int
    modified: datetime


class Store(Protocol):
    """Files or objects by key, below a top of the store's own. Every failure is a `LeptonError`."""

    @property
    def url(self) -> str:
        """The store as the engine wants it."""

    @property
    def is_shared(self) -> bool:
        """Whether other machines use it too."""

    def read(self, key: str) -> bytes | None:
        """What is there; None where nothing is."""

    def write(self, key: str, data: bytes) -> None:
        """Put it there, whole or not at all."""

    def add(self, key: str, data: bytes) -> None:
        """Put it there, whole or not at all; what is there stays."""

    def remove(self, key: str) -> None:
        """Take it away; nothing happens where nothing is."""

    def listed(self, prefix: str) -> tuple[Stored, ...]:
        """Everything whose key begins so, by key."""

    def place(self, key: str) -> str:
        """Where that is, for people: a path, or the address of an object."""


@dataclass(frozen=True, slots=True)
class FolderStore:
    """A folder of this machine; folders in it are 0700, files 0600. It is made when something is written."""

    folder: Path

    @property
    def url(self) -> str:
        """The store as the engine wants it."""
        return f"file://{self.folder}"

    @property
    def is_shared(self) -> bool:
        """Whether other machines use it too."""
        return False

    def read(self, key: str) -> bytes | None:
        """What is there; None where nothing is."""
        try:
            return (self.folder / key).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, key: str, data: bytes) -> None:
        """Put it there, whole or not at all."""
        path = self.folder / key
        self._make(path.parent)
        new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            new.replace(path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise

    def add(self, key: str, data: bytes) -> None:
        """Put it there, whole or not at all; what is there stays."""
        if self.read(key) is None:
            self.write(key, data)

    def remove(self, key: str) -> None:
        """Take it away; nothing happens where nothing is."""
        (self.folder / key).unlink(missing_ok=True)

    def listed(self, prefix: str) -> tuple[Stored, ...]:
        """Everything whose key begins so, by key."""
        # A prefix may end in the middle of a name.
        top = self.folder / prefix.rpartition("/")[0]
        found = []
        for path in top.rglob("*"):
            key = path.relative_to(self.folder).as_posix()
            if key.startswith(prefix) and path.is_file():
                about = path.stat()
                found.append(Stored(key, about.st_size, datetime.fromtimestamp(about.st_mtime, UTC)))
        return tuple(sorted(found, key=lambda one: one.key))

    def place(self, key: str) -> str:
        """Where that is, for people."""
        return str(self.folder / key)

    def _make(self, folder: Path) -> None:
        missing = [one for one in (folder, *folder.parents) if not one.exists()]
        for one in reversed(missing):
            one.mkdir(mode=0o700, exist_ok=True)
