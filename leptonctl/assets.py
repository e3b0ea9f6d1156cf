"""Finds playbooks, templates and stacks: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def asset(*parts: str) -> Path:
    """The path of an asset such as `asset("playbooks", "site.yml")`."""
    packed = _PACKAGE / "_assets"
    root = packed if packed.is_dir() else _PACKAGE.parent
    return root.joinpath(*parts)
