from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from leptonctl.hosts.configured import Failure
from leptonctl.hosts.events import TOGETHER, EventReader, neutralised
from leptonctl.hosts.secrets import Redactor
from leptonctl.hosts.target import Leaving, Target
from leptonctl.planning.desired import DesiredRole
from leptonctl.planning.observed import Endpoint

if TYPE_CHECKING:
    from leptonctl.sitefile.software import RoleName

ROLES: tuple[RoleName, ...] = ("base", "container_runtime", "monitoring_agent")


def reader(secret: str = "") -> EventReader:
    roles = tuple(DesiredRole(name, {}) for name in ROLES)
    return EventReader([Target("core/a", "a", "core", "core", Endpoint("10.0.0.1"), roles)], Redactor.of([secret]))


def ended(
    kind: str, role: str | None, *, result: dict[str, object] | None = None, leaked: str | None = None, **more: object
) -> dict[str, object]:
    path = f"/any/place/playbooks/roles/{role}/tasks/main.yml:3" if role else "/any/place/playbooks/site.yml:9"
    data = {
        "host": "core/a",
        "task": f"Task of {role}",
        "task_path": path,
        "resolved_action": "ansible.builtin.command",
        "res": result or {"changed": False},
        "role": leaked or role,
        **more,
    }
    return {"event": f"runner_on_{kind}", "event_data": data}


def stats(**counts: int) -> dict[str, object]:
    data = {name: {"core/a": count} for name, count in counts.items() if count}
    return {"event": "playbook_on_stats", "event_data": {"processed": {"core/a": 1}, **data}}


def test_a_task_that_failed_but_is_ignored_stops_nothing() -> None:
    events = reader()
    assert events.take(ended("failed", "base", ignore_errors=True)) is None
    events.take(stats(ok=1))
    assert events.hosts()["core/a"].status == "ok"
    assert events.hosts()["core/a"].roles == ROLES


def test_a_failure_that_the_role_rescued_stops_nothing() -> None:
    events = reader()
    events.take(ended("failed", "base", result={"msg": "no"}))
    events.take(ended("ok", "base"))
    events.take(stats(ok=1, rescued=1))
    host = events.hosts()["core/a"]
    assert (host.status, host.failure, host.roles) == ("ok", None, ROLES)


def test_a_host_that_is_lost_on_the_way_is_unreachable() -> None:
    events = reader()
    events.take(ended("ok", "base"))
    events.take(ended("unreachable", "container_runtime", result={"msg": "Connection closed", "unreachable": True}))
    events.take(stats(ok=1, dark=1))
    host = events.hosts()["core/a"]
    assert (host.status, host.roles) == ("unreachable", ("base",))
    assert host.failure == Failure("container_runtime", "Task of container_runtime", "Connection closed")


def test_a_failure_before_the_first_role_leaves_no_role_finished() -> None:
    events = reader()
    events.take(ended("failed", None, result={"msg": "no package"}, leaked="base"))
    events.take(stats(failures=1))
    host = events.hosts()["core/a"]
    assert host.roles == ()
    assert host.failure == Failure(None, "Task of None", "no package")


def test_a_handler_that_fails_at_the_end_undoes_its_own_role_and_the_later_ones() -> None:
    events = reader()
    for role in ROLES:
        events.take(ended("ok", role))
    events.take(ended("failed", "container_runtime", result={"msg": "did not start"}))
    events.take(stats(ok=3, failures=1))
    assert events.hosts()["core/a"].roles == ("base",)


def test_a_host_that_ansible_did_not_finish_is_failed_and_its_last_role_too() -> None:
    events = reader()
    for role in ROLES[:2]:
        events.take(ended("ok", role))
    host = events.hosts(is_interrupted=True)["core/a"]
    assert (host.status, host.roles) == ("failed", ("base",))
    assert host.failure == Failure(None, "", "interrupted")
    assert not events.is_complete


def test_a_role_of_another_host_is_not_taken_for_the_role_of_a_task_without_one() -> None:
    events = reader()
    progress = events.take(ended("ok", None, leaked="monitoring_agent"))
    events.take(stats(ok=1))
    assert progress is not None
    assert progress.role is None
    assert events.hosts()["core/a"].records == {"base": (), "container_runtime": (), "monitoring_agent": ()}


def test_a_checkout_in_a_folder_called_roles_makes_no_role_of_its_own_folders() -> None:
    events = reader()
    for path, role in (
        ("/home/me/roles/playbooks/site.yml:9", None),
        ("/home/me/roles/leptonctl/playbooks/site.yml:9", None),
        ("/home/me/roles/leptonctl/playbooks/roles/base/tasks/main.yml:3", "base"),
        ("/home/me/roles/leptonctl/playbooks/roles/base/handlers/main.yml:3", "base"),
    ):
        progress = events.take(ended("ok", None, task_path=path))
        assert progress is not None
        assert progress.role == role


def test_a_skipped_item_leaves_no_record() -> None:
    events = reader()
    items = [
        {"ansible_loop_var": "item", "item": 1, "skipped": True, "changed": False},
        {"ansible_loop_var": "item", "item": 2, "changed": True, "invocation": {"module_args": {"a": 1}}},
    ]
    events.take(ended("ok", "base", result={"changed": True, "results": items}))
    events.take(ended("skipped", "base"))
    events.take(stats(ok=1))
    records = events.hosts()["core/a"].records["base"]
    assert [(record.arguments, record.result["item"]) for record in records] == [({"a": 1}, 2)]


