"""The inventory: what Ansible is told of each host, in the JSON form that it reads fastest."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from leptonctl.assets import asset
from leptonctl.hosts.openssh import openssh_args

if TYPE_CHECKING:
    from pathlib import Path

    from leptonctl.hosts.target import Target
    from leptonctl.planning.desired import DesiredRole
    from leptonctl.planning.observed import Endpoint

_SCRIPT = "inventory.sh"
_DATA = "inventory.json"
_CONNECTION_KEPT_S = 60

# Enough to tell groups apart; the name is for people who look at the file.
_DIGEST_LENGTH = 12
_JUMP_DIGEST_LENGTH = 6

# The path of a unix socket holds 108 bytes, the last of them a zero. SSH's `%C` is 40 long, and while it makes a socket
# it puts a dot and 16 letters behind the name; ours has a slash and the digest of a jump host in front.
_SOCKET_PATH_BYTES = 107
CONTROL_DIR_BYTES = _SOCKET_PATH_BYTES - len("/") - _JUMP_DIGEST_LENGTH - 40 - len(".") - 16


def inventory(targets: Sequence[Target], *, known_hosts: Path, control_dir: Path | None) -> dict[str, object]:
    """The hosts in the form of Ansible's inventory scripts, each under its address.

    A host has `lepton_roles` (in running order), `lepton_address`, `lepton_tier`, `lepton_location`, how it is reached,
    for each setting of each of its roles the variable `ROLE_SETTING`, and `lepton_leaving` where roles are to be taken
    off it. Values that several hosts have in common are
    said once, for a group. Every value is literal text: Ansible takes none for a template.

    `known_hosts` has the keys that are pinned by the endpoints. `control_dir` is a folder (0700) for the sockets of
    kept connections, its path at most `CONTROL_DIR_BYTES` long. Without it, each task connects anew.
    """
    groups = _Groups()
    hostvars: dict[str, dict[str, object]] = {}
    for target in targets:
        endpoint = target.endpoint
        shared = [groups.of_values("connection", _connection(endpoint, known_hosts, control_dir))]
        shared += [groups.of_values(role.name, _variables(role)) for role in target.roles]
        place = {
            "lepton_location": target.location,
            "lepton_tier": target.tier,
            "lepton_roles": [role.name for role in target.roles],
            **({"lepton_leaving": [asdict(role) for role in target.leaving]} if target.leaving else {}),
        }
        groups.add_host(target.address, place, shared)
        hostvars[target.address] = {"ansible_host": literal(endpoint.hostname)}
    # The only template here: it saves a text for each host.
    everywhere = {"lepton_address": "{{ inventory_hostname }}"}
    return {"_meta": {"hostvars": hostvars}, "all": {"vars": everywhere}, **groups.as_json()}


def local_inventory(target: Target) -> dict[str, object]:
    """The same for one host that runs Ansible on itself, as root: nothing is connected to."""
    own = {name: value for role in target.roles for name, value in _variables(role).items()}
    place = {
        "lepton_location": target.location,
        "lepton_tier": target.tier,
        "lepton_roles": [role.name for role in target.roles],
    }
    here = {"ansible_connection": "local", "ansible_become": False, "ansible_python_interpreter": "/usr/bin/python3"}
    hostvars = {key: literal(value) for key, value in {**here, **place, **own}.items()}
    everywhere = {"lepton_address": "{{ inventory_hostname }}"}
    return {"_meta": {"hostvars": {target.address: hostvars}}, "all": {"hosts": [target.address], "vars": everywhere}}


def write_inventory(data: Mapping[str, object], folder: Path) -> Path:
    """Write the inventory into the folder; return the program that Ansible is pointed at (`-i`)."""
    folder.mkdir(parents=True, exist_ok=True)
    # For its owner from the first moment: one variant of it carries secrets. A link that the caller laid is followed.
    with os.fdopen(
        os.open(folder / _DATA, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(json.dumps(data, separators=(",", ":")))
    script = folder / _SCRIPT
    shutil.copyfile(asset("templates", _SCRIPT), script)
    script.chmod(0o700)
    return script


def literal(value: object) -> object:
    """The value as JSON that Ansible does not take for a template, whatever braces its texts contain.

    Strings of an inventory script are templates unless they come as `{"__ansible_unsafe": TEXT}`; those without a brace
    cannot be one and stay as they are. Names of mappings are never templates.
    """
    if isinstance(value, str):
        return {"__ansible_unsafe": value} if "{" in value else value
    if isinstance(value, Mapping):
        return {key: literal(entry) for key, entry in value.items()}
    if isinstance(value, Sequence):
        return [literal(entry) for entry in value]
    return value


class _Groups:
    """Groups of two kinds: values that hosts have in common, and below them the hosts that have the same of them all.

    So each host is named once, whatever the number of its roles: names are most of what Ansible reads.
    """

    def __init__(self) -> None:
        self._values: dict[str, dict[str, object]] = {}
        self._children: dict[str, list[str]] = {}
        self._hosts: dict[str, list[str]] = {}

    def of_values(self, topic: str, variables: Mapping[str, object]) -> str:
        """The group that has these variables; `topic` is for people who read the file."""
        return self._group(topic, variables, variables)

    def add_host(self, host: str, variables: Mapping[str, object], shared: Sequence[str]) -> None:
        """Put the host into the group that has these variables and is below the shared ones."""
        name = self._group("hosts", [variables, shared], variables)
        if name not in self._hosts:
            self._hosts[name] = []
            for parent in shared:
                self._children.setdefault(parent, []).append(name)
        self._hosts[name].append(host)

    def as_json(self) -> dict[str, object]:
        """Each group as Ansible reads it."""
        return {
            name: {
                "vars": variables,
                **({"hosts": self._hosts[name]} if name in self._hosts else {}),
                **({"children": self._children[name]} if name in self._children else {}),
            }
            for name, variables in self._values.items()
        }

    def _group(self, topic: str, identity: object, variables: Mapping[str, object]) -> str:
        name = f"{topic}_{_digest(identity)}"
        if name not in self._values:
            self._values[name] = {key: literal(value) for key, value in variables.items()}
        return name


def _variables(role: DesiredRole) -> dict[str, object]:
    """A role's settings under the names that it knows them by."""
    return {f"{role.name}_{key}": value for key, value in role.settings.items()}


def _connection(endpoint: Endpoint, known_hosts: Path, control_dir: Path | None) -> dict[str, object]:
    """How the host is reached, in values that hosts can share. The rules of SSH are those of `openssh`."""
    kept: tuple[str, ...] = ()
    if control_dir is not None:
        # `%C` stands for user, name and port. Behind different jump hosts these can be the same for different hosts.
        before = _digest(endpoint.jump)[:_JUMP_DIGEST_LENGTH] if endpoint.jump else ""
        socket = str(control_dir / before).replace("%", "%%") + ("" if before else "/") + "%C"
        kept = (
            "-o",
            "ControlMaster=auto",
            "-o",
            f"ControlPersist={_CONNECTION_KEPT_S}s",
            "-o",
            f"ControlPath={socket}",
        )
    return {
        "ansible_user": endpoint.user,
        "ansible_port": endpoint.port,
        "ansible_become": endpoint.user != "root",
        # Named, so that no task is spent on finding it.
        "ansible_python_interpreter": "/usr/bin/python3",
        # Through ssh itself: sftp and scp do not understand all of its arguments.
        "ansible_ssh_transfer_method": "piped",
        "ansible_ssh_args": shlex.join([*openssh_args(endpoint, known_hosts), *kept]),
    }


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_LENGTH]
