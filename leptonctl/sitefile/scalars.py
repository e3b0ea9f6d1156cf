"""Plain scalars: what an unquoted word in the file means, by the core schema of YAML 1.2.

The quick reader knows this by itself; these rules are for the reader that keeps positions, and for variables. A test
holds the two readers together.
"""

from __future__ import annotations

import math
import re

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_BASED = re.compile(r"([-+]?)0([xob])([0-9a-fA-F]+)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_ZEROS_IN_FRONT = re.compile(r"[-+]?0[0-9]+")
_SPECIAL = re.compile(r"([-+]?)\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_BASES = {"x": 16, "o": 8, "b": 2}
# More digits than any number in a site file needs; Python refuses to read thousands of them.
_DIGITS_LIMIT = 300

Scalar = str | int | float | bool | None

# What YAML 1.1 made of words that are text today, and what the operator probably meant.
_OLD_BOOL = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_OLD_OCTAL = re.compile(r"[-+]?0[0-7]+")
_OLD_SEXAGESIMAL = re.compile(r"[-+]?[0-9]+(?::[0-5]?[0-9])+")
_GROUPED = re.compile(r"[-+]?[0-9]+(?:[_,'][0-9]+)+")


def read_scalar(word: str) -> Scalar:
    """The value of an unquoted word."""
    if word in _NULL:
        return None
    if word in _BOOL:
        return _BOOL[word]
    if len(word) > _DIGITS_LIMIT or not (word[0].isdigit() or word[0] in "+-."):
        return word
    if _INT.fullmatch(word):
        return int(word)
    return _read_rare_number(word)


def old_meaning(word: str) -> str | None:
    """What to write instead of a word that YAML 1.1 would have read as a truth value or number; None for others."""
    meant = _OLD_BOOL.get(word.lower())
    if meant is not None:
        return f"in YAML 1.2 a plain {word} is text; write {meant}"
    if len(word) > _DIGITS_LIMIT:
        return None
    if _OLD_OCTAL.fullmatch(word):
        octal, decimal = int(word, 8), int(word)
        return f"a number does not start with 0; write {decimal}, or {octal} if {word} was meant as octal"
    if _OLD_SEXAGESIMAL.fullmatch(word):
        return "numbers are not counted in sixties; write the number that is meant"
    if _GROUPED.fullmatch(word):
        return f"write the number without separators: {re.sub('[^-+0-9]', '', word)}"
    return None


def _read_rare_number(word: str) -> Scalar:
    based = _BASED.fullmatch(word)
    if based:
        try:
            return int(based.group(1) + based.group(3), _BASES[based.group(2)])
        except ValueError:
            return word
    special = _SPECIAL.fullmatch(word)
    if special:
        return math.nan if special.group(3) else float(f"{special.group(1)}inf")
    if _FLOAT.fullmatch(word) and not _ZEROS_IN_FRONT.fullmatch(word):
        number = float(word)
        return number if math.isfinite(number) else word
    return word
