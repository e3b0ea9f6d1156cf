"""The base class and the small types that every part of the site model is made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

UNSEEN = r"\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"
"""Regex class of characters that are refused everywhere: controls, line ends, text direction marks."""

NAME_PATTERN = r"^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$"
# A brace is allowed, but not the marks that open a template: `{{`, `{%` and `{#`.
TEXT_PATTERN = rf"^([^{{{UNSEEN}]|\{{([^{{%#{UNSEEN}]|$))*$"
SECRET_PATTERN = rf"^(env:[A-Za-z_][A-Za-z0-9_]*|(file|exec):([^{{{UNSEEN}]|\{{([^{{%#{UNSEEN}]|$))+)$"


class Frozen(BaseModel):
    """A frozen, strict model: unknown keys and wrong types are problems; field docstrings become the schema."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
"""A name in the file: lower-case letters, digits and dashes, at most 32 characters."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=4000, pattern=TEXT_PATTERN)]
"""Free text on one line: no control characters, no marks that a template engine would act on."""

SecretRef = Annotated[str, StringConstraints(max_length=4000, pattern=SECRET_PATTERN)]
"""A reference to a secret: `env:NAME`, `file:PATH` or `exec:COMMAND`; never the secret itself."""
