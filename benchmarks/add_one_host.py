"""Adding one host to 1,000: the controller's CPU of `leptonctl up` against `ansible-playbook` on all 1,000.

999 hosts are a simulation (`simulated_hosts.py`), in order, in a process of their own. The new one is a real local host
that `up` makes and configures. Counted is the controller: leptonctl with all that it starts and waits for.

The peer would run every task of the plain roles (`plain_playbook/`) on every host. Its controller is measured on fewer
hosts and tasks and scaled to all: forks 10, no facts, and in place of each task the cheapest there is, `raw: "true"` on
this machine, with no module to pack and no SSH. That is less than it would really need.

Judged as well: only the new host is in Ansible's inventory, and each other host is connected to once.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from harness import CommandFailed, Run, medians, print_table, run, tool, verdict
from leptonctl.platforms.image import ensure_image, read_recipe
from leptonctl.platforms.podman import find_podman
from leptonctl.progress import silent
from simulated_site import SITE, simulated_site
from ten_hosts import PLAIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulated_site import SimulatedSite

GOAL = 0.03
ROUNDS = int(os.environ.get("ROUNDS", "5"))
HOSTS = 1000
OURS = "leptonctl up"
PEER_HOSTS, PEER_TASKS = 50, 20
PEER = f"ansible-playbook, {PEER_HOSTS} hosts x {PEER_TASKS} tasks"
ROLES = ("base", "container_runtime", "monitoring_agent")
NEW = "edges/new/box-1"
_NEW_EDGE = f"""\
edges:
  new:
    platform: local
    parent: r0
    nodes:
      box:
        count: 1
        roles: [{", ".join(ROLES)}]
        software: {{container_runtime: {{snapshotter: native}}}}
"""


def main() -> int:
    """Measure and judge."""
    ensure_image(find_podman(), read_recipe(), silent, "core")
    taken: dict[str, list[Run]] = {OURS: [], PEER: []}
    with tempfile.TemporaryDirectory() as folder, simulated_site(Path(folder), HOSTS - 1, more=_NEW_EDGE) as site:
        peer = _write_peer(Path(folder))
        for _ in range(ROUNDS):
            taken[OURS].append(_add(site))
            taken[PEER].append(run(peer, env={"ANSIBLE_CONFIG": str(PLAIN / "ansible.cfg")}))
    measured = {name: medians(runs) for name, runs in taken.items()}
    print_table(measured)
    tasks = sum(1 for role in ROLES for file in (PLAIN / "roles" / role / "tasks").glob("*.yml") for _ in _tasks(file))
    each_s = measured[PEER].cpu_s / (PEER_HOSTS * PEER_TASKS)
    whole_s = each_s * HOSTS * tasks
    print(f"peer: {each_s * 1000:.1f} ms a host and task, {whole_s:.0f} s for {HOSTS} hosts and {tasks} tasks (scaled)")
    return verdict(measured[OURS].cpu_s / whole_s, GOAL)


def _add(site: SimulatedSite) -> Run:
    """Bring the new host up, look at what was touched, and take it away again."""
    site.connections()
    try:
        done = run([tool("leptonctl"), "up", str(site.file), "--yes", "--output", "json"])
        connections = site.connections()
        if len(connections.by_host) != HOSTS - 1 or connections.most_of_one_host != 1:
            raise CommandFailed(f"{connections.count} connections to the {HOSTS - 1} hosts that are in order")
        inventories = set(_inventories(site.folder / ".leptonctl" / SITE / "runs"))
        if inventories != {NEW}:
            raise CommandFailed(f"hosts in Ansible's inventories: {', '.join(sorted(inventories)) or 'none'}")
        run([tool("leptonctl"), "verify", str(site.file), "--only", NEW])
    finally:
        run([tool("leptonctl"), "down", str(site.file), "--only", "edges/new", "--yes", "--output", "json"])
    return done


def _inventories(runs: Path) -> Iterator[str]:
    """The hosts of every inventory that Ansible was given."""
    for file in runs.glob("*/configure-*/inventory/inventory.json"):
        yield from json.loads(file.read_text())["_meta"]["hostvars"]


def _tasks(file: Path) -> Iterator[object]:
    """The tasks of a file, those of its blocks among them, without those that only name other files."""
    entries = yaml.safe_load(file.read_text())
    while entries:
        entry = entries.pop()
        if "block" in entry:
            entries.extend(entry["block"])
        elif not any(name.endswith(("import_tasks", "include_tasks")) for name in entry):
            yield entry


def _write_peer(folder: Path) -> list[str]:
    """Write a playbook of tasks that cost the least; give the command that runs it."""
    play = {
        "hosts": "all",
        "gather_facts": False,
        "tasks": [{"name": f"Task {number}", "ansible.builtin.raw": "true"} for number in range(PEER_TASKS)],
    }
    playbook = folder / "peer.yml"
    playbook.write_text(yaml.safe_dump([play]))
    hosts = ",".join(f"host-{number}" for number in range(PEER_HOSTS))
    enabled = ["--extra-vars", "ansible_connection=local ansible_shell_executable=/bin/sh"]
    return [tool("ansible-playbook"), "-i", f"{hosts},", str(playbook), *enabled]


if __name__ == "__main__":
    sys.exit(main())
