"""Readers: what one task ensures, from its arguments and its result; one small reader for each Ansible module. Pure.

An entry says what the role asked for. What it left open and Ansible reported (the owner of a file) is taken from the
result; what neither says is looked up on the host right after the run, by `remote.complete`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from leptonctl.hosts.looking_commands import Declared, only_looks

if TYPE_CHECKING:
    from leptonctl.hosts.configured import TaskRecord

Entry = Mapping[str, object]
Reader = Callable[["TaskRecord", Declared], Iterator[Entry]]

NOT_OBSERVED: Entry = {"kind": "not_observed"}

_INVOCATION = "/run/systemd/units/invocation:"
_ACTIVE = {"started": "active", "restarted": "active", "reloaded": "active", "stopped": "inactive"}


def read(record: TaskRecord, declared: Declared) -> Iterator[Entry]:
    """The entries of one task; `NOT_OBSERVED` where its module has no reader, or a reader that cannot tell."""
    reader = _READERS.get(module_of(record))
    yield from (NOT_OBSERVED,) if reader is None else reader(record, declared)


def module_of(record: TaskRecord) -> str:
    """The module's own name: `template` for `ansible.builtin.template`."""
    return record.module.rpartition(".")[2]


def has_reader(module: str) -> bool:
    """Whether there is a reader for the module."""
    return module.rpartition(".")[2] in _READERS


def ensures_nothing(record: TaskRecord) -> bool:
    """Whether the task's module only looks, checks or steers."""
    return module_of(record) in _ENSURE_NOTHING


def _read_path(record: TaskRecord, _declared: Declared) -> Iterator[Entry]:
    found = record.result.get("dest") or record.result.get("path")
    state = record.arguments.get("state") or record.result.get("state")
    if not isinstance(found, str):
        yield NOT_OBSERVED
        return
    path = posixpath.normpath(found)
    checksum = record.result.get("checksum")
    if state == "absent":
        yield {"kind": "absent", "path": path}
    elif state == "link":
        target = record.arguments.get("src") or record.result.get("src")
        yield {"kind": "link", "path": path, **({"target": target} if isinstance(target, str) else {})}
    elif state == "directory":
        yield {"kind": "directory", "path": path, **_rights(record)}
        if record.arguments.get("recurse") is True:
            yield NOT_OBSERVED
    elif isinstance(checksum, str):
        yield {"kind": "file", "path": path, "sha1": checksum, **_rights(record)}
    elif module_of(record) in {"file", "get_url"}:
        yield {"kind": "file", "path": path, **_rights(record)}
    else:
        yield NOT_OBSERVED


def _rights(record: TaskRecord) -> dict[str, str]:
    """Mode, owner and group: the role's own words where they are plain, else what Ansible left there."""
    found: dict[str, str] = {}
    mode = record.arguments.get("mode")
    if isinstance(mode, str) and re.fullmatch(r"[0-7]{3,5}", mode):
        found["mode"] = f"{int(mode, 8):04o}"
    elif isinstance(record.result.get("mode"), str):
        found["mode"] = str(record.result["mode"])
    for name in ("owner", "group"):
        asked, left = record.arguments.get(name), record.result.get(name)
        if isinstance(asked, str) and not asked.isdecimal():
            found[name] = asked
        elif isinstance(left, str):
            found[name] = left
    return found


