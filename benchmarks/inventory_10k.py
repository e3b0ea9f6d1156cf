"""Handing 10,000 hosts to Ansible: our JSON inventory against the same hosts and variables in YAML, wall time.

The YAML inventory that the goal is about is laid out as such files are written: address, login, place and roles stand
beside each host, what hosts have in common in groups. A second one has the very groups of ours and is only measured, to
show what JSON alone gives. `ansible all --list-hosts` reads the whole inventory and contacts nobody.
"""

import json
import tempfile
from pathlib import Path

import yaml

from harness import interleaved, tool, verdict
from leptonctl.assets import asset
from leptonctl.hosts.inventory import inventory, write_inventory
from leptonctl.hosts.target import Target
from leptonctl.planning.desired import DesiredRole
from leptonctl.planning.observed import Endpoint
from leptonctl.sitefile.software import SETTINGS
from leptonctl.sitefile.software.containers import ContainerRuntime

GOAL = 0.15
OURS = "leptonctl's inventory"
PEER = "YAML"
EDGES = 100
HOSTS_AN_EDGE = 100
Data = dict[str, object]


def main() -> int:
    """Write both, measure and judge."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        data = inventory(_targets(), known_hosts=place / "known_hosts", control_dir=place / "s")
        ours = write_inventory(data, place / "ours")
        beside, grouped = place / "beside.yml", place / "grouped.yml"
        for path, layout in ((beside, _beside_the_hosts(data)), (grouped, _grouped(data))):
            path.write_text(yaml.dump(layout, Dumper=yaml.CSafeDumper, sort_keys=False), encoding="utf-8")
        inventories = {OURS: ours, PEER: beside, "YAML, grouped as ours": grouped}
        measured = interleaved(
            {name: [tool("ansible"), "all", "--list-hosts", "-i", str(path)] for name, path in inventories.items()},
            env={"ANSIBLE_CONFIG": str(asset("playbooks", "ansible.cfg"))},
        )
    return verdict(measured[OURS].wall_s / measured[PEER].wall_s, GOAL)


def _targets() -> list[Target]:
    """10,000 hosts of 100 edges; each edge has one setting of its own."""
    shared = tuple(DesiredRole(name, SETTINGS[name]().model_dump(mode="json")) for name in ("base", "monitoring_agent"))
    targets: list[Target] = []
    for edge in range(EDGES):
        settings = ContainerRuntime(registry_mirrors={"docker.io": f"http://mirror-{edge}:5000"})
        own = DesiredRole("container_runtime", settings.model_dump(mode="json"))
        targets.extend(
            Target(
                address=f"edges/e{edge}/box-{number}",
                name=f"box-{number}",
                location=f"edges/e{edge}",
                tier="edge",
                endpoint=Endpoint(
                    hostname=f"box-{number}.e{edge}.example.com", host_keys=(f"ssh-ed25519 AAAA{number}",)
                ),
                roles=(shared[0], own, shared[1]),
            )
            for number in range(HOSTS_AN_EDGE)
        )
    return targets


def _beside_the_hosts(data: Data) -> Data:
    """Address, login, place and roles beside each host, in the group of its location; the rest in groups."""
    plain = json.loads(json.dumps(data))
    hostvars = plain.pop("_meta")["hostvars"]
    del plain["all"]
    (connection,) = (plain.pop(name) for name in list(plain) if name.startswith("connection_"))
    login = {name: connection["vars"].pop(name) for name in ("ansible_user", "ansible_port")}
    layout: Data = {}
    for name, group in plain.items():
        if "hosts" in group:
            beside = {**login, **group["vars"]}
            hosts = {host: {**hostvars[host], **beside, "lepton_address": host} for host in group["hosts"]}
            layout[name] = {"hosts": hosts}
    for name, group in plain.items():
        if name not in layout:
            layout[name] = {"vars": group["vars"], "children": dict.fromkeys(group["children"])}
    return {"all": {"vars": connection["vars"], "children": layout}}


def _grouped(data: Data) -> Data:
    """The groups of ours, one by one."""
    plain = json.loads(json.dumps(data))
    hostvars = plain.pop("_meta")["hostvars"]
    everywhere = plain.pop("all")["vars"]
    layout = {
        name: {
            "vars": group["vars"],
            "hosts": {host: hostvars[host] for host in group.get("hosts", ())},
            "children": dict.fromkeys(group.get("children", ())),
        }
        for name, group in plain.items()
    }
    return {"all": {"vars": everywhere, "children": layout}}


if __name__ == "__main__":
    raise SystemExit(main())
