"""What a role ensures, read from what Ansible reported."""

from leptonctl.hosts.configured import TaskRecord
from leptonctl.hosts.manifest import role_entries, role_source
from leptonctl.planning.desired import DesiredRole

AGENT = DesiredRole("monitoring_agent", {"version": None, "port": 9100})
BASE = DesiredRole("base", {})


def entries(role: DesiredRole, *records: TaskRecord) -> list[dict[str, object]]:
    return [dict(entry) for entry in role_entries(role, records).entries]


def a_template(path: str, *, sha1: str = "ab" * 20, hidden: bool = False) -> TaskRecord:
    return TaskRecord("Write it", "ansible.builtin.template", {}, {"dest": path, "checksum": sha1}, is_hidden=hidden)


def test_a_file_is_read_with_its_checksum_changed_or_not() -> None:
    changed = a_template("/etc/x")
    same = TaskRecord("Write it", "template", {"state": "file"}, {"path": "/etc/x", "checksum": "ab" * 20})
    expected = [{"kind": "file", "path": "/etc/x", "sha1": "ab" * 20}]
    assert entries(AGENT, changed) == entries(AGENT, same) == expected


def test_the_last_record_of_a_path_wins() -> None:
    removed = TaskRecord("Remove it", "ansible.builtin.file", {"state": "absent"}, {"path": "/etc/x"})
    assert entries(AGENT, a_template("/etc/x"), removed) == [{"kind": "absent", "path": "/etc/x"}]


def test_folders_links_units_users_and_packages_are_read() -> None:
    records = (
        TaskRecord("a", "ansible.builtin.file", {"state": "directory"}, {"path": "/etc/d/"}),
        TaskRecord("b", "ansible.builtin.file", {"state": "link"}, {"dest": "/etc/localtime"}),
        TaskRecord("c", "ansible.builtin.systemd_service", {"name": "cron", "state": "started"}, {}),
        TaskRecord("d", "ansible.builtin.systemd_service", {"name": "apt-daily.timer"}, {}),
        TaskRecord("e", "ansible.builtin.user", {"name": "ana"}, {"name": "ana"}),
        TaskRecord("f", "ansible.builtin.apt", {"name": ["prometheus=2.42*", "curl"]}, {}),
    )
    assert entries(AGENT, *records) == [
        {"kind": "directory", "path": "/etc/d"},
        {"kind": "link", "path": "/etc/localtime"},
        {"kind": "unit", "name": "cron.service"},
        {"kind": "unit", "name": "apt-daily.timer"},
        {"kind": "user", "name": "ana"},
        {"kind": "package", "name": "prometheus"},
        {"kind": "package", "name": "curl"},
    ]


def test_what_only_looks_ensures_nothing() -> None:
    records = (
        TaskRecord("a", "ansible.builtin.assert", {}, {}),
        TaskRecord("b", "ansible.builtin.systemd_service", {"daemon_reexec": True}, {}),
        TaskRecord("c", "ansible.builtin.command", {}, {"cmd": ["dpkg-query", "--show"]}),
        TaskRecord("d", "ansible.builtin.apt", {"update_cache": True, "name": None}, {}),
    )
    found = role_entries(AGENT, records)
    assert (found.entries, found.not_observed) == ((), ())


def test_a_look_for_older_settings_becomes_an_entry_of_its_own() -> None:
    argv = ["find", "/etc/a", "/etc/b", "-newer", "/run/systemd/units/invocation:x.service"]
    assert entries(AGENT, TaskRecord("a", "ansible.builtin.command", {}, {"cmd": argv})) == [
        {"kind": "fresh", "name": "x.service", "files": ["/etc/a", "/etc/b"]}
    ]


def test_what_is_not_understood_is_named_as_not_observed() -> None:
    records = (
        TaskRecord("Run a thing", "ansible.builtin.command", {}, {"cmd": ["/usr/bin/thing", "--apply"]}),
        TaskRecord("Use a module", "community.general.thing", {}, {}),
        TaskRecord("Hide a file", "ansible.builtin.template", {}, {}, is_hidden=True),
    )
    assert role_entries(AGENT, records).not_observed == ("Run a thing", "Use a module", "Hide a file")


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
