"""YAML: a site file's text as plain data, and the place of every key and value. The only module that reads YAML.

A valid file is read once, by a quick reader that knows no positions. Only where something is wrong is the text read
again, event by event, with positions; that reader never follows an alias and never recurses.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from leptonctl.sitefile.findings import Flaw
from leptonctl.sitefile.places import Composed, Place
from leptonctl.sitefile.scalars import read_scalar
from leptonctl.sitefile.syntax import syntax_flaw

if TYPE_CHECKING:
    from leptonctl.sitefile.findings import Path
    from leptonctl.sitefile.places import Kind

DEPTH_LIMIT = 32
# Where a token may start, one of the marks of anchors, aliases and tags. May also hit inside text or a comment behind
# a value: then the slow reader decides.
_MARKS = re.compile(r"(?:^|[\s\[{,:?-])[&*!]")


_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_WRITE_OUT = "write it out, or set it further up, where it holds for everything below"

_LARGE = 2**20
_CORE_TAGS = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Source:
    """A site file's name and text. Positions are worked out when the first one is asked for."""

    file: str
    text: str

    def read(self) -> Composed:
        """The data of the file, quickly where nothing is wrong with the YAML, else with `flaws` and `places`."""
        quick = None if _is_suspicious(self.text) else read_quickly(self.text)
        return quick or self.composed

    @cached_property
    def composed(self) -> Composed:
        """The text read with positions."""
        return _compose(self.text, self.lines)

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the text, without their ends."""
        return self.text.replace("\r\n", "\n").split("\n")

    def span(self, path: Path) -> Place | None:
        """The place of a path, or of the nearest one above it that the file has; None for the top of the file."""
        places = self.composed.places
        while path and path not in places:
            path = path[:-1]
        return places.get(path)

    def place(self, path: Path, *, key: bool = False) -> tuple[int, int]:
        """Line and column of a path's value, or of its key."""
        span = self.span(path)
        if span is None:
            return 1, 1
        return (span.key_line, span.key_column) if key else (span.line, span.column)

    def word(self, path: Path) -> str | None:
        """How the file writes the value at a path, where that is a word without quotes on one line."""
        span = self.composed.places.get(path)
        if span is None or span.kind != "word":
            return None
        return self.lines[span.line - 1][span.column - 1 : span.column - 1 + span.width].strip() or None

    def is_blank(self, span: Place) -> bool:
        """Whether nothing at all is written where a value is."""
        return span.kind == "word" and not self.lines[span.line - 1][span.column - 1 :][: span.width].strip(" ,]}")


def _is_suspicious(text: str) -> bool:
    """Whether the text may have what the quick reader would silently read (anchors, tags, merge keys), or choke on."""
    if "<<" in text or text.startswith("%") or "\n%" in text:
        return True
    if _may_be_deep(text):
        return True
    if "&" not in text and "*" not in text and "!" not in text:
        return False
    for found in _MARKS.finditer(text):
        line_start = text.rfind("\n", 0, found.end() - 1) + 1
        if not text[line_start : found.end()].lstrip().startswith("#"):
            return True
    return False


def _may_be_deep(text: str) -> bool:
    """Whether brackets may be nested too deeply: the quick reader's time grows with the square of their depth."""
    brackets = text.encode("utf-8", errors="replace").translate(None, _NOT_BRACKETS)
    for _ in range(DEPTH_LIMIT):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return bool(brackets)


def read_quickly(text: str) -> Composed | None:
    """The data alone, without positions; None where the quick reader cannot read the text."""
    import ryaml  # noqa: PLC0415 - the command line starts without it

    try:
        return Composed(ryaml.loads(text))  # type: ignore[attr-defined]  # its stubs hide what they import
    except ValueError:
        return None
    finally:
        if len(text) > _LARGE:
            _give_back_memory()


def _give_back_memory() -> None:
    """Hand the reader's freed memory back to the system.

    The C library would keep it, while Python takes new memory for the model: a third of the peak for 10,000 hosts.
    """
    import ctypes  # noqa: PLC0415 - only for large files

    with suppress(OSError, AttributeError):  # a C library without this call keeps the memory, and that is all
        ctypes.CDLL(None).malloc_trim(0)


@dataclass(slots=True)
class _Frame:
    """A mapping or list that is open. `path` is None where it is thrown away."""

    container: dict[object, object] | list[object]
    path: Path | None
    key: object = None
    key_place: tuple[int, int, int] = (1, 1, 1)
    has_key: bool = False
    drops_value: bool = False


_Event = Any  # PyYAML's event classes have no types of their own.


