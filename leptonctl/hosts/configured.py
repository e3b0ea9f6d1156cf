"""What a run of Ansible gives, host by host: the types of `configure`'s answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """What one task did, or found done, on one host: what the manifest is made from.

    `arguments` and `result` are as Ansible reported them; `is_hidden` where Ansible hid them (no_log).
    """

    task: str
    module: str
    arguments: Mapping[str, object] = field(default_factory=dict)
    result: Mapping[str, object] = field(default_factory=dict)
    is_hidden: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """Where a host stopped. `last_lines` are the end of what the task said, free of terminal escapes and secrets."""

    role: str | None
    task: str
    message: str
    last_lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HostConfigured:
    """One host after the run. `roles` are those that ran to their end, in order; `records` has only these.

    `removed` are roles that were taken off it, to their end.
    """

    address: str
    status: Literal["ok", "failed", "unreachable"]
    ok_count: int = 0
    changed_count: int = 0
    roles: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    failure: Failure | None = None
    records: Mapping[str, tuple[TaskRecord, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Configured:
    """Every host that was asked for, by address, and the log of Ansible's own output."""

    hosts: Mapping[str, HostConfigured]
    log: Path