def test_a_failed_item_is_told_by_its_own_words_and_last_lines_without_secrets() -> None:
    events = reader("hunter2hunter2")
    items = [
        {"ansible_loop_var": "item", "item": 1, "msg": "fine"},
        {
            "ansible_loop_var": "item",
            "item": 2,
            "failed": True,
            "msg": "bad",
            "stderr": "\x1b]0;title\x07hunter2hunter2",
        },
    ]
    progress = events.take(ended("failed", "base", result={"msg": "One or more items failed", "results": items}))
    assert progress is not None
    assert progress.message == "bad"
    failure = events.hosts()["core/a"].failure
    assert failure is not None
    assert failure.last_lines == ("bad", "[secret]")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("a\r\nb\tc\x07\x00\x9b2J", "a\nb\tc2J"),
        ("\x1b(0line\x1bcreset", "linereset"),
        ("äöü 漢字", "äöü 漢字"),
    ],
)
def test_no_terminal_escape_is_left(text: str, expected: str) -> None:
    clean = neutralised(text)
    assert "\x1b" not in clean
    assert clean == expected


def test_each_part_of_a_task_that_runs_several_modules_is_a_record_of_its_module() -> None:
    events = reader()
    parts = [
        {"module": "ansible.builtin.file", "path": "/a", "invocation": {"module_args": {"path": "/a"}}},
        {"module": "ansible.builtin.command", "skipped": True},
        {"module": "ansible.builtin.copy", "dest": "/a/b", "checksum": "c", "invocation": {"module_args": {}}},
    ]
    events.take(ended("ok", "base", result={"changed": True, "parts": parts}, resolved_action=TOGETHER))
    events.take(stats(ok=1, changed=1))
    records = events.hosts()["core/a"].records["base"]
    assert [(one.module, one.arguments) for one in records] == [
        ("ansible.builtin.file", {"path": "/a"}),
        ("ansible.builtin.copy", {}),
    ]
    assert (records[1].result["dest"], records[1].task) == ("/a/b", "Task of base")


def test_parts_that_are_hidden_are_one_hidden_record() -> None:
    events = reader()
    events.take(ended("ok", "base", result={"censored": "hidden", "changed": True}, resolved_action=TOGETHER))
    events.take(stats(ok=1))
    (record,) = events.hosts()["core/a"].records["base"]
    assert (record.is_hidden, record.module) == (True, TOGETHER)


def leaving() -> EventReader:
    """A host that two roles leave before one runs there."""
    gone = tuple(Leaving(name, (), ("base",)) for name in ("monitoring_server", "container_runtime"))
    target = Target("core/a", "a", "core", "core", Endpoint("10.0.0.1"), (DesiredRole("base", {}),), gone)
    return EventReader([target], Redactor.of([""]))


def test_roles_that_were_taken_off_are_told_apart_from_those_that_ran() -> None:
    events = leaving()
    events.take(ended("ok", "monitoring_server"))
    events.take(stats(ok=1))
    host = events.hosts()["core/a"]
    assert (host.removed, host.roles, dict(host.records)) == (
        ("monitoring_server", "container_runtime"),
        ("base",),
        {"base": ()},
    )


def test_a_role_that_could_not_be_taken_off_is_not_removed_and_no_role_ran() -> None:
    events = leaving()
    events.take(ended("ok", "monitoring_server"))
    events.take(ended("failed", "container_runtime", result={"msg": "1 containers still run: default/a"}))
    events.take(stats(failures=1))
    host = events.hosts()["core/a"]
    assert (host.removed, host.roles) == (("monitoring_server",), ())


def test_a_removal_that_was_interrupted_has_to_be_done_again() -> None:
    events = leaving()
    events.take(ended("ok", "monitoring_server"))
    host = events.hosts(is_interrupted=True)["core/a"]
    assert (host.removed, host.roles) == ((), ())


def test_a_package_source_of_a_later_role_says_nothing_about_the_earlier_ones() -> None:
    path = "/any/place/playbooks/roles/monitoring_agent/tasks/repository.yml:3"
    events = reader()
    events.take(ended("ok", "monitoring_agent", task_path=path))
    events.take(ended("failed", None, result={"msg": "no package"}))
    events.take(stats(failures=1))
    assert events.hosts()["core/a"].roles == ()
    events = reader()
    events.take(ended("failed", "monitoring_agent", task_path=path, result={"msg": "repository vendor: wrong key"}))
    events.take(stats(failures=1))
    host = events.hosts()["core/a"]
    assert (host.roles, host.failure) == (
        (),
        Failure("monitoring_agent", "Task of monitoring_agent", "repository vendor: wrong key"),
    )


def test_a_message_that_is_too_long_keeps_its_end_which_says_what_it_was() -> None:
    events = reader()
    packages = " ".join(f"package-{number}=1.0" for number in range(100))
    end = "failed: E: Failed to fetch it  Error writing to file - write (28: No space left on device)"
    events.take(ended("failed", "base", result={"msg": f"'/usr/bin/apt-get install {packages}' {end}"}))
    events.take(stats(failures=1))
    failure = events.hosts()["core/a"].failure
    assert failure is not None
    assert len(failure.message) == 400
    assert failure.message.startswith("'/usr/bin/apt-get install package-0=1.0")
    assert failure.message.endswith(end)
