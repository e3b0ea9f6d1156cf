"""Writes docs/reference/: site-file keys, commands, exit codes, results and roles, each from the code itself.

`make docs` runs it. The pages are committed, so that they can be read without building anything; a test holds them to
what this program gives.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from leptonctl.cli import cli
from leptonctl.errors import ExitCode, LeptonError
from leptonctl.planning.aws_permissions import whole_policy
from leptonctl.result import result_schema
from leptonctl.sitefile.model import Site
from leptonctl.sitefile.schema import schema_text

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "docs" / "reference"
HELP_WIDTH = 100
FORMAT_BOUND = 2**53

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Key:
    """A row of a table: a key of the site file or of a result, or a setting of a role."""

    name: str
    type: str
    default: str
    text: str
    on_edit: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping with its keys; `base` names the section whose keys it has too."""

    name: str
    text: str
    keys: tuple[Key, ...]
    base: str | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """A command with its help as the terminal shows it."""

    name: str
    help: str


@dataclass(frozen=True, slots=True)
class Role:
    """A role as its argument_specs.yml describes it."""

    name: str
    title: str
    text: str
    keys: tuple[Key, ...]


def main() -> None:
    """Write every page, and the schemas and the policy in `templates/`."""
    PAGES.mkdir(exist_ok=True)
    templates = PAGES.parent.parent / "templates"
    (templates / "site.schema.json").write_text(schema_text(), encoding="utf-8")
    (templates / "result.schema.json").write_text(json.dumps(result_schema(), indent=2) + "\n", encoding="utf-8")
    (templates / "aws-permissions.json").write_text(json.dumps(whole_policy(), indent=2) + "\n", encoding="utf-8")
    for name, text in pages().items():
        (PAGES / name).write_text(text)


def pages() -> dict[str, str]:
    """Every page by its file name."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("reference")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  Markdown from our own code
    )
    values: dict[str, Mapping[str, object]] = {
        "site-file.md": {"sections": tuple(sections(Site.model_json_schema(by_alias=True)))},
        "commands.md": {"commands": tuple(commands(cli))},
        "exit-codes.md": {"codes": tuple(ExitCode), "meanings": meanings()},
        "results.md": {"sections": tuple(sections(result_schema()))},
        "roles.md": {"roles": tuple(roles(ROOT / "playbooks" / "roles"))},
    }
    return {name: environment.get_template(f"{name}.j2").render(given) for name, given in values.items()}


def sections(schema: Schema) -> Iterator[Section]:
    """The root of a JSON Schema, then what it refers to, in the order of first mention."""
    named: Mapping[str, Schema] = {schema["title"]: schema, **schema.get("$defs", {})}
    waiting, seen = [schema["title"]], set()
    while waiting:
        name = waiting.pop(0)
        if name in seen or "properties" not in named[name]:
            continue
        seen.add(name)
        yield section(name, named)
        waiting.extend(mentions(named[name]["properties"]))


def section(name: str, named: Mapping[str, Schema]) -> Section:
    """One mapping of a schema. Where it has all keys of one before it, only the further ones are told."""
    schema = named[name]
    properties: Schema = schema["properties"]
    base = "Location" if name != "Location" and is_kind_of(schema, named.get("Location")) else None
    told = properties.keys() - (named[base]["properties"].keys() if base else ())
    required = schema.get("required", ())
    keys = (
        Key(
            key,
            type_of(one),
            "required" if key in required else default_of(one),
            plain(one.get("description", "")),
            plain("; ".join(map(effect_of, one.get("x-on-edit", ())))),
        )
        for key, one in properties.items()
        if key in told
    )
    return Section(name, plain(schema.get("description", "")), tuple(keys), base)


def effect_of(declared: Schema) -> str:
    """What changing a key does: `aws: **in place**, the disk grows`."""
    where = f"{', '.join(declared['on'])}: " if "on" in declared else ""
    where += f"{declared['when']}: " if "when" in declared else ""
    note = f", {declared['note']}" if "note" in declared else ""
    instead = f"; instead: {declared['instead']}" if "instead" in declared else ""
    return f"{where}**{declared['effect']}**{note}{instead}"


def is_kind_of(schema: Schema, base: Schema | None) -> bool:
    """Whether a mapping has every key of another."""
    return base is not None and base["properties"].keys() <= schema["properties"].keys()


def mentions(node: object) -> Iterator[str]:
    """The names that a part of a schema refers to."""
    if isinstance(node, Mapping):
        if "$ref" in node:
            yield node["$ref"].rpartition("/")[2]
        for value in node.values():
            yield from mentions(value)
    elif isinstance(node, list):
        for value in node:
            yield from mentions(value)


def type_of(schema: Schema) -> str:
    """A type in an operator's words: `text`, `list of Host`, `one of local, ssh`."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "const" in schema or "enum" in schema:
        values = [f"`{value}`" for value in schema.get("enum", [schema.get("const")])]
        return ", ".join(values) if len(values) == 1 else f"one of {', '.join(values)}"
    if either := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(dict.fromkeys(type_of(one) for one in either if one.get("type") != "null"))
    if schema.get("type") == "array":
        return f"list of {type_of(schema['items'])}"
    # A mapping whose keys are names has its values under a pattern; one with any keys, under additionalProperties.
    inner = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")]
    if schema.get("type") == "object" and isinstance(inner[0], Mapping):
        return f"mapping to {type_of(inner[0])}"
    words = {
        "string": "text",
        "integer": "whole number",
        "number": "number",
        "boolean": "`true` or `false`",
        "object": "mapping",
    }
    return words.get(schema.get("type", ""), "any value") + limits(schema)


