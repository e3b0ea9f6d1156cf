"""What a role ensures, read from what Ansible reported."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from leptonctl.assets import asset
from leptonctl.hosts.configured import TaskRecord
from leptonctl.hosts.events import TOGETHER
from leptonctl.hosts.manifest import role_entries, role_source
from leptonctl.hosts.readers import has_reader
from leptonctl.planning.desired import DesiredRole
from leptonctl.sitefile.software import SETTINGS, RoleName

AGENT = DesiredRole("monitoring_agent", {"version": None, "port": 9100})
BASE = DesiredRole("base", {})
ROOT = {"mode": "0644", "owner": "root", "group": "root"}
# What Ansible reported of a run of all roles on a real host, without what no reader reads. The program that only looks
# is named; its text is put in its place.
RECORDS = json.loads(Path(__file__).with_name("data").joinpath("records.json").read_text())

RECORDED_WITH: dict[RoleName, dict[str, object]] = {
    "base": {"users": [{"name": "ops", "sudo": True}]},
    "storage_ceph": {"monitor": True, "begins": True},
    "storage_nfs": {"mounts": [{"name": "homes", "path": "/srv/shared-homes"}]},
    "storage_hdfs": {"parts": ["name_node", "checkpoint_node"]},
}


def entries(role: DesiredRole, *records: TaskRecord) -> list[dict[str, object]]:
    return [dict(entry) for entry in role_entries(role, records).entries]


def ensured(*records: TaskRecord) -> list[dict[str, object]]:
    """Without the entries that every unit gets."""
    return [entry for entry in entries(AGENT, *records) if entry["kind"] != "drop_ins"]


def a_template(path: str, *, sha1: str = "ab" * 20, hidden: bool = False, **asked: str) -> TaskRecord:
    return TaskRecord("Write it", "ansible.builtin.template", asked, {"dest": path, "checksum": sha1, **ROOT}, hidden)


def recorded(name: str) -> tuple[TaskRecord, ...]:
    def record(found: dict[str, Any]) -> TaskRecord:
        arguments = found.get("arguments", {})
        if arguments.get("stdin"):
            program = asset("playbooks", "roles", name, "files") / arguments["stdin"]
            arguments = {**arguments, "stdin": program.read_text().rstrip()}
        return TaskRecord(**{**found, "arguments": arguments})

    return tuple(record(found) for found in RECORDS[name])


@pytest.mark.parametrize("name", SETTINGS)
def test_nothing_that_a_role_of_this_project_does_goes_unseen(name: RoleName) -> None:
    settings = {**SETTINGS[name]().model_dump(mode="json"), **RECORDED_WITH.get(name, {})}
    found = role_entries(DesiredRole(name, settings), recorded(name), login="debian")
    assert found.not_observed == ()
    assert found.entries


def test_every_module_of_every_role_has_a_reader() -> None:
    def tasks(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            task
            for one in found
            for task in (tasks(one["block"]) if "block" in one else one.get(TOGETHER, {"parts": [one]})["parts"])
        ]

    roles = asset("playbooks", "roles")
    files = [*roles.glob("*/tasks/*.yml"), *roles.glob("*/handlers/*.yml")]
    used = {
        key for path in files for task in tasks(yaml.safe_load(path.read_text()) or []) for key in task if "." in key
    }
    assert {module for module in used if not has_reader(module)} == set()


def test_base_watches_who_may_become_root() -> None:
    users = [{"name": "ana", "sudo": True}, {"name": "ben", "sudo": False}]
    found = role_entries(DesiredRole("base", {"users": users}), (), login="debian")
    assert found.entries == (
        {"kind": "roots", "name": "sudo", "may": ["ana", "debian", "root"], "listed": ["ana", "ben", "debian", "root"]},
    )
    assert role_entries(AGENT, (), login="debian").entries == ()


def test_a_file_is_read_with_its_checksum_changed_or_not() -> None:
    changed = a_template("/etc/x")
    same = TaskRecord("Write it", "template", {"state": "file"}, {"path": "/etc/x", "checksum": "ab" * 20, **ROOT})
    expected = [{"kind": "file", "path": "/etc/x", "sha1": "ab" * 20, **ROOT}]
    assert ensured(changed) == ensured(same) == expected


def test_what_the_role_asked_for_counts_and_else_what_ansible_left_there() -> None:
    (entry,) = ensured(a_template("/etc/x", mode="640", owner="prometheus"))
    assert (entry["mode"], entry["owner"], entry["group"]) == ("0640", "prometheus", "root")
    # Words and numbers are for Ansible to turn into what is on the host.
    (entry,) = ensured(a_template("/etc/x", mode="u=rw", group="0"))
    assert (entry["mode"], entry["group"]) == ("0644", "root")


def test_the_last_record_of_a_path_wins_and_what_adds_to_it_is_kept() -> None:
    removed = TaskRecord("Remove it", "ansible.builtin.file", {"state": "absent"}, {"path": "/etc/x"})
    assert ensured(a_template("/etc/x"), removed) == [{"kind": "absent", "path": "/etc/x"}]
    private = TaskRecord(
        "Keep it private", "ansible.builtin.file", {"state": "file", "mode": "0600"}, {"path": "/etc/x"}
    )
    (entry,) = ensured(a_template("/etc/x"), private)
    assert (entry["sha1"], entry["mode"]) == ("ab" * 20, "0600")


def test_folders_links_units_users_and_packages_are_read() -> None:
    records = (
        TaskRecord("a", "ansible.builtin.file", {"state": "directory", "mode": "0755"}, {"path": "/etc/d/"}),
        TaskRecord("b", "ansible.builtin.file", {"state": "link", "src": "/usr/x"}, {"dest": "/etc/localtime"}),
        TaskRecord("c", "ansible.builtin.systemd_service", {"name": "cron", "state": "started"}, {}),
        TaskRecord("d", "ansible.builtin.user", {"name": "ana", "shell": "/bin/sh", "groups": []}, {"name": "ana"}),
        TaskRecord("e", "ansible.builtin.apt", {"name": ["prometheus=2.42*", "curl", "jq>=1"]}, {}),
    )
    assert ensured(*records) == [
        {"kind": "directory", "path": "/etc/d", "mode": "0755"},
        {"kind": "link", "path": "/etc/localtime", "target": "/usr/x"},
        {"kind": "unit", "name": "cron.service", "active": "active"},
        {"kind": "user", "name": "ana", "shell": "/bin/sh", "groups": [], "password": "kept"},
        {"kind": "package", "name": "prometheus", "pattern": "2.42*"},
        {"kind": "package", "name": "curl"},
        {"kind": "package", "name": "jq"},
    ]


def test_a_unit_is_what_all_tasks_together_ask_of_it() -> None:
    def unit(**asked: object) -> TaskRecord:
        return TaskRecord("a", "ansible.builtin.systemd_service", {"name": "x.service", **asked}, {})

    (entry,) = ensured(unit(state="restarted"), unit(state="started", enabled=True, masked=False))
    assert entry == {"kind": "unit", "name": "x.service", "active": "active", "file_state": "enabled"}
    (entry,) = ensured(unit(state="stopped", enabled=False))
    assert entry == {"kind": "unit", "name": "x.service", "active": "inactive", "file_state": "disabled"}
    (entry,) = ensured(unit(masked=True))
    assert entry == {"kind": "unit", "name": "x.service", "file_state": "masked"}


def test_a_unit_may_be_changed_only_by_files_that_the_role_wrote() -> None:
    unit = TaskRecord("a", "ansible.builtin.systemd_service", {"name": "x.service", "state": "started"}, {})
    own = "/etc/systemd/system/x.service.d/own.conf"
    other = TaskRecord("b", "file", {"state": "absent"}, {"path": "/etc/systemd/system/x.service.d/other.conf"})
    found = entries(AGENT, unit, a_template(own), a_template("/etc/x"), other)
    assert [entry["kind"] for entry in found] == ["unit", "file", "file", "drop_ins"]
    assert found[-1] == {"kind": "drop_ins", "name": "x.service", "paths": [own]}


def test_of_a_unit_that_the_role_switched_off_and_removed_nothing_is_left_but_that() -> None:
    path = "/etc/systemd/system/x.mount"
    off = TaskRecord(
        "a", "ansible.builtin.systemd_service", {"name": "x.mount", "state": "stopped", "enabled": False}, {}
    )
    removed = TaskRecord("b", "ansible.builtin.file", {"path": path, "state": "absent"}, {"path": path})
    assert entries(AGENT, off, removed) == [{"kind": "absent", "path": path}]
    on = TaskRecord(
        "c", "ansible.builtin.systemd_service", {"name": "x.mount", "state": "started", "enabled": True}, {}
    )
    kinds = [entry["kind"] for entry in entries(AGENT, removed, on)]
    assert kinds == ["unit", "drop_ins"], "a packed unit whose replacement was removed"


def test_a_new_account_is_told_from_one_that_was_there() -> None:
    asked = {"name": "ana", "password": "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"}
    made = TaskRecord("a", "ansible.builtin.user", asked, {"name": "ana", "uid": 1001, "system": False})
    (entry,) = ensured(made)
    assert entry == {"kind": "user", "name": "ana", "groups": [], "password": "set", "is_made": True}
    more = TaskRecord("a", "user", {"name": "ana", "groups": ["adm"], "append": True, "uid": 7}, {})
    (entry,) = ensured(more)
    assert entry == {"kind": "user", "name": "ana", "uid": 7, "groups_at_least": ["adm"], "password": "kept"}


def test_a_hold_is_part_of_its_package() -> None:
    records = (
        TaskRecord("a", "ansible.builtin.apt", {"name": "containerd=1.6*"}, {}),
        TaskRecord("b", "ansible.builtin.dpkg_selections", {"name": "containerd", "selection": "hold"}, {}),
    )
    assert ensured(*records) == [{"kind": "package", "name": "containerd", "pattern": "1.6*", "want": "hold"}]


def test_what_has_to_be_gone_is_an_entry_too() -> None:
    records = (
        TaskRecord("a", "ansible.builtin.user", {"name": "eve"}, {}),
        TaskRecord("b", "ansible.builtin.user", {"name": "eve", "state": "absent"}, {}),
        TaskRecord("c", "ansible.builtin.group", {"name": "eve", "state": "absent"}, {}),
        TaskRecord("d", "ansible.builtin.apt", {"name": ["telnetd"], "state": "absent"}, {}),
    )
    assert ensured(*records) == [
        {"kind": "gone", "of": "user", "name": "eve"},
        {"kind": "gone", "of": "group", "name": "eve"},
        {"kind": "gone", "of": "package", "name": "telnetd"},
    ]


def test_lines_blocks_groups_repositories_and_kernel_settings_are_read() -> None:
    records = (
        a_template("/etc/x"),
        TaskRecord("a", "ansible.builtin.lineinfile", {"path": "/etc/x", "line": "A=1", "regexp": "^A="}, {}),
        TaskRecord("b", "ansible.builtin.lineinfile", {"path": "/etc/y", "regexp": "^B=", "state": "absent"}, {}),
        TaskRecord("c", "ansible.builtin.blockinfile", {"path": "/etc/z", "block": "one\ntwo\n"}, {}),
        TaskRecord("d", "ansible.builtin.group", {"name": "gpu", "gid": 600}, {}),
        TaskRecord(
            "e", "ansible.builtin.deb822_repository", {"name": "r"}, {"dest": "/etc/apt/sources.list.d/r.sources"}
        ),
        TaskRecord("f", "ansible.builtin.apt_repository", {"repo": "deb http://h x main", "filename": "r"}, {}),
        TaskRecord("g", "ansible.posix.sysctl", {"name": "net.a", "value": "1\t 2", "sysctl_file": "/etc/s"}, {}),
    )
    assert ensured(*records) == [
        {"kind": "file", "path": "/etc/x", **ROOT},
        {"kind": "line", "path": "/etc/x", "line": "A=1", "pattern": "^A="},
        {"kind": "line", "path": "/etc/y", "pattern": "^B="},
        {
            "kind": "block",
            "path": "/etc/z",
            "lines": ["# BEGIN ANSIBLE MANAGED BLOCK", "one", "two", "# END ANSIBLE MANAGED BLOCK"],
        },
        {"kind": "group", "name": "gpu", "gid": 600},
        {"kind": "file", "path": "/etc/apt/sources.list.d/r.sources"},
        {"kind": "line", "path": "/etc/apt/sources.list.d/r.list", "line": "deb http://h x main"},
        {"kind": "line", "path": "/etc/s", "line": "net.a=1\t 2"},
        {"kind": "sysctl", "name": "net.a", "value": "1 2"},
    ]


def test_what_only_looks_ensures_nothing() -> None:
    records = (
        TaskRecord("a", "ansible.builtin.assert", {}, {}),
        TaskRecord("b", "ansible.builtin.systemd_service", {"daemon_reexec": True}, {}),
        TaskRecord("c", "ansible.builtin.command", {}, {"cmd": ["dpkg-query", "--show"]}),
        TaskRecord("d", "ansible.builtin.apt", {"update_cache": True, "name": None}, {}),
        TaskRecord("e", "ansible.builtin.service_facts", {}, {}),
        TaskRecord("f", "ansible.builtin.package_facts", {}, {}),
    )
    found = role_entries(AGENT, records)
    assert (found.entries, found.not_observed) == ((), ())


@pytest.mark.parametrize("word", ["-newer", "-cnewer"])
def test_a_look_for_older_settings_becomes_an_entry_of_its_own(word: str) -> None:
    argv = ["find", "/etc/a", "/etc/b", word, "/run/systemd/units/invocation:x.service"]
    assert entries(AGENT, TaskRecord("a", "ansible.builtin.command", {}, {"cmd": argv})) == [
        {"kind": "fresh", "name": "x.service", "files": ["/etc/a", "/etc/b"]}
    ]


def test_what_is_not_understood_is_named_as_not_observed() -> None:
    records = (
        TaskRecord("Run a thing", "ansible.builtin.command", {}, {"cmd": ["/usr/bin/thing", "--apply"]}),
        TaskRecord("Use a module", "community.general.thing", {}, {}),
        TaskRecord("Hide a file", "ansible.builtin.template", {}, {}, is_hidden=True),
        TaskRecord("Copy a folder", "ansible.builtin.copy", {}, {"dest": "/srv/x"}),
        TaskRecord("Upgrade all", "ansible.builtin.apt", {"upgrade": "dist"}, {}),
        TaskRecord("Install a file", "ansible.builtin.apt", {"deb": "/root/x.deb"}, {}),
    )
    assert role_entries(AGENT, records).not_observed == tuple(record.task for record in records)


def test_a_command_is_observed_where_a_check_of_the_role_covers_it() -> None:
    argv = ["/usr/local/lib/leptonctl/kernel_settings", "--apply"]
    record = TaskRecord("Put kernel settings in force", "ansible.builtin.command", {}, {"cmd": argv})
    assert role_entries(BASE, (record,)).not_observed == ()
    assert role_entries(AGENT, (record,)).not_observed == ("Put kernel settings in force",)


def test_a_hidden_file_is_observed_where_the_next_task_names_it() -> None:
    names_it = TaskRecord("Keep it private", "ansible.builtin.file", {"state": "file"}, {"path": "/etc/secret"})
    found = role_entries(AGENT, (a_template("", hidden=True), names_it))
    assert (found.not_observed, [dict(entry) for entry in found.entries]) == (
        (),
        [{"kind": "file", "path": "/etc/secret"}],
    )


def test_every_role_has_a_source_digest_of_its_own() -> None:
    assert len({role_source(role) for role in ("base", "container_runtime", "monitoring_agent")}) == 3


def test_a_signed_repository_is_its_source_and_its_key() -> None:
    paths = {"dest": "/etc/apt/sources.list.d/vendor.sources", "key": "/etc/apt/keyrings/vendor.asc"}
    present = TaskRecord("Set it up", "leptonctl.host.repository", {"name": "vendor", "state": "present"}, paths)
    assert ensured(present) == [
        {"kind": "directory", "path": "/etc/apt/keyrings", "mode": "0755", "owner": "root", "group": "root"},
        {"kind": "file", "path": paths["dest"], **ROOT},
        {"kind": "file", "path": paths["key"], **ROOT},
    ]
    absent = TaskRecord("Take it away", "leptonctl.host.repository", {"name": "vendor", "state": "absent"}, paths)
    assert ensured(absent) == [{"kind": "absent", "path": path} for path in paths.values()]
