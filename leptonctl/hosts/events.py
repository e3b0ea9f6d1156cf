"""Reads Ansible's events, as ansible-runner hands them on, into what each host did. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from leptonctl.hosts.configured import Failure, HostConfigured, TaskRecord
from leptonctl.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Event = Mapping[str, object]

_LAST_LINES = 12
_LONGEST_LINE = 400
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]+[0-~]|[0-~])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# Runs several modules in one task; each part of its result names its own.
TOGETHER = "leptonctl.host.together"
# Where a role's task stands. The checkout as a whole may lie in a folder of the name `roles`, too.
_OF_A_ROLE = re.compile(r".*/roles/(?P<role>[^/]+)/(?:tasks|handlers)/[^/]+")
_ENDED = ("runner_on_ok", "runner_on_failed", "runner_on_unreachable")


def neutralised(text: str) -> str:
    """The text without terminal escapes and control characters; newlines and tabs stay."""
    return _CONTROLS.sub("", _ESCAPES.sub("", text.replace("\r\n", "\n")))


# What a role has done before all roles: it says nothing about how far the roles came.
_BEFORE_THE_ROLES = ("repository.yml",)


@dataclass(slots=True)
class _Host:
    records: dict[str, list[TaskRecord]] = field(default_factory=dict)
    begun: set[str] = field(default_factory=set)
    failure: Failure | None = None
    failed_roles: list[str | None] = field(default_factory=list)
    is_unreachable: bool = False
    ok_count: int = 0
    changed_count: int = 0


class Named(Protocol):
    """A role, to run or to take off."""

    @property
    def name(self) -> str:
        """Its name."""


class Aim(Protocol):
    """A host that Ansible is run on: what of it has to be known to read the events."""

    @property
    def address(self) -> str:
        """Its address in the site."""

    @property
    def roles(self) -> Sequence[Named]:
        """The roles to run, in their order."""

    @property
    def leaving(self) -> Sequence[Named]:
        """The roles to take off before."""


class EventReader:
    """Takes events one by one, in order; then tells what became of each target."""

    def __init__(self, targets: Sequence[Aim], redact: Callable[[str], str]) -> None:
        self._targets = {target.address: target for target in targets}
        self._hosts = {target.address: _Host() for target in targets}
        self._redact = redact
        self._ended: set[str] = set()
        self.is_complete = False

    def take(self, event: Event) -> Progress | None:
        """Take the next event; give what it means to the one who watches, if anything."""
        kind = event.get("event")
        data = _mapping(event.get("event_data"))
        if kind == "playbook_on_stats":
            self._take_stats(data)
            return None
        host = self._hosts.get(str(data.get("host")))
        if host is None or kind not in _ENDED:
            return None
        result = _mapping(data.get("res"))
        role = _role_of(data)
        is_before = str(data.get("task_path")).rpartition("/")[2].partition(":")[0] in _BEFORE_THE_ROLES
        if role is not None and not is_before:
            host.begun.add(role)
        is_changed = result.get("changed") is True
        if kind == "runner_on_ok":
            self._add_records(host, role, data, result)
            host.ok_count += 1
            host.changed_count += is_changed
            return self._progress("step", data, "changed" if is_changed else "ok", is_changed=is_changed)
        if data.get("ignore_errors") is True:
            host.ok_count += 1
            return None
        failure = self._failure(role, data, result)
        host.is_unreachable |= kind == "runner_on_unreachable"
        host.failure = host.failure or failure
        host.failed_roles.append(None if is_before else role)
        return self._progress("failed", data, failure.message)

    def hosts(self, *, is_interrupted: bool = False) -> dict[str, HostConfigured]:
        """What became of each target. A host that Ansible did not bring to its end failed, whatever it did before."""
        return {address: self._configured(address, is_interrupted) for address in self._hosts}

    def _configured(self, address: str, is_interrupted: bool) -> HostConfigured:  # noqa: FBT001 - private
        host = self._hosts[address]
        failure = host.failure
        if failure is None and address not in self._ended:
            reason = "interrupted" if is_interrupted else "Ansible ended before it had finished with this host"
            failure = Failure(role=None, task="", message=reason)
        target = self._targets[address]
        finished = _finished(target, host, is_whole=failure is None)
        roles = finished[len(target.leaving) :]
        return HostConfigured(
            address=address,
            status="unreachable" if host.is_unreachable else "failed" if failure else "ok",
            ok_count=host.ok_count,
            changed_count=host.changed_count,
            roles=roles,
            removed=finished[: len(finished) - len(roles)],
            failure=failure,
            records={role: tuple(host.records.get(role, ())) for role in roles},
        )

    def _take_stats(self, data: Mapping[str, object]) -> None:
        self.is_complete = True
        self._ended = set(_mapping(data.get("processed")))
        # Ansible's own count: whether a hidden task changed something is hidden too.
        ok, changed = _mapping(data.get("ok")), _mapping(data.get("changed"))
        rescued = _mapping(data.get("rescued"))
        stopped = {**_mapping(data.get("failures")), **_mapping(data.get("dark"))}
        for address, host in self._hosts.items():
            host.ok_count = _count(ok.get(address))
            host.changed_count = _count(changed.get(address))
            if address not in stopped and rescued.get(address):
                host.failure, host.failed_roles, host.is_unreachable = None, [], False
            elif address in stopped and host.failure is None:
                host.failure = Failure(role=None, task="", message="Ansible counts it as failed and does not say where")

    def _add_records(self, host: _Host, role: str | None, data: Mapping[str, object], result: Event) -> None:
        if role is None:
            return
        module = _text(data.get("resolved_action")) or str(data.get("task_action"))
        for part in _parts_of(result):
            if part.get("skipped") is True:
                continue
            host.records.setdefault(role, []).append(
                TaskRecord(
                    task=str(data.get("task")),
                    module=_text(part.get("module")) or module if module == TOGETHER else module,
                    arguments=_mapping(_mapping(part.get("invocation")).get("module_args")),
                    result={key: value for key, value in part.items() if key not in ("invocation", "diff")},
                    is_hidden="censored" in part or "censored" in result,
                )
            )

    def _failure(self, role: str | None, data: Event, result: Event) -> Failure:
        items = [_mapping(part) for part in _sequence(result.get("results"))]
        failed = [part for part in items if part.get("failed") is True]
        # Of a loop Ansible says only that items failed: the first of them has the reason.
        texts = [*(part.get("msg") for part in failed), result.get("msg"), result.get("censored")]
        message = next(filter(None, map(self._said, texts)), "no reason given")
        lines: list[str] = []
        for part in [result, *failed]:
            if part is not result:
                lines.extend(self._said(part.get("msg")).splitlines())
            for key in ("stdout", "stderr", "module_stdout", "module_stderr"):
                lines.extend(self._said(part.get(key)).splitlines())
        said = tuple(_shortened(line) for line in lines if line.strip())
        return Failure(role, self._said(data.get("task")), _shortened(message.splitlines()[0]), said[-_LAST_LINES:])

    def _said(self, value: object) -> str:
        return neutralised(self._redact(value)).strip() if isinstance(value, str) else ""

    def _progress(self, state: str, data: Event, message: str, *, is_changed: bool = False) -> Progress:
        return Progress(
            stage="configure",
            state="failed" if state == "failed" else "step",
            address=str(data.get("host")),
            message=message,
            role=_role_of(data),
            task=self._said(data.get("task")),
            is_changed=is_changed,
        )


def _role_of(data: Event) -> str | None:
    """The role that the task belongs to.

    ansible-runner lets a task that has no role inherit the one of whichever task began last on any host. So the task's
    own place decides; only the check of a role's arguments, which Ansible makes up, has its place in the play.
    """
    found = _OF_A_ROLE.fullmatch(str(data.get("task_path")))
    if found is not None:
        return found["role"]
    action = str(data.get("resolved_action") or data.get("task_action"))
    return _text(data.get("role")) if action.endswith("validate_argument_spec") else None


def _shortened(line: str) -> str:
    """A line without its middle where it is too long: apt begins with its whole command and ends with the reason."""
    if len(line) <= _LONGEST_LINE:
        return line
    begin = _LONGEST_LINE // 4
    return f"{line[:begin]} ... {line[begin + 5 - _LONGEST_LINE :]}"


def _finished(target: Aim, host: _Host, *, is_whole: bool) -> tuple[str, ...]:
    """The roles that were done to their end, those to take off first: all, or those before the first that was not."""
    names = (*(role.name for role in target.leaving), *(role.name for role in target.roles))
    if is_whole:
        return names
    begun = [names.index(role) for role in host.begun if role in names]
    failed = [names.index(role) if role in names else 0 for role in host.failed_roles if role is not None]
    if None in host.failed_roles:
        # Outside any role: before the first (packages) or between two. Only those before the last begun one are sure.
        failed.append(max(begun, default=0))
    if not host.failed_roles:
        failed.append(max(begun, default=0))
    return names[: min(failed)]


def _parts_of(result: Event) -> list[Event]:
    """The results that one event carries: a loop's last repeats every item, whose own events are not read."""
    if _is_loop(result):
        return [_mapping(part) for part in _sequence(result.get("results"))]
    return [_mapping(part) for part in _sequence(result.get("parts"))] or [result]


def _is_loop(result: Event) -> bool:
    results = result.get("results")
    return isinstance(results, list) and all(
        isinstance(part, Mapping) and "ansible_loop_var" in part for part in results
    )


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _sequence(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
