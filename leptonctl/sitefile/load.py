"""Loading: a path becomes a checked Site, or every problem of the file at once.

The passes, in order: text, YAML, variables, shape, rules. Each goes on as far as it can where an earlier one found
something, so that one look at the output is enough to mend the file.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from leptonctl.sitefile.findings import Flaw
from leptonctl.sitefile.problems import invalid
from leptonctl.sitefile.source import Source
from leptonctl.sitefile.textfile import BadText, read_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from leptonctl.sitefile.model import Site


@dataclass(frozen=True)
class Loaded:
    """A checked site, and the text it came from: `source.place(path)` is the line and column of a key or value."""

    site: Site
    source: Source


def load_site(path: Path, *, environ: Mapping[str, str]) -> Loaded:
    """The site that the file describes. Raises InvalidSite with all problems; reads nothing but the file."""
    try:
        text = read_text(path)
    except BadText as error:
        raise invalid(Source(str(path), error.text), error.flaws) from None
    return load_text(text, file=str(path), environ=environ)


def load_text(text: str, *, file: str, environ: Mapping[str, str]) -> Loaded:
    """The same for text that was read already; `file` is what messages call it. Raises InvalidSite."""
    with _no_garbage_collection():
        source = Source(file, text)
        composed = source.read()
        if () in composed.ruined:
            raise invalid(source, composed.flaws)
        if composed.data is None and not composed.flaws:
            hint = "write a first one with `leptonctl init`"
            raise invalid(source, [Flaw("empty-file", "the file is empty", hint, 1, 1)])
        # Only now, when the YAML reader's memory is free again: the model's modules need a good part of it.
        from leptonctl.sitefile.passes import checked_site  # noqa: PLC0415

        return Loaded(checked_site(source, composed, environ), source)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Reading makes a hundred thousand objects and no garbage; looking for some takes a quarter of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
