"""What Ansible is told of each host: complete, literal, and said once."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from leptonctl.assets import asset
from leptonctl.hosts.inventory import inventory, literal, write_inventory
from leptonctl.hosts.target import Target
from leptonctl.planning.desired import DesiredRole
from leptonctl.planning.observed import Endpoint
from leptonctl.sitefile.software import SETTINGS

KNOWN_HOSTS = Path("/run/example/known_hosts")
HOSTILE = [
    "{{ 7 * 7 }}",
    "{% for x in y %}",
    "{# nothing #}",
    "{{ lookup('pipe', 'touch /tmp/pwned') }}",
    "$(touch /tmp/pwned) `id` 'a' \"b\" \\ é",
    "${HOME}",
]


def target(name: str, *roles: DesiredRole, **endpoint: object) -> Target:
    where = Endpoint(**{"hostname": f"{name}.example.com", **endpoint})  # type: ignore[arg-type]
    return Target(f"edges/shop/{name}", name, "edges/shop", "edge", where, roles)


def hostvars(data: dict[str, object], host: str) -> dict[str, object]:
    """The variables of the host's groups, from the top, and its own."""
    groups: dict[str, Any] = {name: group for name, group in data.items() if name not in ("_meta", "all")}
    (own,) = (name for name, group in groups.items() if host in group.get("hosts", ()))
    found: dict[str, object] = {}
    for group in groups.values():
        if own in group.get("children", ()):
            found |= group["vars"]
    everywhere: Any = data["all"]
    meta: Any = data["_meta"]
    return {**everywhere["vars"], **found, **groups[own]["vars"], **meta["hostvars"][host]}


def ansible(program: str, script: Path, *args: str) -> str:
    done = subprocess.run(
        [str(Path(sys.executable).with_name(program)), "-i", str(script), *args],
        env={**os.environ, "ANSIBLE_CONFIG": str(asset("playbooks", "ansible.cfg")), "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stderr
    return done.stdout


def test_a_host_has_its_place_its_roles_in_order_and_how_it_is_reached() -> None:
    box = target(
        "box-1", DesiredRole("base", {}), DesiredRole("monitoring_agent", {"port": 9100}), user="ops", port=2222
    )
    found = hostvars(inventory([box], known_hosts=KNOWN_HOSTS, control_dir=Path("/run/s")), "edges/shop/box-1")
    args = shlex.split(str(found.pop("ansible_ssh_args")))
    assert found == {
        "ansible_become": True,
        "ansible_host": "box-1.example.com",
        "ansible_port": 2222,
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_ssh_transfer_method": "piped",
        "ansible_user": "ops",
        "lepton_address": "{{ inventory_hostname }}",
        "lepton_location": "edges/shop",
        "lepton_roles": ["base", "monitoring_agent"],
        "lepton_tier": "edge",
        "monitoring_agent_port": 9100,
    }
    assert "StrictHostKeyChecking=yes" in args
    assert "ControlPersist=60s" in args
    assert "ControlPath=/run/s/%C" in args


def test_root_needs_no_sudo() -> None:
    found = hostvars(inventory([target("box")], known_hosts=KNOWN_HOSTS, control_dir=None), "edges/shop/box")
    assert found["ansible_become"] is False


def test_without_a_folder_for_sockets_no_connection_is_kept() -> None:
    found = hostvars(inventory([target("box")], known_hosts=KNOWN_HOSTS, control_dir=None), "edges/shop/box")
    assert "Control" not in str(found["ansible_ssh_args"])


def test_hosts_with_the_same_address_behind_different_jump_hosts_do_not_share_a_connection() -> None:
    hosts = [target(name, hostname="192.168.1.2", jump=f"gate-{name}") for name in ("a", "b")]
    data = inventory(hosts, known_hosts=KNOWN_HOSTS, control_dir=Path("/run/s"))
    sockets = {
        arg
        for host in hosts
        for arg in shlex.split(str(hostvars(data, host.address)["ansible_ssh_args"]))
        if arg.startswith("ControlPath=")
    }
    assert len(sockets) == 2


def test_settings_that_hosts_have_in_common_are_said_once() -> None:
    settings = SETTINGS["base"]().model_dump(mode="json")
    hosts = [target(f"box-{number}", DesiredRole("base", settings)) for number in range(100)]
    text = json.dumps(inventory(hosts, known_hosts=KNOWN_HOSTS, control_dir=None))
    assert text.count('"base_timezone"') == 1


def test_the_same_hosts_give_the_same_inventory() -> None:
    hosts = [target(name, DesiredRole("base", {"timezone": "Etc/UTC"})) for name in ("a", "b")]
    first, second = (inventory(hosts, known_hosts=KNOWN_HOSTS, control_dir=None) for _ in range(2))
    assert json.dumps(first) == json.dumps(second)


def test_a_host_is_named_once_whatever_the_number_of_its_roles() -> None:
    box = target("box", *(DesiredRole(name, SETTINGS[name]().model_dump(mode="json")) for name in SETTINGS))
    groups = inventory([box], known_hosts=KNOWN_HOSTS, control_dir=None)
    del groups["_meta"]
    assert json.dumps(groups).count(box.address) == 1


def test_only_texts_with_a_brace_are_marked() -> None:
    assert literal({"a": ["plain", "{{ x }}", 1, None, True]}) == {
        "a": ["plain", {"__ansible_unsafe": "{{ x }}"}, 1, None, True]
    }


def test_ansible_takes_every_value_as_literal_text(tmp_path: Path) -> None:
    settings = {"texts": HOSTILE, "by_key": {text: text for text in HOSTILE}}
    data = inventory([target("box", DesiredRole("base", settings))], known_hosts=KNOWN_HOSTS, control_dir=None)
    script = write_inventory(data, tmp_path / "a folder with {{ braces }}")
    shown = ansible(
        "ansible", script, "edges/shop/box", "-m", "ansible.builtin.debug", "-a", "msg={{ [base_texts, base_by_key] }}"
    )
    assert json.loads(shown.partition("=>")[2])["msg"] == [HOSTILE, {text: text for text in HOSTILE}]


def test_ansible_finds_hosts_by_their_address_and_by_pattern(tmp_path: Path) -> None:
    hosts = [target(name) for name in ("box-1", "box-2")]
    script = write_inventory(inventory(hosts, known_hosts=KNOWN_HOSTS, control_dir=None), tmp_path)
    shown = ansible("ansible", script, "edges/shop/box-2", "--list-hosts")
    assert shown.split() == ["hosts", "(1):", "edges/shop/box-2"]
    assert "hosts (2):" in ansible("ansible", script, "edges/shop/*", "--list-hosts")


def test_the_written_inventory_is_for_its_owner_alone(tmp_path: Path) -> None:
    script = write_inventory(inventory([], known_hosts=KNOWN_HOSTS, control_dir=None), tmp_path)
    assert script.stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "inventory.json").stat().st_mode & 0o077 == 0
