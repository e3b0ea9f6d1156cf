"""The data files beside these modules: read from disk, or as they came with the modules to a host."""

from __future__ import annotations

from pathlib import Path

# Filled where the modules were sent without a folder of their own (`hosts.collector`).
EMBEDDED: dict[str, str] = {}


def read_data(name: str) -> str:
    """The text of a data file."""
    text = EMBEDDED.get(name)
    return text if text is not None else Path(__file__).with_name(name).read_text(encoding="utf-8")
