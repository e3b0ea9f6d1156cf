"""What the engine tells while it works, as changes in the site's words and as lines of progress.

Events are read by their attributes only: this module does not import the SDK.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from leptonctl.planning import aws_tags
from leptonctl.planning.comparison import MAIN_TYPES, UNKNOWN, Previewed, is_secret
from leptonctl.planning.plan import Action, Change
from leptonctl.platforms.pulumi_failures import is_no_answer, plain
from leptonctl.platforms.pulumi_pending import PendingOperation
from leptonctl.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from leptonctl.planning.aws_types import PlannedResource
    from leptonctl.progress import Report

SLOW_S = 60
_COMPONENTS = "leptonctl:"
_ACTIONS = {
    "same": Action.KEEP, "create": Action.CREATE, "update": Action.UPDATE, "delete": Action.DELETE,
    "replace": Action.REPLACE, "create-replacement": Action.REPLACE, "delete-replaced": Action.REPLACE,
    "import": Action.UPDATE, "read": Action.KEEP, "refresh": Action.KEEP,
}  # fmt: skip
_DONE = {
    Action.CREATE: "created", Action.UPDATE: "changed", Action.DELETE: "deleted", Action.REPLACE: "replaced",
}  # fmt: skip
_MAKING = frozenset({"create", "create-replacement"})
_DATA = frozenset({"Volume", "Bucket", "FileSystem", "LustreFileSystem"})
_KINDS = frozenset({"network", "group", "host", "volume", "store", "peering", "access", "cluster"})


@dataclass(frozen=True, slots=True)
class Step:
    """One resource and what happens to it. `type` is the last part of Pulumi's type (`Vpc`), `name` the program's."""

    action: Action
    kind: str
    address: str
    type: str
    name: str
    diffs: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    planned: Mapping[str, Any] = field(default_factory=dict, repr=False)
    found: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def text(self) -> str:
        """The resource and what differs, for people."""
        what = f"{self.action.value} {self.type} {self.name}"
        return f"{what} ({', '.join(self.diffs)})" if self.diffs else what


@dataclass
class Steps:
    """Listens to one operation of the engine on one location, and keeps what came.

    `planned` says which address a resource belongs to that carries no tags, by Pulumi's type and name.
    """

    location: str
    report: Report
    planned: Mapping[tuple[str, str], PlannedResource] = field(default_factory=dict)
    now: Callable[[], float] = time.monotonic
    steps: dict[str, Step] = field(default_factory=dict)
    errors: list[tuple[str, str]] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    _started: dict[str, float] = field(default_factory=dict)
    _failed: dict[str, Any] = field(default_factory=dict)
    _without_answer: set[str] = field(default_factory=set)
    _took: dict[str, float] = field(default_factory=dict)
    _read: set[str] = field(default_factory=set)

    def __call__(self, event: Any) -> None:  # noqa: ANN401 - the SDK's event, of which only attributes are read
        """Take one event. Runs in a thread of the SDK."""
        if event.resource_pre_event:
            self._begin(event.resource_pre_event.metadata)
        elif event.res_outputs_event:
            self._end(event.res_outputs_event.metadata)
        elif event.res_op_failed_event:
            metadata = event.res_op_failed_event.metadata
            self._failed[metadata.urn] = metadata
            self._say("failed", f"{metadata.type.rpartition(':')[2]} {_name(metadata.urn)} failed")
        elif event.diagnostic_event and event.diagnostic_event.severity == "error":
            told = event.diagnostic_event
            message = plain(told.message)
            self.errors.append((_name(told.urn or ""), message))
            if is_no_answer(message):
                self._without_answer.add(told.urn)

    @property
    def unknown_outputs(self) -> tuple[str, ...]:
        """The outputs of the location that are known only when it has been made."""
        return tuple(sorted(name for name, value in self.outputs.items() if has_unknown(value)))

    @property
    def unanswered(self) -> tuple[PendingOperation, ...]:
        """What was being made when the answer stayed away: it may be there, and the engine does not know it."""
        making = {urn: one for urn, one in self._failed.items() if _word(one.op) in _MAKING and one.new is not None}
        return tuple(
            PendingOperation(
                kind="creating",
                urn=urn,
                type=one.type,
                inputs=_without_secrets(one.new.inputs or {}),
                parent=one.new.parent,
                provider=one.new.provider or one.provider,
            )
            for urn, one in making.items()
            if urn in self._without_answer
        )

    @property
    def slowest(self) -> tuple[tuple[str, float], ...]:
        """The resources that took longer than a minute, slowest first, with their seconds."""
        slow = [(_name(urn), took) for urn, took in self._took.items() if took >= SLOW_S]
        return tuple(sorted(slow, key=lambda one: -one[1]))

    def changes(self) -> tuple[Change, ...]:
        """One change for each thing of the site, in the order in which the engine came to them."""
        grouped: dict[tuple[str, str], list[Step]] = {}
        for step in self.steps.values():
            grouped.setdefault((step.kind, step.address), []).append(step)
        return tuple(self._change(kind, address, steps) for (kind, address), steps in grouped.items())

    def previewed(self) -> tuple[Previewed, ...]:
        """Every resource with its action, and where it differs with what is planned and what was found."""
        return tuple(
            Previewed(
                urn, one.type, one.name, one.kind, one.address, one.action,  # type: ignore[arg-type]
                one.diffs, one.planned, one.found,
            )
            for urn, one in self.steps.items()
        )  # fmt: skip

    def _change(self, kind: str, address: str, steps: list[Step]) -> Change:
        action = action_of(steps)
        reasons: tuple[str, ...] = ()
        if action in {Action.UPDATE, Action.REPLACE}:
            reasons = tuple(step.text for step in steps if step.action is not Action.KEEP)
        unknown = sorted({name for step in steps for name in step.unknown if step.action is Action.UPDATE})
        if unknown:
            reasons = (*reasons, f"known only when it is made: {', '.join(unknown)}")
        is_data = any(step.type in _DATA for step in steps) and kind in {"volume", "store"}
        return Change(action, kind, address, self.location, reasons, is_data=is_data)  # type: ignore[arg-type]

    def _begin(self, metadata: Any) -> None:  # noqa: ANN401
        if not self._is_shown(metadata):
            return
        self._started[metadata.urn] = self.now()
        step = self._step(metadata)
        if _word(metadata.op) == "refresh":
            self._read.add(metadata.urn)
        else:
            self._read.discard(metadata.urn)
        before = self.steps.get(metadata.urn)
        # Replacing tells three steps of one resource: to be replaced is what it comes to.
        if before is None or before.action is not Action.REPLACE:
            self.steps[metadata.urn] = step

    def _end(self, metadata: Any) -> None:  # noqa: ANN401
        if metadata.type == "pulumi:pulumi:Stack" and metadata.new and metadata.new.outputs:
            self.outputs = dict(metadata.new.outputs)
        started = self._started.get(metadata.urn)
        if metadata.urn in self._read:
            # What reading it came to is known only at its end.
            self.steps[metadata.urn] = self._step(metadata)
            return
        done = _DONE.get(_ACTIONS.get(_word(metadata.op), Action.KEEP))
        if started is None or done is None:
            return
        took = self.now() - started
        self._took[metadata.urn] = took
        self._say("step", f"{metadata.type.rpartition(':')[2]} {_name(metadata.urn)} {done} in {took:.1f} s")

    def _step(self, metadata: Any) -> Step:  # noqa: ANN401
        state = metadata.new or metadata.old
        inputs = (state.inputs if state else None) or {}
        tags = inputs.get("tags")
        if isinstance(tags, list):
            # A scaling group's, each with a word on whether its machines get it.
            tags = {one["key"]: one["value"] for one in tags if isinstance(one, dict) and "key" in one}
        tags = tags if isinstance(tags, dict) else {}
        short, name = metadata.type.rpartition(":")[2], _name(metadata.urn)
        planned = self.planned.get((metadata.type, name))
        kind = planned.role if planned else tags.get(aws_tags.ROLE)
        address = planned.address if planned else tags.get(aws_tags.ADDRESS)
        return Step(
            action=_ACTIONS.get(_word(metadata.op), Action.UNKNOWN),
            kind=kind if kind in _KINDS else "network",
            address=address or self.location,
            type=short,
            name=name,
            diffs=tuple(metadata.diffs or ()),
            unknown=tuple(sorted(key for key, value in inputs.items() if has_unknown(value))),
            planned=(metadata.new.inputs if metadata.new else None) or {},
            # What the program does not set is not among the inputs, but may have been read all the same.
            found={**(metadata.old.outputs or {}), **(metadata.old.inputs or {})} if metadata.old else {},
        )

    def _is_shown(self, metadata: Any) -> bool:  # noqa: ANN401
        return not metadata.type.startswith(("pulumi:", _COMPONENTS))

    def _say(self, state: str, message: str) -> None:
        self.report(Progress("platform", state, self.location, message))  # type: ignore[arg-type]


def action_of(steps: list[Step]) -> Action:
    """What happens to a thing, from what happens to the resources that it is made of."""
    actions = {step.action for step in steps}
    if len(actions) == 1:
        return actions.pop()
    main = [step.action for step in steps if step.type in MAIN_TYPES and step.action is not Action.KEEP]
    return main[0] if main else Action.UPDATE


def has_unknown(value: object) -> bool:
    """Whether a value, or anything in it, is known only when the thing has been made."""
    if isinstance(value, dict):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in value)
    return value == UNKNOWN


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def _word(operation: Any) -> str:  # noqa: ANN401 - an enumeration of the SDK, or its word
    return str(getattr(operation, "value", operation))


def _without_secrets(value: Any) -> Any:  # noqa: ANN401 - a value of JSON
    """A value without what is secret in it: of that the events have only a mask."""
    if isinstance(value, dict):
        return {name: _without_secrets(item) for name, item in value.items() if not is_secret(item)}
    return [_without_secrets(item) for item in value if not is_secret(item)] if isinstance(value, list) else value
