"""GPU generations: which one a PCI device id or a model name belongs to, and the drivers that know it. Pure."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_TABLE = Path(__file__).with_name("gpus.toml")
NVIDIA, AMD = 0x10DE, 0x1002


@dataclass(frozen=True, slots=True)
class Generation:
    """A generation of NVIDIA GPUs.

    `modules` are the kinds of kernel module that know it (open, proprietary), `oldest_branch` the oldest driver branch
    that does, `sources` the texts that say so.
    """

    name: str
    ids: tuple[range, ...]
    models: tuple[str, ...]
    modules: tuple[str, ...]
    oldest_branch: int
    sources: tuple[str, ...]


@cache
def generations() -> tuple[Generation, ...]:
    """The table, in its order."""
    data = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    return tuple(
        Generation(
            name=row["name"],
            ids=tuple(_block(text) for text in row["ids"]),
            models=tuple(row["models"]),
            modules=tuple(row["modules"]),
            oldest_branch=row["oldest_branch"],
            sources=tuple(data["sources"][source] for source in row["sources"]),
        )
        for row in data["generation"]
    )


def _block(text: str) -> range:
    first, last = (int(end, 16) for end in text.split("-"))
    return range(first, last + 1)


def of_device(device: int) -> Generation | None:
    """The generation of an NVIDIA GPU by its PCI device id; None where the table does not know it."""
    return next((one for one in generations() for block in one.ids if device in block), None)


def of_model(model: str) -> Generation | None:
    """The generation of a model as a site file names it, such as `H100` or `NVIDIA A100-SXM4-80GB`; None if unknown.

    The longest name that stands in it as words of its own counts: `A100` is not an `A10`, `RTX 6000 Ada` no `RTX 6000`.
    """
    words = f" {_plain(model)} "
    named = [(len(name), one) for one in generations() for name in one.models if f" {_plain(name)} " in words]
    return max(named, key=lambda found: found[0])[1] if named else None


def _plain(name: str) -> str:
    return " ".join(re.split(r"[\s_-]+", name.strip().lower()))
