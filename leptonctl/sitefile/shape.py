"""Shape: what pydantic says about a site file's data, as findings in the operator's words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from leptonctl.sitefile.base import NAME_PATTERN, SECRET_PATTERN, UNSEEN
from leptonctl.sitefile.environment import is_secret
from leptonctl.sitefile.findings import Finding
from leptonctl.sitefile.locate import locate
from leptonctl.sitefile.scalars import old_meaning, read_scalar
from leptonctl.sitefile.words import did_you_mean, kind_of, name_of, nearest, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pydantic_core import ErrorDetails

    from leptonctl.sitefile.environment import Expanded
    from leptonctl.sitefile.findings import At, Path
    from leptonctl.sitefile.locate import Located
    from leptonctl.sitefile.source import Source

NAME_HINT = "use lower-case letters, digits and dashes, a letter first, at most 32 characters"
SECRET_HINT = "write env:NAME, file:PATH or exec:COMMAND"  # noqa: S105 - how to write one, not one
_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "model_type": "a mapping",
    "dict_type": "a mapping",
    "tuple_type": "a list",
}
_LIMITS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}
_UNSEEN = re.compile(f"[{UNSEEN}]")
_TEMPLATE_MARK = re.compile(r"\{[{%#]")


@dataclass(frozen=True, slots=True)
class _Case:
    """One error, with all that its message may need."""

    type: str
    context: dict[str, Any]
    where: Located
    expanded: Expanded
    source: Source

    @property
    def path(self) -> Path:
        return self.where.path

    @property
    def at(self) -> At:
        return "key" if self.where.is_key else "value"

    @property
    def value(self) -> object:
        return self.path[-1] if self.where.is_key else value_at(self.expanded.data, self.path)

    @property
    def name(self) -> str:
        return f"the key {quoted(self.value)}" if self.where.is_key else name_of(self.path)

    @property
    def instead(self) -> str:
        """`, not text '3'`; what a variable holds is not shown: it may be a secret."""
        if self.path in self.expanded.paths:
            return ", which is not what the variable holds"
        return f", not {kind_of(self.value, self.source.word(self.path))}"


def shape_findings(errors: Sequence[ErrorDetails], expanded: Expanded, source: Source) -> list[Finding]:
    """One finding for each mistake; a misspelt required key is one mistake, not two."""
    cases = [_Case(error["type"], error.get("ctx", {}), locate(error), expanded, source) for error in errors]
    unknown: dict[Path, list[str]] = {}
    for case in cases:
        if case.type == "extra_forbidden":
            unknown.setdefault(case.path[:-1], []).append(str(case.path[-1]))
    findings = []
    for case in cases:
        if case.type == "missing" and nearest(case.path[-1], unknown.get(case.path[:-1], ())):
            continue
        findings.append(_FINDING_OF.get(case.type, _bad_value)(case))
    return findings


def value_at(data: object, path: Path) -> object:
    """The value at a path of the data; None where it has none."""
    for part in path:
        if isinstance(data, dict):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return None
    return data


def _missing_key(case: _Case) -> Finding:
    hint = _sentence(case.where.about.description) if case.where.about else None
    return Finding("missing-key", case.path[:-1], f"missing key '{case.path[-1]}'", hint, at="key")


def _unknown_key(case: _Case) -> Finding:
    known = tuple(case.where.owner.model_fields) if case.where.owner else ()
    guess = did_you_mean(case.path[-1], known)
    hint = None if guess else f"known here: {', '.join(known)}"
    return Finding("unknown-key", case.path, f"unknown key {quoted(case.path[-1])}{guess}", hint, at="key")


def _unknown_value(case: _Case) -> Finding:
    choices = [str(choice) for choice in get_args(case.where.kind)] if get_origin(case.where.kind) is Literal else []
    wanted = f"one of {', '.join(choices)}" if len(choices) > 1 else ", ".join(choices)
    if not isinstance(case.value, str):
        return _wrong_type(case, wanted)
    if case.path in case.expanded.paths:
        return Finding("unknown-value", case.path, f"{case.name} must be {wanted}{case.instead}")
    message = f"unknown value {quoted(case.value)} for {case.name}{did_you_mean(case.value, choices)}"
    return Finding("unknown-value", case.path, message, f"write {wanted}")


def _unknown_kind(case: _Case) -> Finding:
    """What an entry is, where its `kind` tells: pydantic says so of the entry, the operator reads it at the key."""
    path = (*case.path, "kind")
    choices = re.findall(r"'([^']+)'", case.context["expected_tags"])
    written, wanted = value_at(case.expanded.data, path), ", ".join(choices)
    if not isinstance(written, str):
        return Finding("wrong-type", path, f"'kind' must be one of {wanted}", f"write one of {wanted}")
    message = f"unknown value {quoted(written)} for 'kind'{did_you_mean(written, choices)}"
    return Finding("unknown-value", path, message, f"write one of {wanted}")


def _key_type(case: _Case) -> Finding:
    return Finding("wrong-type", case.path, f"a key must be text, not {kind_of(case.path[-1])}", at="key")


def _wrong_type(case: _Case, wanted: str = "") -> Finding:
    if case.where.is_key:
        return _key_type(case)
    wanted = wanted or _WANTED[case.type]
    if is_secret(case.path):
        message = f"{case.name} must be a reference to a secret, written as text"
        return Finding("wrong-type", case.path, message, SECRET_HINT, shows_line=False)
    if case.value is None:
        message = f"{case.name} is empty; it must be {wanted}"
        return Finding("wrong-type", case.path, message, "write a value, or remove the key")
    return Finding("wrong-type", case.path, f"{case.name} must be {wanted}{case.instead}", _type_hint(case, wanted))


def _type_hint(case: _Case, wanted: str) -> str | None:
    """What to write instead, where the text was read otherwise than the operator meant it."""
    value, word = case.value, case.source.word(case.path)
    if wanted == "a list":
        return "write each item on a line of its own that starts with '- '"
    if wanted == "text" and word:
        return f'put it in quotes: "{word}"'
    if not isinstance(value, str) or case.path in case.expanded.paths:
        return None
    if word is not None:
        return old_meaning(value)
    meant = read_scalar(value)
    wants_bool = wanted == "true or false"
    if isinstance(meant, int | float) and wants_bool == isinstance(meant, bool) and wanted != "a mapping":
        return f"remove the quotes: {value}"
    return None


def _out_of_range(case: _Case) -> Finding:
    name, words = _LIMITS[case.type]
    limit = case.context[name]
    shown = f"{int(limit):,}" if limit == int(limit) else str(limit)
    message = f"{case.name} must be {words} {shown}{case.instead}"
    return Finding("out-of-range", case.path, message)


def _too_short(case: _Case) -> Finding:
    return Finding("out-of-range", case.path, f"{case.name} is empty text", "write a value, or remove the key", case.at)


def _too_long(case: _Case) -> Finding:
    message = f"{case.name} has more than {case.context['max_length']} characters"
    return Finding("out-of-range", case.path, message, at=case.at)


def _too_few(case: _Case) -> Finding:
    return Finding("out-of-range", case.path, f"{case.name} is an empty list", "name at least one")


def _bad_text(case: _Case) -> Finding:
    text = str(case.value)
    mark, unseen = _TEMPLATE_MARK.search(text), _UNSEEN.search(text)
    # The line is not shown where it may hold the secret itself.
    shows_line = not is_secret(case.path)
    if unseen:
        message = f"{case.name} has a character that cannot be seen: U+{ord(unseen.group()):04X}"
        hint = "write it on one line" if unseen.group() == "\n" else "remove it"
        return Finding("control-character", case.path, message, hint, case.at, shows_line=shows_line)
    if mark:
        message, hint = f"{case.name} has the template mark '{mark.group()}'", "remove it: nothing here is a template"
        return Finding("template-mark", case.path, message, hint, case.at, shows_line=shows_line)
    if case.context["pattern"] == SECRET_PATTERN:
        message = f"{case.name} must be a reference to a secret, never the secret itself"
        return Finding("secret-in-clear", case.path, message, SECRET_HINT, shows_line=False)
    if case.context["pattern"] == NAME_PATTERN:
        shown = "what the variable holds" if case.path in case.expanded.paths else quoted(text)
        return Finding("bad-name", case.path, f"{shown} is not a name", NAME_HINT, case.at)
    return _bad_value(case)


def _bad_value(case: _Case) -> Finding:
    return Finding("bad-value", case.path, f"{case.name} does not have the form that is wanted here", at=case.at)


def _sentence(text: str | None) -> str | None:
    """The first sentence of a docstring, as a hint: small first letter, no full stop."""
    if not text:
        return None
    first = " ".join(text.split()).split(". ")[0].rstrip(".")
    return first if first[:2].isupper() else first[0].lower() + first[1:]


_FINDING_OF: dict[str, Callable[[_Case], Finding]] = {
    "missing": _missing_key,
    "extra_forbidden": _unknown_key,
    "invalid_key": _key_type,
    "literal_error": _unknown_value,
    "union_tag_invalid": _unknown_kind,
    "string_pattern_mismatch": _bad_text,
    "string_too_short": _too_short,
    "string_too_long": _too_long,
    "too_short": _too_few,
    **dict.fromkeys(_WANTED, _wrong_type),
    **dict.fromkeys(_LIMITS, _out_of_range),
}
