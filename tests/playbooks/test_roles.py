"""Every role is made to the house's standard, and says the same as the site model."""

import re
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
import yaml
from pydantic.fields import FieldInfo

from leptonctl.assets import asset
from leptonctl.hosts.checks import containers, hardening, host
from leptonctl.sitefile.base import Frozen, SecretRef
from leptonctl.sitefile.software import ROLE_DATA, ROLE_NEEDS, ROLES_THAT_STAY, SETTINGS, RoleName

ROLES = asset("playbooks", "roles")
MANAGED = "Managed by leptonctl: the next run puts this file back."
# Their format has no comments.
WITHOUT_COMMENTS = {
    "timezone.j2",
    "myid.j2",
    "hosts.json.j2",
    "targets.json.j2",
    "agent.json.j2",
    "boxes.json.j2",
    "package_cache.json.j2",
    "daemon.json.j2",
    "nfs.json.j2",
    "logins.json.j2",
    "fpga.json.j2",
    "gpu_health.json.j2",
    "hdfs.json.j2",
    "objects.json.j2",
    "ceph.json.j2",
}
# What planning adds to the settings of a role: not in the site model.
DERIVED = {
    "base": {"base_time_service"},
    "container_runtime": {"container_runtime_gpu_handler", "container_runtime_stop_containers"},
    "gpu_driver": {"gpu_driver_declared"},
    "fpga": {"fpga_declared"},
    "gpu_health": {"gpu_health_declared"},
    "kubernetes": {
        f"kubernetes_{name}"
        for name in (
            *("part", "node_name", "api_endpoint", "control_plane_addresses", "labels", "has_gpus", "configuration"),
            "join",
        )
    },
    "storage_ceph": {
        f"storage_ceph_{name}"
        for name in (
            *("node_name", "place", "begins", "monitors", "places", "pools", "file_systems", "clients", "options"),
            "keys",
        )
    },
    "storage_nfs": {"storage_nfs_exports", "storage_nfs_mounts"},
    "storage_object": {"storage_object_buckets"},
    "dashboards": {"dashboards_prometheus_port"},
    "storage_hdfs": {
        f"storage_hdfs_{name}"
        for name in ("name_nodes", "journal_nodes", "checkpoint_node", "address", "nodes", "paths")
    },
    "monitoring_server": {
        f"monitoring_server_{name}"
        for name in ("targets", "senders", "write_to", "alertmanagers", "out_of_order_hours", "watched_roles")
    },
    "edge": {"edge_targets", "edge_write_to", "edge_tunnel", "edge_gateway_key"},
    "edge_gateway": {"edge_gateway_address", "edge_gateway_boxes"},
    "hardening": {"hardening_openings"},
}
NOT_MODULES = {
    *(
        "name",
        "when",
        "loop",
        "loop_control",
        "register",
        "notify",
        "vars",
        "environment",
        "changed_when",
        "failed_when",
    ),
    *("check_mode", "no_log", "diff", "timeout", "become", "block", "listen", "args"),
}

# Several modules in one task: each is looked at as a task of its own.
TOGETHER = "leptonctl.host.together"
PART_OPTIONS = {
    "changed_if_prints",
    "changed_unless_prints",
    "each",
    "ignores_check_mode",
    "may_fail",
    "only_if_changed",
}
# What a role has done otherwise than by Ansible's own modules.
OWN_MODULES = {"leptonctl.host.packages", "leptonctl.host.repository"}

Task = dict[str, Any]


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def task_files() -> list[Path]:
    return sorted([*ROLES.glob("*/tasks/*.yml"), *ROLES.glob("*/handlers/*.yml")])


def tasks(entries: list[Task]) -> Iterator[Task]:
    for entry in entries:
        if "block" in entry:
            yield from tasks(entry["block"])
        elif TOGETHER in entry:
            yield from entry[TOGETHER]["parts"]
        else:
            yield entry


def module_of(task: Task) -> str:
    (module,) = set(task) - NOT_MODULES - PART_OPTIONS
    return module


def all_tasks() -> list[Task]:
    return [task for path in task_files() for task in tasks(load(path) or [])]


# The model, seen as Ansible would say it.


def bare(hint: Any) -> Any:
    while get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    return hint


