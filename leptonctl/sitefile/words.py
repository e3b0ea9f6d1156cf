"""Words of messages: how values, names and near misses are written for the operator."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from leptonctl.sitefile.findings import Path

_SHOWN = 60


def visible(text: str) -> str:
    r"""The text with every character that a terminal would act on, or not show, written out as `\x1b` or `\u202e`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def columns(text: str) -> int:
    """How many columns of a terminal the text takes, once `visible`."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def quoted(text: object) -> str:
    """The text in single quotes, cut where it is long."""
    shown = visible(str(text))
    return f"'{shown if len(shown) <= _SHOWN else shown[: _SHOWN - 3] + '...'}'"


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """` (did you mean 'count'?)`, or nothing where no known word is near."""
    near = nearest(word, known)
    return f" (did you mean '{near}'?)" if near else ""


def nearest(word: object, known: Iterable[str]) -> str | None:
    """The known word that is most like `word`; None where none is."""
    import difflib  # noqa: PLC0415 - only needed where something is wrong

    text = str(word)[:200].lower().replace("-", "_")
    by_form = {name.lower().replace("-", "_"): name for name in known}
    found = difflib.get_close_matches(text, list(by_form), n=1, cutoff=0.6)
    return by_form[found[0]] if found else None


def name_of(path: Path) -> str:
    """What a message calls the value at `path`: its key, or `item 2 of hosts`."""
    if not path:
        return "the site file"
    last = path[-1]
    if isinstance(last, int) and len(path) > 1:
        return f"item {last + 1} of {name_of(path[:-1])}"
    return visible(str(last))


def kind_of(value: object, raw: str | None = None) -> str:
    """What a value is, with its text: `text '3'`, `the number 1.10`, `a list`. `raw` is how the file writes it."""
    match value:
        case bool():
            return raw or str(value).lower()
        case int() | float():
            return f"the number {raw or value}"
        case str():
            return f"text {quoted(value)}"
        case list():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return "nothing"


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
