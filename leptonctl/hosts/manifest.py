"""What a role ensures on a host, read from what Ansible itself reported, and what it watches beside that. Pure.

An entry is a JSON object: `kind` (file, directory, link, absent, line, block, package, unit, drop_ins, fresh, user,
group, gone, sysctl, roots) and what identifies it. Expected values are those that the role asked for. The program on
the host (`remote.complete`) adds what was left open, and refuses a host that is not as asked right after the run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from leptonctl.assets import asset, digest_of_source
from leptonctl.hosts import collector
from leptonctl.hosts.checks import LOOKING_PROGRAMS, checks_for
from leptonctl.hosts.entries import RoleEntries, entries_of
from leptonctl.hosts.looking_commands import Declared, digest_of_program
from leptonctl.planning.monitoring import SERVER

if TYPE_CHECKING:
    from leptonctl.hosts.configured import TaskRecord
    from leptonctl.hosts.readers import Entry
    from leptonctl.planning.desired import DesiredRole

# In each role's folder: alerts and dashboards, which the monitoring server reads of all roles.
_WATCHING = "monitoring"


def plain_settings(role: DesiredRole) -> dict[str, Any]:
    """The settings as JSON values (tuples become lists), so that they compare equal when they come back."""
    settings: dict[str, Any] = json.loads(json.dumps(dict(role.settings)))
    return settings


def role_entries(role: DesiredRole, records: Sequence[TaskRecord], *, login: str | None = None) -> RoleEntries:
    """What a role ensures by its records, and what it watches beside that.

    `login` is the user as whom leptonctl comes to the host: it may become root.
    """
    return entries_of(records, declared(role), watched(role, login))


def watched(role: DesiredRole, login: str | None) -> tuple[Entry, ...]:
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


def declared(role: DesiredRole) -> Declared:
    """What a role says of its commands: by its checks, and by its programs that only look."""
    covered = frozenset(program for check in checks_for(role) for program in getattr(check, "covers", ()))
    return Declared(covered, _looks(role.name))


@cache
def role_source(role: str) -> str:
    """SHA-256 over a role's files, the playbooks and our own actions: what a role does can change without any host."""
    folders = (asset("playbooks", "roles", role), asset("playbooks", "collections"))
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    files = [path for path in files if not {"__pycache__", _WATCHING} & set(path.parts)]
    if role == SERVER:
        files += sorted(asset("playbooks", "roles").glob(f"*/{_WATCHING}/*"))
    files += [asset("playbooks", "site.yml"), *sorted(asset("playbooks", "tasks").glob("*.yml"))]
    return digest_of_source(files, *([collector.collector_modules()] if role == collector.ROLE else ()))
