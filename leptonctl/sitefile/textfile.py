"""The site file as text: read whole, UTF-8, without characters that cannot be seen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from leptonctl.sitefile.findings import Flaw

if TYPE_CHECKING:
    from pathlib import Path

SIZE_LIMIT = 32 * 2**20
_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
# What bytes below 0x80 may not be: controls other than tab, line feed and carriage return.
_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n\r") + b"\x7f"
# The same for the whole text. A lone carriage return would hide the line before it on a terminal; the line ends of
# Unicode would give editors other line numbers than ours.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]|\r(?!\n)"
)


class BadText(Exception):
    """The file is not text that can be read as YAML; `flaws` says why, `text` is what was read (maybe empty)."""

    def __init__(self, text: str, *flaws: Flaw) -> None:
        super().__init__(flaws[0].message)
        self.text = text
        self.flaws = flaws


def read_text(path: Path) -> str:
    """The file's text. Raises BadText; nothing else about the file's content or absence does."""
    return decode(_read(path))


def decode(data: bytes) -> str:
    """The bytes as text. Raises BadText where they are not clean UTF-8."""
    if data.startswith(_BYTE_ORDER_MARKS):
        raise BadText(
            "", Flaw("encoding", "the file starts with a byte order mark", "save it as UTF-8 without one", 1, 1)
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        line, column = _place(before, len(before))
        message = f"the file is not UTF-8 text: byte 0x{data[error.start]:02x}"
        readable = data.decode("utf-8", errors="replace")
        raise BadText(readable, Flaw("encoding", message, "save it as UTF-8", line, column)) from None
    if _is_clean(data, text):
        return text
    flaws = []
    for found in _UNSEEN.finditer(text):
        line, column = _place(text, found.start())
        flaws.append(
            Flaw(
                "control-character",
                f"the character U+{ord(found.group()):04X} cannot be seen and is not read",
                "remove it",
                line,
                column,
            )
        )
    if not flaws:
        return text
    raise BadText(text, *flaws)


def _is_clean(data: bytes, text: str) -> bool:
    # A table look-up over the bytes is ten times quicker than the search, and settles nearly every file.
    return text.isascii() and b"\r" not in data and len(data.translate(None, _CONTROLS)) == len(data)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(SIZE_LIMIT + 1)
    except FileNotFoundError:
        raise BadText(
            "", Flaw("unreadable", "there is no such file", "write a first one with `leptonctl init`")
        ) from None
    except IsADirectoryError:
        raise BadText("", Flaw("unreadable", "this is a directory, not a file", "name the file in it")) from None
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise BadText("", Flaw("unreadable", f"the file cannot be read: {reason}")) from None
    if len(data) > SIZE_LIMIT:
        message = f"the file is larger than {SIZE_LIMIT // 2**20} MiB"
        raise BadText("", Flaw("too-large", message, "write hosts as ranges, or split the site"))
    return data


def _place(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