def _read_apt(record: TaskRecord, _declared: Declared) -> Iterator[Entry]:
    names = record.arguments.get("name") or record.arguments.get("package") or ()
    is_more = any(record.arguments.get(key) for key in ("deb", "autoremove")) or record.arguments.get(
        "upgrade"
    ) not in {
        None,
        False,
        "no",
    }
    if is_more or record.arguments.get("state") in {"build-dep", "fixed"}:
        yield NOT_OBSERVED
        return
    for text in [names] if isinstance(names, str) else _texts(names):
        name, sign, version = re.fullmatch(r"([^=<>]*)([=<>]*)(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
        name = name.partition(":")[0].strip()
        if record.arguments.get("state") == "absent":
            yield {"kind": "gone", "of": "package", "name": name}
        else:
            yield {"kind": "package", "name": name, **({"pattern": version} if sign == "=" else {})}


def _read_selection(record: TaskRecord, _declared: Declared) -> Iterator[Entry]:
    """The selection is part of a package's entry, which the role's apt task makes."""
    yield {"kind": "package", "name": str(record.arguments.get("name")), "want": record.arguments.get("selection")}


def _read_unit(record: TaskRecord, _declared: Declared) -> Iterator[Entry]:
    name = record.arguments.get("name") or record.arguments.get("service")
    if not isinstance(name, str):
        return  # without a name it only lets systemd read its files
    unit: dict[str, object] = {"kind": "unit", "name": name if "." in name else f"{name}.service"}
    active = _ACTIVE.get(str(record.arguments.get("state")))
    if active is not None:
        unit["active"] = active
    if record.arguments.get("masked") is True:
        unit["file_state"] = "masked"
    elif isinstance(record.arguments.get("enabled"), bool):
        unit["file_state"] = "enabled" if record.arguments["enabled"] else "disabled"
    yield unit


def _read_user(record: TaskRecord, _declared: Declared) -> Iterator[Entry]:
    name = str(record.arguments.get("name"))
    if record.arguments.get("state") == "absent":
        yield {"kind": "gone", "of": "user", "name": name}
        return
    user: dict[str, object] = {"kind": "user", "name": name}
    for key in ("uid", "home", "shell", "comment"):
        if record.arguments.get(key) is not None:
            user[key] = record.arguments[key]
    groups = record.arguments.get("groups")
    if record.arguments.get("append") is True:
        user["groups_at_least"] = sorted(_texts(groups or ()))
    else:
        user["groups"] = sorted(group for group in _texts(groups or ()) if group)
    # Its value is hidden, but it was put in place just now: the host's own is what was asked for.
    is_set = record.arguments.get("password") is not None and record.arguments.get("update_password") != "on_create"
    user["password"] = "set" if is_set else "kept"
    if "system" in record.result:  # only a new account's result has it: number and home are new too
        user["is_made"] = True
    yield user


def _read_group(record: TaskRecord, _declared: Declared) -> Iterator[Entry]:
    name = str(record.arguments.get("name"))
    if record.arguments.get("state") == "absent":
        yield {"kind": "gone", "of": "group", "name": name}
        return
    gid = record.arguments.get("gid")
    yield {"kind": "group", "name": name, **({"gid": gid} if gid is not None else {})}


def _read_line(record: TaskRecord, _declared: Declared) -> Iterator[Entry]:
    """A line that is there, and no other line that the role would take for it: an earlier one could override it."""
    path, line = record.arguments.get("path") or record.arguments.get("dest"), record.arguments.get("line")
    pattern = record.arguments.get("regexp")
    if not isinstance(path, str) or record.arguments.get("backrefs") is True:
        yield NOT_OBSERVED
    elif record.arguments.get("state") == "absent":
        only = pattern if isinstance(pattern, str) else f"^{re.escape(str(line))}$"
        yield {"kind": "line", "path": posixpath.normpath(path), "pattern": only}
    elif isinstance(line, str):
        more = {"pattern": pattern} if isinstance(pattern, str) else {}
        yield {"kind": "line", "path": posixpath.normpath(path), "line": line, **more}
    else:
        yield NOT_OBSERVED


def _read_block(record: TaskRecord, _declared: Declared) -> Iterator[Entry]:
    arguments = record.arguments
    path, block = arguments.get("path") or arguments.get("dest"), arguments.get("block")
    if not isinstance(path, str) or not isinstance(block, str) or not block or arguments.get("state") == "absent":
        yield NOT_OBSERVED
        return
    marker = str(arguments.get("marker") or "# {mark} ANSIBLE MANAGED BLOCK")
    begin, end = (
        marker.replace("{mark}", str(arguments.get(f"marker_{word}") or word.upper())) for word in ("begin", "end")
    )
    yield {"kind": "block", "path": posixpath.normpath(path), "lines": [begin, *block.rstrip("\n").split("\n"), end]}


def _read_repository(record: TaskRecord, _declared: Declared) -> Iterator[Entry]:
    """The file of an `apt_repository` with a file name of its own, or of a `deb822_repository`."""
    found = record.result.get("dest")
    name, text = record.arguments.get("filename"), record.arguments.get("repo")
    kind = "absent" if record.arguments.get("state") == "absent" else "file"
    if isinstance(found, str):
        yield {"kind": kind, "path": posixpath.normpath(found)}
    elif isinstance(name, str) and isinstance(text, str):
        path = f"/etc/apt/sources.list.d/{name.removesuffix('.list')}.list"
        line = {"pattern": f"^{re.escape(text)}$"} if kind == "absent" else {"line": text}
        yield {"kind": "line", "path": path, **line}
    else:
        yield NOT_OBSERVED


def _read_signed_repository(record: TaskRecord, _declared: Declared) -> Iterator[Entry]:
    """The source and the key of our own `repository`, each with its content as it is right after the run."""
    found = [record.result.get("dest"), record.result.get("key")]
    paths = [path for path in found if isinstance(path, str)]
    if len(paths) < len(found):
        yield NOT_OBSERVED
    elif record.arguments.get("state") == "absent":
        yield from ({"kind": "absent", "path": path} for path in paths)
    else:
        rights = {"owner": "root", "group": "root"}
        yield {"kind": "directory", "path": posixpath.dirname(paths[1]), "mode": "0755", **rights}
        yield from ({"kind": "file", "path": path, "mode": "0644", **rights} for path in paths)


def _read_sysctl(record: TaskRecord, _declared: Declared) -> Iterator[Entry]:
    name, value = record.arguments.get("name"), record.arguments.get("value")
    if not isinstance(name, str) or value is None or record.arguments.get("state") == "absent":
        yield NOT_OBSERVED
        return
    yield {
        "kind": "line",
        "path": str(record.arguments.get("sysctl_file") or "/etc/sysctl.conf"),
        "line": f"{name}={value}",
    }
    if record.arguments.get("sysctl_set") is True or record.arguments.get("reload") is not False:
        yield {"kind": "sysctl", "name": name, "value": " ".join(str(value).split())}


def _read_command(record: TaskRecord, declared: Declared) -> Iterator[Entry]:
    argv = list(_texts(record.result.get("cmd") or record.arguments.get("argv") or ()))
    if argv and argv[0] == "find" and argv[-2:-1] in (["-newer"], ["-cnewer"]) and argv[-1].startswith(_INVOCATION):
        yield {"kind": "fresh", "name": argv[-1].removeprefix(_INVOCATION), "files": argv[1:-2]}
    elif not only_looks(argv, record.arguments.get("stdin"), declared):
        yield NOT_OBSERVED


def _read_nothing(_record: TaskRecord, _declared: Declared) -> Iterator[Entry]:
    """The module ensures nothing."""
    yield from ()


def _texts(values: object) -> Iterator[str]:
    if isinstance(values, Sequence):
        yield from (str(value) for value in values)


_ENSURE_NOTHING = frozenset(
    {
        *("assert", "debug", "fail", "find", "include_role", "include_tasks", "import_role", "import_tasks", "meta"),
        *("ping", "set_fact", "setup", "gather_facts", "package_facts", "service_facts", "slurp", "stat", "wait_for"),
        *("validate_argument_spec", "include_vars", "pause", "reboot"),
    }
)
_READERS: dict[str, Reader] = {
    "apt": _read_apt,
    "apt_repository": _read_repository,
    "blockinfile": _read_block,
    "command": _read_command,
    "copy": _read_path,
    "deb822_repository": _read_repository,
    "dpkg_selections": _read_selection,
    "file": _read_path,
    "get_url": _read_path,
    "group": _read_group,
    "lineinfile": _read_line,
    "packages": _read_apt,
    "repository": _read_signed_repository,
    "service": _read_unit,
    "sysctl": _read_sysctl,
    "systemd": _read_unit,
    "systemd_service": _read_unit,
    "template": _read_path,
    "user": _read_user,
    **dict.fromkeys(_ENSURE_NOTHING, _read_nothing),
}