def limits(schema: Schema) -> str:
    """The bounds of a number, as ` (1 to 65535)`; those of the number's format alone say nothing."""
    low, high = (
        bound if bound is not None and abs(bound) < FORMAT_BOUND else None
        for bound in (
            schema.get("minimum", schema.get("exclusiveMinimum")),
            schema.get("maximum", schema.get("exclusiveMaximum")),
        )
    )
    if low is not None and high is not None:
        above = "above " if "exclusiveMinimum" in schema else ""
        return f" ({above}{low} to {high})"
    return f" (at least {low})" if low is not None else ""


def default_of(schema: Schema) -> str:
    """A default as it would be written in the file; nothing where it is empty or left to the docstring."""
    value = schema.get("default")
    if value is None or value in ("", [], {}) or isinstance(value, Mapping):
        return ""
    if isinstance(value, list):
        return f"`[{', '.join(map(str, value))}]`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def commands(group: click.Group, above: str = "leptonctl") -> Iterator[Command]:
    """Every command, in the order of the help; those of a subgroup after it."""
    context = click.Context(group, info_name=above, terminal_width=HELP_WIDTH, **group.context_settings)
    yield Command(above, group.get_help(context))
    for name in group.list_commands(context):
        command = group.commands[name]
        if command.hidden:
            continue
        if isinstance(command, click.Group):
            yield from commands(command, f"{above} {name}")
        else:
            inner = click.Context(command, info_name=name, parent=context, **command.context_settings)
            yield Command(f"{above} {name}", command.get_help(inner))


def meanings() -> dict[ExitCode, str]:
    """For each exit code that an exception has, the first line of its docstring."""
    return {kind.exit_code: plain((kind.__doc__ or "").splitlines()[0]) for kind in LeptonError.__subclasses__()}


def roles(folder: Path) -> Iterator[Role]:
    """Every role, by name."""
    for path in sorted(folder.glob("*/meta/argument_specs.yml")):
        spec = yaml.safe_load(path.read_text())["argument_specs"]["main"]
        yield Role(
            path.parent.parent.name,
            spec["short_description"],
            plain(spec["description"]),
            tuple(settings(spec.get("options", {}))),
        )


def settings(options: Schema, above: str = "") -> Iterator[Key]:
    """The settings of a role, nested ones after the one that holds them (`base_users[].name`)."""
    for name, option in options.items():
        kind = option["type"] + (f" of {option['elements']}" if "elements" in option else "")
        default = "required" if option.get("required") else default_of(option)
        yield Key(above + name, kind, default, plain(option["description"]))
        yield from settings(option.get("options", {}), f"{above}{name}{'[]' if option['type'] == 'list' else ''}.")


def plain(text: str | Iterable[str]) -> str:
    """Text on one line that does not end a cell of a table."""
    words = text if isinstance(text, str) else " ".join(text)
    return " ".join(words.split()).replace("|", "\\|")


if __name__ == "__main__":
    main()
