"""The result of a verb: what `--output json` prints. `templates/result.schema.json` is made from here."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, computed_field

SCHEMA: Literal["leptonctl.result/1"] = "leptonctl.result/1"


class Part(BaseModel):
    """A frozen part of a result; field docstrings become the schema."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, populate_by_name=True)


class Answer(Part):
    """A question about a location or host, and how old the answer is."""

    value: Literal["yes", "no", "unknown"]
    """Yes, no, or not known."""
    detail: str | None = None
    """Why, in a few words."""
    age_s: float | None = None
    """Seconds since it was asked; null where it never was."""


class RoleResult(Part):
    """A role on a host."""

    name: str
    """The role."""
    state: str
    """new, differs, settings_changed, role_changed, in_order, unknown; after `up` also done or failed."""
    reasons: tuple[str, ...] = ()
    """Why it is so, in the operator's words."""


class HostResult(Part):
    """A host."""

    address: str
    """Its address in the site, such as `edges/shop/box-2`."""
    status: Literal[
        "planned", "in_order", "changed", "failed", "unreachable", "differs", "unknown", "skipped", "removed"
    ]
    """What came of it."""
    hostname: str | None = None
    """Where it is reached; null while that is not known."""
    detail: str | None = None
    """What went wrong, in a line."""
    changed_count: int | None = None
    """Tasks that changed something, by Ansible's own count; null where Ansible was not run on it."""
    roles: tuple[RoleResult, ...] = ()
    """Its roles in running order."""
    gone_roles: tuple[RoleResult, ...] = ()
    """Roles that it had and should not have any more: to_remove, stays or not_known; after `up` also removed."""
    deployed: Answer | None = None
    """Whether the machine is there (status)."""
    reachable: Answer | None = None
    """Whether SSH answers (status)."""
    in_sync: Answer | None = None
    """Whether it is as the site file says (status)."""
    in_service: Answer | None = None
    """Whether the health gate lets it take part (status); null where it declares no accelerators, or did not answer."""


class LocationResult(Part):
    """The core, a region or an edge."""

    address: str
    """Its address in the site."""
    tier: Literal["core", "region", "edge"]
    """Its tier."""
    platform: str
    """Where its machines come from."""
    status: Literal["planned", "in_order", "changed", "failed", "differs", "unknown", "skipped", "removed"]
    """What came of it."""
    detail: str | None = None
    """What went wrong, in a line."""
    hosts: tuple[HostResult, ...] = ()
    """Its hosts."""
    deployed: Answer | None = None
    """Whether all its resources are there (status)."""
    reachable: Answer | None = None
    """Whether all its hosts answer (status)."""
    in_sync: Answer | None = None
    """Whether all its hosts are as the site file says (status)."""


class ChangeResult(Part):
    """A resource and what happens, or happened, to it."""

    action: Literal["create", "update", "replace", "delete", "keep", "unknown", "forbidden"]
    """What happens to it; forbidden is what `up` refuses."""
    kind: str
    """network, volume or host."""
    address: str
    """Its address in the site."""
    location: str
    """The location it belongs to."""
    reasons: tuple[str, ...] = ()
    """Why."""
    is_data: bool = False
    """Whether it holds data."""


class ProblemResult(Part):
    """Something that is wrong."""

    rule: str
    """The rule that it breaks, as a short name."""
    message: str
    """What, where, which value."""
    hint: str | None = None
    """What to do."""
    where: str | None = None
    """A host's or location's address, where the problem has no place in a file."""
    file: str | None = None
    """The file."""
    line: int | None = None
    """Line, from 1."""
    column: int | None = None
    """Column, from 1."""


class Result(Part):
    """One object a run, also when it failed."""

    schema_: Annotated[Literal["leptonctl.result/1"], Field(alias="schema")] = SCHEMA
    """Version of this shape."""
    verb: str
    """The command."""
    site: str | None = None
    """The site's name; null where the file could not be read."""
    exit_code: int
    """What the process exits with."""
    locations: tuple[LocationResult, ...] = ()
    """Every location that the command was about."""
    changes: tuple[ChangeResult, ...] = ()
    """Every resource that the command was about."""
    problems: tuple[ProblemResult, ...] = ()
    """Everything that is wrong."""
    durations_s: dict[str, float] = Field(default_factory=dict)
    """Seconds by stage, and `total`."""
    run: str | None = None
    """The run folder; null for a command that keeps none."""
    data: dict[str, Any] = Field(default_factory=dict)
    """What only this command has; its keys are named in the command's documentation."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def ok(self) -> bool:
        """Whether the exit code is 0."""
        return self.exit_code == 0


def result_schema() -> dict[str, Any]:
    """Give the JSON Schema (2020-12) of a result."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{SCHEMA}",
        **Result.model_json_schema(by_alias=True, mode="serialization"),
    }