def option_type(hint: Any) -> dict[str, Any]:
    """The type of an option, from a field's type."""
    hint = bare(hint)
    if get_origin(hint) in (Union, types.UnionType):
        members = [bare(member) for member in get_args(hint) if member is not type(None)]
        return option_type(members[0]) if len(members) == 1 else {"type": "raw"}
    if get_origin(hint) is Literal:
        (kind,) = {type(choice) for choice in get_args(hint)}
        return {"type": kind.__name__, "choices": list(get_args(hint))}
    if get_origin(hint) is tuple:
        element = option_type(get_args(hint)[0])
        return {"type": "list", "elements": element.pop("type"), **element}
    if get_origin(hint) is dict:
        return {"type": "dict"}
    if isinstance(hint, type) and issubclass(hint, Frozen):
        return {"type": "dict", "options": options(hint)}
    return {"type": {str: "str", int: "int", bool: "bool", float: "float"}[hint]}


def default_of(field: FieldInfo) -> Any:
    value = field.get_default(call_default_factory=True)
    return list(value) if isinstance(value, tuple) else value


def is_secret(hint: Any) -> bool:
    pattern = get_args(SecretRef)[1].pattern
    if get_origin(hint) is dict and isinstance(entry := get_args(hint)[1], type) and issubclass(entry, Frozen):
        return any(map(is_secret, typing.get_type_hints(entry, include_extras=True).values()))
    return any(
        getattr(part, "pattern", None) == pattern or is_secret(part)
        for part in (*get_args(hint), *getattr(hint, "__metadata__", ()))
    )


def option(model: type[Frozen], name: str) -> dict[str, Any]:
    field = model.model_fields[name]
    found: dict[str, Any] = {"description": field.description, **option_type(field.annotation)}
    if is_secret(typing.get_type_hints(model, include_extras=True)[name]):
        found["no_log"] = True
    if field.is_required():
        found["required"] = True
    elif default_of(field) is not None:
        found["default"] = default_of(field)
    return found


def options(model: type[Frozen], prefix: str = "") -> dict[str, dict[str, Any]]:
    return {prefix + name: option(model, name) for name in model.model_fields}


def specified(role: str) -> dict[str, Any]:
    found: dict[str, Any] = load(ROLES / role / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]
    return found


@pytest.mark.parametrize("role", SETTINGS)
def test_the_arguments_of_a_role_are_the_fields_of_its_model(role: RoleName) -> None:
    found = {name: entry for name, entry in specified(role).items() if name not in DERIVED.get(role, set())}
    assert found == options(SETTINGS[role], f"{role}_")


@pytest.mark.parametrize("role", SETTINGS)
def test_defaults_are_those_of_the_arguments_and_none_is_forgotten(role: RoleName) -> None:
    expected = {name: entry.get("default") for name, entry in specified(role).items()}
    assert load(ROLES / role / "defaults" / "main.yml") == expected


def test_there_is_a_folder_for_each_role_and_no_other() -> None:
    assert {path.name for path in ROLES.iterdir()} == set(SETTINGS) == set(ROLE_NEEDS)


@pytest.mark.parametrize("role", SETTINGS)
def test_a_role_has_its_standard_parts(role: RoleName) -> None:
    folder = ROLES / role
    for part in ("meta/argument_specs.yml", "defaults/main.yml", "tasks/main.yml", "tasks/preflight.yml"):
        assert (folder / part).is_file(), part
    assert list((folder / "templates").glob("*.j2"))


@pytest.mark.parametrize("role", SETTINGS)
def test_a_role_can_be_taken_off_unless_it_stays_and_its_data_goes_only_as_named(role: RoleName) -> None:
    absent = ROLES / role / "tasks" / "absent.yml"
    assert absent.is_file() != (role in ROLES_THAT_STAY)
    assert not (role in ROLES_THAT_STAY and ROLE_DATA.get(role))
    if absent.is_file():
        removed = [task.get("ansible.builtin.file", {}) for task in tasks(load(absent))]
        text = absent.read_text()
        assert all(one["state"] == "absent" for one in removed if one)
        assert ("lepton_leaving_role.delete" in text) == bool(ROLE_DATA.get(role))
        assert not [data for data in ROLE_DATA.get(role, ()) for one in removed if one.get("path") == data]


@pytest.mark.parametrize("role", SETTINGS)
def test_a_role_says_whether_it_has_a_package_source_of_its_own(role: RoleName) -> None:
    says = f"__{role}_repository" in load(ROLES / role / "vars" / "main.yml")
    assert (ROLES / role / "tasks" / "repository.yml").is_file() == says
    if says and role not in ROLES_THAT_STAY:
        assert "leptonctl.host.repository" in (ROLES / role / "tasks" / "absent.yml").read_text()


