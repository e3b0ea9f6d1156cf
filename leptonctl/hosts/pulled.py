"""Runs on a box, as root, from the state that it pulled: `pulled.py FOLDER`. Runs its roles and writes its manifest.

The Ansible, the roles and the readers of its events are those that came in the folder, so that what a pull does and
records is what a push does and records. Prints one line. Exit: 0 done, 5 a role failed, as `leptonctl up` says it.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DONE, FAILED = 0, 5
MANIFEST = Path("/var/lib/leptonctl/manifest.json")


@dataclass(frozen=True)
class Role:
    """A role by its name."""

    name: str


@dataclass(frozen=True)
class Box:
    """This host, with the roles to run and those to take off."""

    address: str
    roles: tuple[Role, ...]
    leaving: tuple[Role, ...]


def main(folder: Path) -> int:
    """Take off, run, record."""
    state = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    staying = [role["name"] for role in state["roles"]]
    gone = sorted(set(roles_there()) - set(staying))
    box = Box(state["address"], tuple(map(Role, staying)), tuple(map(Role, gone)))
    inventory = folder / "inventory" / "inventory.json"
    inventory.write_text(json.dumps(with_leaving(json.loads(inventory.read_text()), box)), encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="lepton-pulled-") as made:
        events = run_ansible(folder, Path(made))
    done = configured(box, events)
    problem = record(state, done)
    failure = done.failure.message if done.failure is not None else problem
    if failure is not None:
        sys.stdout.write(f"failed: {failure}\n")
        return FAILED
    sys.stdout.write(f"{len(done.roles)} roles, {done.changed_count} tasks changed something\n")
    return DONE


def roles_there() -> list[str]:
    """The roles that the manifest says this host has."""
    return list(json.loads(MANIFEST.read_bytes())["roles"]) if MANIFEST.exists() else []


def with_leaving(inventory: dict[str, Any], box: Box) -> dict[str, Any]:
    """The inventory with the roles to take off: only the host itself knows what it has. No data is deleted."""
    staying = [role.name for role in box.roles]
    leaving = [{"name": role.name, "delete": [], "staying": staying} for role in box.leaving]
    inventory["_meta"]["hostvars"][box.address]["lepton_leaving"] = leaving
    return inventory


def run_ansible(folder: Path, private: Path) -> list[dict[str, Any]]:
    """Run the playbook on this host alone; the events, in the order in which they came."""
    environment = {
        "PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
        "HOME": "/root",
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join([str(folder / "lib"), str(folder)]),
        "ANSIBLE_CONFIG": str(folder / "playbooks" / "ansible.cfg"),
        "ANSIBLE_HOME": str(private / "home"),
        "ANSIBLE_LOCAL_TEMP": str(private / "tmp"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_CALLBACK_PLUGINS": str(folder / "callback"),
        "ANSIBLE_STDOUT_CALLBACK": "awx_display",
        "AWX_ISOLATED_DATA_DIR": str(private),
    }
    playbook, inventory = folder / "playbooks" / "site.yml", folder / "inventory" / "inventory.sh"
    command = [sys.executable, "-m", "ansible.cli.playbook", "-i", str(inventory), str(playbook)]
    log = folder.parent / "ansible.log"
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as said:
        subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said, check=False)
    files = (private / "job_events").glob("*-partial.json")
    return sorted((json.loads(file.read_text(encoding="utf-8")) for file in files), key=lambda one: one["created"])


def configured(box: Box, events: list[dict[str, Any]]) -> Any:  # noqa: ANN401 - what came with the state has the type
    """What the roles did."""
    from leptonctl.hosts.events import EventReader  # noqa: PLC0415 - its folder is known by now

    reader = EventReader([box], lambda text: text)
    for event in events:
        reader.take(event)
    return reader.hosts()[box.address]


def record(state: dict[str, Any], done: Any) -> str | None:  # noqa: ANN401 - as above
    """Write the manifest of the roles that ran to their end; what is in the way, if anything."""
    from leptonctl.hosts.entries import entries_of  # noqa: PLC0415 - as above
    from leptonctl.hosts.looking_commands import Declared  # noqa: PLC0415 - as above
    from leptonctl.hosts.remote import host_side  # noqa: PLC0415 - as above

    roles: dict[str, Any] = {}
    for role in state["roles"]:
        if role["name"] not in done.roles:
            continue
        said = Declared(frozenset(role["covered"]), frozenset(role["looks"]))
        found = entries_of(done.records.get(role["name"], ()), said, role["watched"])
        roles[role["name"]] = {
            "source": role["source"],
            "settings": role["settings"],
            "entries": json.loads(json.dumps(found.entries)),
            "not_observed": list(found.not_observed),
        }
    # Whoever may write this file is root here: it is this host's own, and there is nobody else to ask.
    own = hashlib.sha256(MANIFEST.read_bytes()).hexdigest() if MANIFEST.exists() else None
    request = {"address": state["address"], "digest": own, "drop": list(done.removed), "roles": roles}
    answer = host_side.record(request)
    return "; ".join(answer["refused"]) if "refused" in answer else None


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    sys.exit(main(Path(sys.argv[1])))
