"""The base class and the small types that every part of the site model is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from leptonctl.sitefile.effects import OnEdit, declared

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic_core import CoreSchema

UNSEEN = r"\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"
"""Regex class of characters that are refused everywhere: controls, line ends, text direction marks."""

NAME_PATTERN = r"^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$"
# A brace is allowed, but not the marks that open a template: `{{`, `{%` and `{#`.
TEXT_PATTERN = rf"^([^{{{UNSEEN}]|\{{([^{{%#{UNSEEN}]|$))*$"
SECRET_PATTERN = rf"^(env:[A-Za-z_][A-Za-z0-9_]*|(file|exec):([^{{{UNSEEN}]|\{{([^{{%#{UNSEEN}]|$))+)$"


class Frozen(BaseModel):
    """A frozen, strict model: unknown keys and wrong types are problems; field docstrings become the schema.

    `on_edit` says what changing a key does to a running site, for those keys that do not say it themselves.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)
    on_edit: ClassVar[tuple[OnEdit, ...]] = ()

    @classmethod
    def effects_of(cls, key: str) -> tuple[OnEdit, ...]:
        """What changing a key does: one declaration, or one for each platform; () where nothing is declared."""
        return declared(cls.model_fields[key].metadata) or cls.on_edit

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The schema with `x-on-edit` beside each key."""
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        for key in cls.model_fields:
            if key in properties and (effects := cls.effects_of(key)):
                properties[key]["x-on-edit"] = [one.as_json() for one in effects]
        return schema


Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
"""A name in the file: lower-case letters, digits and dashes, at most 32 characters."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=4000, pattern=TEXT_PATTERN)]
"""Free text on one line: no control characters, no marks that a template engine would act on."""

SecretRef = Annotated[str, StringConstraints(max_length=4000, pattern=SECRET_PATTERN)]
"""A reference to a secret: `env:NAME`, `file:PATH` or `exec:COMMAND`; never the secret itself."""

LogDays = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 731, 1827, 3653]
"""Days for which CloudWatch keeps logs: it has these steps, up to ten years."""