@pytest.mark.parametrize("role", SETTINGS)
def test_the_main_tasks_are_a_table_of_contents_that_starts_with_preflight(role: RoleName) -> None:
    contents = load(ROLES / role / "tasks" / "main.yml")
    modules = {module_of(task) for task in contents}
    assert modules <= {"ansible.builtin.import_tasks", "ansible.builtin.include_tasks", "ansible.builtin.meta"}
    assert contents[0]["ansible.builtin.import_tasks"] == "preflight.yml"


def test_only_builtin_modules_and_our_own_are_used_by_their_full_names() -> None:
    used = set(map(module_of, all_tasks())) - OWN_MODULES
    assert {module.rpartition(".")[0] for module in used} == {"ansible.builtin"}


def test_modes_are_quoted_and_owners_named_where_a_file_is_written() -> None:
    for task in all_tasks():
        for module in ("copy", "template"):
            arguments = task.get(f"ansible.builtin.{module}")
            if arguments is not None:
                assert re.fullmatch(r"0[0-7]{3}", str(arguments["mode"])), task["name"]
                assert isinstance(arguments["mode"], str), task["name"]
                assert arguments["owner"], task["name"]


def test_a_command_says_what_it_changes_and_why_no_module_does_it() -> None:
    says = {"changed_when", "changed_if_prints", "changed_unless_prints"}
    for path in task_files():
        commands = [task for task in tasks(load(path) or []) if "ansible.builtin.command" in task]
        assert all(says & set(task) for task in commands), path
        lines = path.read_text().splitlines()
        at = [number for number, line in enumerate(lines) if "ansible.builtin.command:" in line]
        assert len(at) == len(commands), path
        for number in at:
            begin = next(above for above in range(number, -1, -1) if lines[above].lstrip().startswith("- "))
            assert lines[begin - 1].lstrip().startswith("#"), f"{path}:{begin + 1}"


def test_roles_know_no_groups_of_hosts() -> None:
    for path in sorted(ROLES.rglob("*.yml")) + sorted(ROLES.rglob("*.j2")):
        assert not re.search(r"\bgroups[.\[]|group_names|ansible_play_hosts|hostvars", path.read_text()), path


def test_what_is_written_on_a_host_says_who_manages_it_and_carries_no_time() -> None:
    for path in sorted([*ROLES.glob("*/templates/*"), *ROLES.glob("*/files/*")]):
        text = path.read_text()
        assert not re.search(r"ansible_date_time|\bnow\(", text), path
        if path.suffix == ".j2" and path.name not in WITHOUT_COMMENTS:
            assert MANAGED in text.splitlines()[0], path


def test_tasks_that_see_secrets_are_not_logged() -> None:
    for task in all_tasks():
        if re.search(
            r"webhook_url|monitoring_server_mail|alertmanager\.yml\.j2|logins\.json\.j2|object_users\.conf\.j2",
            str(task),
        ):
            assert task.get("no_log") is True, task["name"]


def test_a_service_that_is_restarted_is_restarted_for_the_age_of_its_files() -> None:
    """Whether a file changed would miss a run that was killed between the file and the restart."""
    arguments = [task.get("ansible.builtin.systemd_service", {}) for task in all_tasks()]
    restarted = {str(one["name"]) for one in arguments if one.get("state") == "restarted"}
    compared = " ".join(str(task) for task in all_tasks() if "-cnewer" in str(task))
    assert restarted
    for unit in restarted:
        assert f"invocation:{unit}" in compared, unit
    assert not list(ROLES.glob("*/handlers"))


def test_checks_and_roles_agree_on_the_names_of_what_lies_on_the_host() -> None:
    base, runtime = (load(ROLES / role / "vars" / "main.yml") for role in ("base", "container_runtime"))
    assert runtime["__container_runtime_probe_image"] == containers.PROBE_IMAGE
    assert f"{base['__base_programs']}/kernel_settings" == host.KERNEL_SETTINGS
    assert f"{runtime['__container_runtime_programs']}/probe_image" == containers.PROBE_IMAGE_PROGRAM
    hard = load(ROLES / "hardening" / "vars" / "main.yml")
    assert f"{hard['__hardening_programs']}/firewall" == hardening.FIREWALL
    assert f"{hard['__hardening_folder']}/firewall.nft" == hardening.FIREWALL_RULES
    assert hard["__hardening_programs"] == base["__base_programs"]


def test_the_playbook_knows_the_packages_of_every_role() -> None:
    (play,) = load(asset("playbooks", "site.yml"))
    assert play["vars_files"] == [f"roles/{role}/vars/main.yml" for role in SETTINGS]
    for role in SETTINGS:
        assert f"__{role}_packages" in load(ROLES / role / "vars" / "main.yml")