def _compose(text: str, lines: list[str]) -> Composed:
    import yaml  # noqa: PLC0415 - only needed where a position is

    composed = Composed()
    stack: list[_Frame] = []
    has_document = False
    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            if isinstance(event, yaml.NodeEvent):
                if len(stack) >= DEPTH_LIMIT:
                    _give_up(composed, _flaw("nesting", f"nested more than {DEPTH_LIMIT} deep", None, event))
                    break
                _take(event, stack, composed)
            elif isinstance(event, yaml.CollectionEndEvent):
                stack.pop()
            elif isinstance(event, yaml.DocumentStartEvent):
                if event.version or event.tags:
                    composed.flaws.append(_flaw("documents", "directives are not read", "remove it", event))
                if has_document:
                    hint = "keep one site in one file"
                    composed.flaws.append(_flaw("documents", "a second document starts here", hint, event))
                    break
                has_document = True
    except yaml.MarkedYAMLError as error:
        problem, context = _mark(error.problem_mark), _mark(error.context_mark or error.problem_mark)
        _give_up(composed, syntax_flaw(str(error.problem), problem, context, lines))
    except yaml.YAMLError as error:
        _give_up(composed, Flaw("syntax", f"this is not YAML: {error}".split("\n", maxsplit=1)[0]))
    return composed


def _give_up(composed: Composed, flaw: Flaw) -> None:
    composed.data = None
    composed.flaws.append(flaw)
    composed.ruined.add(())


def _take(event: _Event, stack: list[_Frame], composed: Composed) -> None:
    """Put one key or value where it belongs, or note why not."""
    frame = stack[-1] if stack else None
    value = _value(event)
    if frame is not None and isinstance(frame.container, dict) and not frame.has_key:
        _take_key(event, value, frame, composed)
        if isinstance(value, dict | list):
            stack.append(_Frame(value, None))
        return
    path = _value_path(frame)
    _note_marks(event, path, composed)
    if path is not None:
        composed.places[path] = _place(event, frame)
        if frame is None:
            composed.data = value
        elif isinstance(frame.container, dict):
            frame.container[frame.key] = value
        else:
            frame.container.append(value)
    if frame is not None:
        frame.has_key = False
    if isinstance(value, dict | list):
        stack.append(_Frame(value, path))


def _take_key(event: _Event, key: object, frame: _Frame, composed: Composed) -> None:
    frame.has_key, frame.key, frame.drops_value = True, key, True
    frame.key_place = line, column, width = _start(event)
    if _is_alias(event) or event.anchor is not None or event.tag is not None:
        _note_marks(event, None, composed)
    elif not isinstance(key, Hashable):
        hint = "put text that starts with '{' or '[' in quotes"
        composed.flaws.append(Flaw("complex-key", "a key must be plain text", hint, line, column, width))
        if frame.path is not None:
            composed.ruined.add(frame.path)
    elif key == "<<" and not event.style:
        composed.flaws.append(Flaw("merge-key", "merge keys are not read", _WRITE_OUT, line, column, width))
        if frame.path is not None:
            composed.merged.add(frame.path)
    elif isinstance(frame.container, dict) and key in frame.container and frame.path is not None:
        first = composed.places[(*frame.path, key)]
        message = f"duplicate key '{key}' (first on line {first.key_line})"
        composed.flaws.append(Flaw("duplicate-key", message, "remove one of the two", line, column, width))
    else:
        frame.drops_value = False


def _value_path(frame: _Frame | None) -> Path | None:
    if frame is None:
        return ()
    if frame.path is None or (frame.drops_value and isinstance(frame.container, dict)):
        return None
    return (*frame.path, frame.key if isinstance(frame.container, dict) else len(frame.container))


def _value(event: _Event) -> object:
    kind = type(event).__name__
    if kind == "MappingStartEvent":
        return {}
    if kind == "SequenceStartEvent":
        return []
    if _is_alias(event):
        return None
    return read_scalar(event.value) if not event.style else event.value


def _is_alias(event: _Event) -> bool:
    return type(event).__name__ == "AliasEvent"


def _note_marks(event: _Event, path: Path | None, composed: Composed) -> None:
    if event.anchor is not None:
        mark = f"{'*' if _is_alias(event) else '&'}{event.anchor}"
        line, column, _ = _start(event)
        message = f"anchors and aliases are not read: {mark}"
        composed.flaws.append(Flaw("alias", message, _WRITE_OUT, line, column, len(mark)))
    elif not _is_alias(event) and event.tag is not None:
        hint = "remove the tag; put text that looks like a number in quotes"
        composed.flaws.append(_flaw("tag", f"tags are not read: {event.tag.replace(_CORE_TAGS, '!!')}", hint, event))
    if path is not None and (_is_alias(event) or event.tag is not None):
        composed.ruined.add(path)


def _place(event: _Event, frame: _Frame | None) -> Place:
    line, column, width = _start(event)
    key = frame.key_place if frame is not None and isinstance(frame.container, dict) else (line, column, width)
    return Place(*key, line, column, width, _kind(event))


def _kind(event: _Event) -> Kind:
    if not hasattr(event, "style") or not hasattr(event, "value"):
        return "collection"
    return "word" if not event.style else "text"


def _mark(mark: _Event) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1


def _start(event: _Event) -> tuple[int, int, int]:
    start, end = event.start_mark, event.end_mark
    width = end.column - start.column if end.line == start.line else 1
    return start.line + 1, start.column + 1, max(width, 1)


def _flaw(rule: str, message: str, hint: str | None, event: _Event) -> Flaw:
    return Flaw(rule, message, hint, *_start(event))
