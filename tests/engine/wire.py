"""Values as the protocols of the engine have them on the wire, and as plain ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format, struct_pb2

if TYPE_CHECKING:
    from collections.abc import Mapping

Properties = dict[str, Any]


def plain(struct: Any) -> Properties:
    """The wire's form as a mapping. Numbers on the wire are floating: those that are whole become so again."""
    found: Properties = _whole(json_format.MessageToDict(struct))
    return found


def struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """A mapping as the wire has it; what JSON does not know goes as its text."""
    found = struct_pb2.Struct()
    json_format.ParseDict(json.loads(json.dumps(values, default=str)), found)
    return found


def _whole(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _whole(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
