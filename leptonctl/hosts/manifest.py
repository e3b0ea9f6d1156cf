"""What a role ensures on a host, read from what Ansible itself reported, and what it watches beside that. Pure.

An entry is a JSON object: `kind` (file, directory, link, absent, line, block, package, unit, drop_ins, fresh, user,
group, gone, sysctl, roots) and what identifies it. Expected values are those that the role asked for. The program on
the host (`remote.complete`) adds what was left open, and refuses a host that is not as asked right after the run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from leptonctl.assets import asset
from leptonctl.hosts import collector
from leptonctl.hosts.checks import LOOKING_PROGRAMS, checks_for
from leptonctl.hosts.looking_commands import Declared, digest_of_program
from leptonctl.hosts.readers import Entry, ensures_nothing, module_of, read
from leptonctl.planning.derived import SERVER

if TYPE_CHECKING:
    from leptonctl.hosts.configured import TaskRecord
    from leptonctl.planning.desired import DesiredRole

_Key = tuple[str, ...]
# In each role's folder: alerts and dashboards, which the monitoring server reads of all roles.
_WATCHING = "monitoring"


@dataclass(frozen=True, slots=True)
class RoleEntries:
    """What a role ensures, in its order; `not_observed` names the tasks whose effect the probe cannot see."""

    entries: tuple[Entry, ...]
    not_observed: tuple[str, ...]


def role_entries(role: DesiredRole, records: Sequence[TaskRecord], *, login: str | None = None) -> RoleEntries:
    """Read a role's records, and add what the role watches.

    The last record of a thing wins; a thing that ends up absent is expected to be absent. `login` is the user as whom
    leptonctl comes to the host: it may become root.
    """
    found: dict[_Key, Entry] = {}
    unseen: list[str] = []
    declared = _declared(role)
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
    entries = _with_drop_ins(list(found.values()))
    return RoleEntries((*entries, *_watched(role, login)), tuple(dict.fromkeys(unseen)))


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


def _watched(role: DesiredRole, login: str | None) -> tuple[Entry, ...]:
    """What a role watches although no task of it writes it: who may become root, where it says who may."""
    users = role.settings.get("users") if role.name == "base" else None
    if role.name != "base":
        return ()
    listed = [user for user in users if isinstance(user, Mapping)] if isinstance(users, Sequence) else []
    may = {"root", *([login] if login else []), *(str(user["name"]) for user in listed if user.get("sudo"))}
    names = {"root", *([login] if login else []), *(str(user["name"]) for user in listed)}
    return ({"kind": "roots", "name": "sudo", "may": sorted(may), "listed": sorted(names)},)


@cache
def _looks(role: str) -> frozenset[str]:
    folder = asset("playbooks", "roles", role, "files")
    names = LOOKING_PROGRAMS.get(role, ())
    return frozenset(digest_of_program((folder / name).read_text(encoding="utf-8")) for name in names)


def _declared(role: DesiredRole) -> Declared:
    covered = frozenset(program for check in checks_for(role) for program in getattr(check, "covers", ()))
    return Declared(covered, _looks(role.name))


@cache
def role_source(role: str) -> str:
    """SHA-256 over a role's files, `site.yml` and our own actions: what a role does can change without any host."""
    found = hashlib.sha256()
    folders = (asset("playbooks", "roles", role), asset("playbooks", "collections"))
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    files = [path for path in files if not {"__pycache__", _WATCHING} & set(path.parts)]
    if role == SERVER:
        files += sorted(asset("playbooks", "roles").glob(f"*/{_WATCHING}/*"))
    for path in [asset("playbooks", "site.yml"), *files]:
        found.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    if role == collector.ROLE:
        found.update(collector.collector_modules().encode())
    return found.hexdigest()
