"""What a role ensures on a host, read from what Ansible itself reported: one small reader a module. Pure.

An entry is a JSON object: `kind` (file, directory, link, absent, package, unit, fresh, user) and what identifies it.
The program on the host (`remote.complete`) adds what was not reported, right after the run.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from leptonctl.assets import asset
from leptonctl.hosts.checks import checks_for

if TYPE_CHECKING:
    from leptonctl.hosts.configured import TaskRecord
    from leptonctl.planning.desired import DesiredRole

Entry = Mapping[str, object]

_INVOCATION = "/run/systemd/units/invocation:"
# Programs that only look; every other command of a role needs a check that says what it ensures.
_LOOKING_PROGRAMS = frozenset({"find", "dpkg-query", "systemctl", "python3", "visudo"})


@dataclass(frozen=True, slots=True)
class RoleEntries:
    """What a role ensures, in its order; `not_observed` names the tasks whose effect the probe cannot see."""

    entries: tuple[Entry, ...]
    not_observed: tuple[str, ...]


def role_entries(role: DesiredRole, records: Sequence[TaskRecord]) -> RoleEntries:
    """Read a role's records. The last record of a thing wins; a thing that ends up absent is expected to be absent."""
    found: dict[tuple[str, str], Entry] = {}
    unseen: list[str] = []
    covered = {program for check in checks_for(role) for program in getattr(check, "covers", ())}
    for index, record in enumerate(records):
        if record.is_hidden:
            after = records[index + 1] if index + 1 < len(records) else None
            if not _is_covered(record, after):
                unseen.append(record.task)
            continue
        reader = _READERS.get(record.module.rpartition(".")[2])
        if reader is None:
            unseen.append(record.task)
            continue
        for entry in reader(record, covered):
            if entry["kind"] == "not_observed":
                unseen.append(record.task)
            else:
                found[_key(entry)] = entry
    return RoleEntries(tuple(found.values()), tuple(dict.fromkeys(unseen)))


def _is_covered(hidden: TaskRecord, after: TaskRecord | None) -> bool:
    """Whether the task after a hidden one names the file that it wrote, or it only checked something.

    A role hides a task whose result carries a secret, and then names the file with `file: state=file`: the probe takes
    the file's digest on the host.
    """
    if hidden.module.rpartition(".")[2] in _ENSURE_NOTHING:
        return True
    return after is not None and after.module.rpartition(".")[2] == "file" and after.arguments.get("state") == "file"


def _key(entry: Entry) -> tuple[str, str]:
    if "path" in entry:
        return "path", str(entry["path"])
    return str(entry["kind"]), str(entry["name"])


def _read_file(record: TaskRecord, _covered: set[str]) -> Iterator[Entry]:
    path = record.result.get("dest") or record.result.get("path")
    state = record.arguments.get("state") or record.result.get("state")
    if not isinstance(path, str):
        yield {"kind": "not_observed"}
        return
    path = posixpath.normpath(path)
    if state == "absent":
        yield {"kind": "absent", "path": path}
    elif state in {"directory", "link"}:
        yield {"kind": state, "path": path}
    else:
        checksum = record.result.get("checksum")
        yield {"kind": "file", "path": path, **({"sha1": checksum} if isinstance(checksum, str) else {})}


def _read_apt(record: TaskRecord, _covered: set[str]) -> Iterator[Entry]:
    names = record.arguments.get("name") or record.arguments.get("package") or ()
    if record.arguments.get("state") in {"absent", "build-dep"}:
        yield {"kind": "not_observed"}
        return
    for name in [names] if isinstance(names, str) else _texts(names):
        yield {"kind": "package", "name": re.split(r"[=<>]", name, maxsplit=1)[0].partition(":")[0]}


def _read_unit(record: TaskRecord, _covered: set[str]) -> Iterator[Entry]:
    name = record.arguments.get("name")
    if isinstance(name, str):  # without a name it only lets systemd read its files
        yield {"kind": "unit", "name": name if "." in name else f"{name}.service"}


def _read_user(record: TaskRecord, _covered: set[str]) -> Iterator[Entry]:
    if record.arguments.get("state") == "absent":
        yield {"kind": "not_observed"}
    else:
        yield {"kind": "user", "name": str(record.arguments.get("name"))}


def _read_command(record: TaskRecord, covered: set[str]) -> Iterator[Entry]:
    argv = list(_texts(record.result.get("cmd") or record.arguments.get("argv") or ()))
    program = posixpath.basename(argv[0]) if argv else ""
    if program == "find" and argv[-2:-1] == ["-newer"] and argv[-1].startswith(_INVOCATION):
        yield {"kind": "fresh", "name": argv[-1].removeprefix(_INVOCATION), "files": argv[1:-2]}
    elif program not in _LOOKING_PROGRAMS and not {argv[0] if argv else "", program} & covered:
        yield {"kind": "not_observed"}


def _read_nothing(_record: TaskRecord, _covered: set[str]) -> Iterator[Entry]:
    """The module ensures nothing."""
    yield from ()


def _texts(values: object) -> Iterator[str]:
    if isinstance(values, Sequence):
        yield from (str(value) for value in values)


# dpkg_selections: the selection is part of a package's entry, which the role's apt task makes.
_ENSURE_NOTHING = frozenset(
    {
        *("assert", "debug", "dpkg_selections", "fail", "find", "include_role", "include_tasks", "import_role"),
        *("import_tasks", "meta", "ping", "set_fact", "setup", "gather_facts", "slurp", "stat", "wait_for"),
        *("validate_argument_spec", "include_vars", "pause"),
    }
)
_READERS: dict[str, Callable[[TaskRecord, set[str]], Iterator[Entry]]] = {
    "apt": _read_apt,
    "command": _read_command,
    "copy": _read_file,
    "file": _read_file,
    "service": _read_unit,
    "systemd": _read_unit,
    "systemd_service": _read_unit,
    "template": _read_file,
    "user": _read_user,
    **dict.fromkeys(_ENSURE_NOTHING, _read_nothing),
}


@cache
def role_source(role: str) -> str:
    """SHA-256 over the files of a role and over `site.yml`: what the role does can change without any host changing."""
    found = hashlib.sha256()
    folder = asset("playbooks", "roles", role)
    for path in [asset("playbooks", "site.yml"), *sorted(path for path in folder.rglob("*") if path.is_file())]:
        if "__pycache__" in path.parts:
            continue
        found.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()
