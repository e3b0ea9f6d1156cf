"""Entries: what a role ensures on a host, from the records of its tasks. Pure, and of the standard library alone.

It runs at the controller after a push, and on a box after it pulled: both write the same manifest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leptonctl.hosts.readers import Entry, ensures_nothing, module_of, read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leptonctl.hosts.configured import TaskRecord
    from leptonctl.hosts.looking_commands import Declared

_Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RoleEntries:
    """What a role ensures, in its order; `not_observed` names the tasks whose effect the probe cannot see."""

    entries: tuple[Entry, ...]
    not_observed: tuple[str, ...]


def entries_of(records: Sequence[TaskRecord], declared: Declared, watched: Sequence[Entry] = ()) -> RoleEntries:
    """Read a role's records, and add what the role watches.

    The last record of a thing wins; a thing that ends up absent is expected to be absent.
    """
    found: dict[_Key, Entry] = {}
    unseen: list[str] = []
    for index, record in enumerate(records):
        if record.is_hidden:
            after = records[index + 1] if index + 1 < len(records) else None
            if not _is_covered(record, after):
                unseen.append(record.task)
            continue
        for entry in read(record, declared):
            if entry["kind"] == "not_observed":
                unseen.append(record.task)
            else:
                _add(found, entry)
    entries = _with_drop_ins(_without_units_that_went(found))
    return RoleEntries((*entries, *watched), tuple(dict.fromkeys(unseen)))


def _is_covered(hidden: TaskRecord, after: TaskRecord | None) -> bool:
    """Whether the task after a hidden one names the file that it wrote, or it only checked something.

    A role hides a task whose result carries a secret, and then names the file with `file: state=file`: the probe takes
    the file's digest on the host.
    """
    if ensures_nothing(hidden):
        return True
    return after is not None and module_of(after) == "file" and after.arguments.get("state") == "file"


def _add(found: dict[_Key, Entry], entry: Entry) -> None:
    """Add an entry, or what it says beside what is known of the same thing."""
    key = _key(entry)
    before = found.get(key)
    is_same = before is not None and before["kind"] == entry["kind"]
    found[key] = {**before, **entry} if before is not None and is_same else entry
    if entry["kind"] in {"line", "block"} and ("path", str(entry["path"])) in found:
        # Whoever wrote the whole file did not know this line: its digest is taken on the host.
        whole = found["path", str(entry["path"])]
        found["path", str(entry["path"])] = {name: value for name, value in whole.items() if name != "sha1"}


def _key(entry: Entry) -> _Key:
    match entry["kind"]:
        case "line":
            return "line", str(entry["path"]), str(entry.get("pattern")), str(entry.get("line"))
        case "block":
            return "block", str(entry["path"]), str(entry["lines"])
        case "gone":
            return str(entry["of"]), str(entry["name"])
    return ("path", str(entry["path"])) if "path" in entry else (str(entry["kind"]), str(entry["name"]))


def _without_units_that_went(found: dict[_Key, Entry]) -> list[Entry]:
    """All but the units that the role switched off and whose file it took away: that file is expected to be absent."""

    def went(entry: Entry) -> bool:
        file = found.get(("path", f"/etc/systemd/system/{entry.get('name')}"), {})
        is_off = (entry["kind"], entry.get("active"), entry.get("file_state")) == ("unit", "inactive", "disabled")
        return is_off and file.get("kind") == "absent"

    return [entry for entry in found.values() if not went(entry)]


def _with_drop_ins(entries: list[Entry]) -> list[Entry]:
    """Give each unit the files that may change it: only those that the role itself wrote.

    Where the role removed such a file, the unit's own entry says that there should be none.
    """
    units = [str(entry["name"]) for entry in entries if entry["kind"] == "unit"]

    def unit_of(entry: Entry) -> str | None:
        path = str(entry.get("path"))
        is_settings = path.startswith(("/etc/systemd/system", "/run/systemd/system"))
        names = (unit for unit in units if f"/{unit}.d/" in path or path.endswith(f"/{unit}"))
        return next(names, None) if is_settings else None

    written = [(unit_of(entry), entry["path"]) for entry in entries if entry["kind"] == "file"]
    return [
        *(entry for entry in entries if entry["kind"] != "absent" or unit_of(entry) is None),
        *(
            {"kind": "drop_ins", "name": unit, "paths": [path for owner, path in written if owner == unit]}
            for unit in units
        ),
    ]
