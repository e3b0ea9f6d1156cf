"""The JSON Schema of a site file, made from the model: what editors and `leptonctl schema` use."""

from __future__ import annotations

from typing import Any

from leptonctl.sitefile.model import Site


def site_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a site file. Holds shapes only: rules across the file are checked by `validate`."""
    schema = Site.model_json_schema()
    _tidy(schema)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:leptonctl:site-file:1",
        "title": "leptonctl site file",
        **{key: value for key, value in schema.items() if key != "title"},
    }


def schema_text() -> str:
    """The same as the text of `templates/site.schema.json`."""
    import json  # noqa: PLC0415 - only needed here

    return json.dumps(site_schema(), indent=2, ensure_ascii=True) + "\n"


def _tidy(node: object) -> None:
    """Join the lines of docstrings, leave out titles that only repeat the key, and allow no keys but good names."""
    if isinstance(node, dict):
        if isinstance(node.get("title"), str):
            del node["title"]
        if isinstance(node.get("description"), str):
            node["description"] = " ".join(node["description"].split())
        if "patternProperties" in node:
            # Otherwise a key that does not match would be allowed with any value.
            node["additionalProperties"] = False
        for value in node.values():
            _tidy(value)
    elif isinstance(node, list):
        for item in node:
            _tidy(item)
