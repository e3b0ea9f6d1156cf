"""Finds playbooks, templates and stacks: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_PACKAGE = Path(__file__).resolve().parent


def asset(*parts: str) -> Path:
    """The path of an asset such as `asset("playbooks", "site.yml")`."""
    packed = _PACKAGE / "_assets"
    root = packed if packed.is_dir() else _PACKAGE.parent
    return root.joinpath(*parts)


def digest_of_source(files: Iterable[Path], *versions: str) -> str:
    """SHA-256 over files, by name and content in the order given, and over the versions of what they are run with."""
    found = hashlib.sha256()
    for path in files:
        found.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    for version in versions:
        found.update(version.encode())
    return found.hexdigest()
