"""What the settings of several roles are made of."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Discriminator, Field, Tag

from leptonctl.sitefile.base import Frozen, Text
from leptonctl.sitefile.effects import OnEdit, rolling

Port = Annotated[int, Field(ge=1, le=65535)]


def _number_or_text(value: object) -> str:
    return "number" if isinstance(value, (int, float)) else "text"


# Told apart before they are checked, so that a wrong value is one problem and not one for each alternative.
KernelValue = Annotated[
    Annotated[int, Field(ge=-(2**63), lt=2**63), Tag("number")] | Annotated[Text, Tag("text")],
    Discriminator(_number_or_text),
]
MemoryLimit = Annotated[
    Annotated[int, Field(ge=65536, lt=2**53), Tag("number")] | Annotated[Literal["unlimited"], Tag("text")],
    Discriminator(_number_or_text),
]


class Settings(Frozen):
    """Settings of a role, or a part of them: when one changes, the role runs again where it holds."""

    on_edit: ClassVar[tuple[OnEdit, ...]] = (rolling("the role runs again on the hosts that have it"),)
