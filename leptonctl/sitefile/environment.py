"""Variables: `${NAME}` and `${NAME:-default}` in the values of a site file.

An expanded value is text. Where a value is exactly one variable and its key wants a number or true/false, the text is
read as the same word would be in the file. `$${` stands for a plain `${`. Keys and secret references hold no variables.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Union, cast, get_args, get_origin, get_type_hints

from leptonctl.sitefile.base import Frozen, SecretRef
from leptonctl.sitefile.findings import Finding, Path
from leptonctl.sitefile.software import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Stands in the path of a secret for every key of a mapping.
EACH = "*"
_VARIABLE = re.compile(r"\$?\$\{(?:([A-Za-z_][A-Za-z0-9_]*)(:-[^${}]*)?\})?")
_HINT = "write ${NAME} or ${NAME:-default}, or $${ where ${ is meant"


@dataclass(slots=True)
class Expanded:
    """The data with its variables replaced, what was wrong, and the paths whose text came from a variable."""

    data: object
    findings: list[Finding] = field(default_factory=list)
    paths: set[Path] = field(default_factory=set)
    whole: set[Path] = field(default_factory=set)
    """Those that are exactly one variable."""


def expand(data: object, text: str, environ: Mapping[str, str]) -> Expanded:
    """Replace the variables in `data`, in place.

    `text` is the file that it was read from: where that has no variable, nothing is done. A value whose variable cannot
    be replaced is left as it is written, and is in `paths` all the same.
    """
    expanded = Expanded(data)
    # A backslash may hide the same characters as an escape.
    if "${" in text or "\\" in text:
        expanded.data = _expand(data, (), environ, expanded)
    return expanded


@cache
def secret_fields() -> frozenset[tuple[str, ...]]:
    """The role settings that are secret references, as paths below `software`; `EACH` stands for every key."""
    return frozenset((role, *path) for role, settings in SETTINGS.items() for path in secret_paths(settings))


def is_secret(path: Path) -> bool:
    """Whether the path of a value in the site file is that of a secret reference."""
    if "software" not in path:
        return False
    last = len(path) - 1 - path[::-1].index("software")
    below = path[last + 1 :]
    return any(
        len(one) == len(below) and all(key in {EACH, part} for key, part in zip(one, below, strict=True))
        for one in secret_fields()
    )


def secret_paths(model: type[Frozen]) -> Iterator[tuple[str, ...]]:
    """Where settings have secrets, as paths of keys: the fields whose type is SecretRef, in parts and mappings too."""
    hints = get_type_hints(model, include_extras=True)
    for name in model.model_fields:
        for kind in _alternatives(hints[name]):
            if kind == SecretRef:
                yield (name,)
            elif isinstance(kind, type) and issubclass(kind, Frozen):
                yield from ((name, *below) for below in secret_paths(kind))
            elif get_origin(kind) is dict and isinstance(entry := get_args(kind)[1], type):
                yield from ((name, EACH, *below) for below in secret_paths(entry)) if issubclass(entry, Frozen) else ()


def _alternatives(hint: object) -> tuple[object, ...]:
    """The types that a field may have, without what is said of it beside its type."""
    if get_origin(hint) is Annotated and hint != SecretRef:
        return _alternatives(get_args(hint)[0])
    return get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,)


def _expand(data: object, path: Path, environ: Mapping[str, str], expanded: Expanded) -> object:
    if isinstance(data, str):
        return _expand_text(data, path, environ, expanded) if "${" in data else data
    if isinstance(data, dict):
        for key, value in cast("dict[object, object]", data).items():
            if isinstance(key, str) and "${" in key:
                finding = Finding(
                    "variable-in-key", (*path, key), f"a variable in the key '{key}'", "write it out", "key"
                )
                expanded.findings.append(finding)
            data[key] = _expand(value, (*path, key), environ, expanded)
    elif isinstance(data, list):
        data[:] = [_expand(item, (*path, index), environ, expanded) for index, item in enumerate(data)]
    return data


def _expand_text(text: str, path: Path, environ: Mapping[str, str], expanded: Expanded) -> str:
    problems: list[Finding] = []
    secret = is_secret(path)

    def replace(found: re.Match[str]) -> str:
        name, default = found.group(1), found.group(2)
        if found.group().startswith("$$"):
            return found.group()[1:]
        expanded.paths.add(path)
        if secret:
            message = "a secret reference holds no variables"
            problems.append(Finding("variable-in-secret", path, message, "write env:NAME", shows_line=False))
        elif name is None:
            problems.append(Finding("variable-syntax", path, "'${' starts a variable that cannot be read", _HINT))
        elif default is None and name not in environ:
            hint = f"set it, or write ${{{name}:-default}}"
            problems.append(Finding("variable-unset", path, f"the variable {name} is not set", hint))
        else:
            return environ.get(name, "") or (default or "")[2:]
        return found.group()

    result = _VARIABLE.sub(replace, text)
    expanded.findings += problems
    match = _VARIABLE.fullmatch(text)
    if match and match.group(1) and not problems and path in expanded.paths:
        expanded.whole.add(path)
    return result
