"""A real local host with roles, for tests that change it, break it and look at it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leptonctl.assets import asset
from leptonctl.hosts.configure import configure
from leptonctl.hosts.configured import HostConfigured
from leptonctl.hosts.inventory import inventory, write_inventory
from leptonctl.hosts.openssh import known_hosts_text
from leptonctl.hosts.probe import Checks, Recorded, look, record
from leptonctl.hosts.reach import Request
from leptonctl.hosts.ssh import run_all
from leptonctl.hosts.target import Leaving, Target
from leptonctl.planning.desired import DesiredHost, DesiredLocation, DesiredRole
from leptonctl.planning.observed import HostLook, Reach, RoleState
from leptonctl.platforms.base import Context
from leptonctl.platforms.local import LocalPlatform
from leptonctl.progress import silent
from leptonctl.sitefile.model import Machine
from leptonctl.sitefile.software import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from leptonctl.sitefile.software import RoleName

ADDRESS = "core/box-1"
HOOK = {"env:HOOK": "http://127.0.0.1:9/hook?token=one"}


@dataclass
class Box:
    """A host, what its roles were asked, what Ansible said of the last run, and the digest of its manifest."""

    target: Target
    folder: Path
    done: HostConfigured = field(default_factory=lambda: HostConfigured(ADDRESS, "ok"))
    digest: str | None = None

    @property
    def address(self) -> str:
        return self.target.address

    @property
    def digests(self) -> dict[str, str]:
        return {self.address: self.digest} if self.digest else {}

    def look(self, *, with_checks: bool = False) -> HostLook:
        return look([self.target], digests=self.digests, checks=Checks.ALL if with_checks else Checks.QUICK)[
            self.address
        ]

    def run(self, command: str) -> str:
        reply = run_all([Request(self.address, self.target.endpoint, command)], timeout_s=120)[self.address]
        assert (reply.reach, reply.exit_status) == (Reach.OK, 0), (reply.detail, reply.stdout, reply.stderr)
        return reply.stdout.decode()

    def found(self, *, with_checks: bool = False) -> dict[str, tuple[str, ...]]:
        """What is not in order: for each role its state, or the messages of its differences."""
        seen = self.look(with_checks=with_checks)
        assert seen.reach == Reach.OK, seen.detail
        return {
            name: tuple(difference.message for difference in role.differences) or (str(role.state),)
            for name, role in seen.roles.items()
            if role.state != RoleState.IN_ORDER
        }

    def become(self, *roles: DesiredRole) -> None:
        """Give the host these roles, run them, and have it written down."""
        self.target = replace(self.target, roles=roles)
        self.configure()
        assert self.record().problem is None

    def configure(self, *names: RoleName) -> None:
        """Run these roles (all)."""
        roles = tuple(role for role in self.target.roles if not names or role.name in names)
        self._run(replace(self.target, roles=roles))
        assert self.done.status == "ok", self.done.failure

    def run_alone(self, one: DesiredRole) -> None:
        """Run this role as it is given here; whether it succeeds is for the caller to see."""
        self._run(replace(self.target, roles=(one,)))

    def check(self) -> str:
        """Run all roles in check mode, by plain ansible-playbook; its output."""
        folder = self.folder / "checked"
        folder.mkdir(exist_ok=True)
        known_hosts = folder / "known_hosts"
        known_hosts.write_text(known_hosts_text([self.target.endpoint]))
        script = write_inventory(inventory([self.target], known_hosts=known_hosts, control_dir=None), folder)
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        done = subprocess.run(
            [program, "--check", "-i", str(script), str(asset("playbooks", "site.yml"))],
            env={**os.environ, "ANSIBLE_CONFIG": str(asset("playbooks", "ansible.cfg")), "ANSIBLE_NOCOLOR": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def take_off(self, name: str, *, delete: tuple[str, ...] = ()) -> None:
        """Take a role off, as one that left the site file."""
        staying = tuple(role.name for role in self.target.roles if role.name != name)
        self._run(replace(self.target, roles=(), leaving=(Leaving(name, delete, staying),)))
        assert self.done.status == "ok", self.done.failure

    def do(self, module: str, arguments: Mapping[str, object], *, is_checked: bool = False) -> HostConfigured:
        """Run one module on the host, in check mode or not; whether it succeeds is for the caller to see."""
        play = self.folder / f"play-{self._count()}.json"
        tasks = [{"name": "Only this", module: dict(arguments), "check_mode": is_checked}]
        play.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "become": True, "tasks": tasks}]))
        self._run(replace(self.target, roles=()), playbook=play)
        return self.done

    def record(self, target: Target | None = None) -> Recorded:
        """Have the manifest written of what ran last."""
        recorded = record([target or self.target], {self.address: self.done}, digests=self.digests, secrets=HOOK)[
            self.address
        ]
        self.digest = recorded.digest or self.digest
        return recorded

    def _run(self, target: Target, *, playbook: Path | None = None) -> None:
        folder = self.folder / f"configure-{self._count()}"
        self.done = configure([target], folder=folder, report=silent, secrets=HOOK, playbook=playbook).hosts[
            self.address
        ]

    def last_log(self) -> str:
        """What Ansible said in the last run."""
        return (self.folder / f"configure-{self._count() - 1}" / "ansible.log").read_text()

    def _count(self) -> int:
        return len(list(self.folder.glob("configure-*")))


def role(name: RoleName, **settings: object) -> DesiredRole:
    return DesiredRole(name, {**SETTINGS[name]().model_dump(mode="json"), **settings})


@contextmanager
def fresh_box(state: Path, name: str) -> Iterator[Box]:
    """A host on which no role ever ran, gone afterwards."""
    with fresh_boxes(state, name, 1) as (box,):
        yield box


@contextmanager
def box_of(folder: Path, name: RoleName, settings: dict[str, Any]) -> Iterator[Box]:
    """A host on which base and one other role ran, with nothing that the probe cannot see; gone afterwards."""
    with fresh_box(folder, f"{name.removeprefix('storage_')}-box") as box:
        box.become(role("base"), role(name, **settings))
        assert box.look().roles[name].not_observed == ()
        yield box


@contextmanager
def fresh_boxes(state: Path, name: str, count: int) -> Iterator[tuple[Box, ...]]:
    """Hosts on which no role ever ran, in one network, each with a folder of its own; gone afterwards."""
    names = [f"box-{number}" for number in range(1, count + 1)]
    hosts = tuple(DesiredHost(f"core/{one}", one, "box", Machine(), ()) for one in names)
    location = DesiredLocation("core", "core", "local", (), None, hosts, ())
    platform = LocalPlatform(Context(f"{name}-{os.getpid()}", "tests", state, state, (location,)))
    try:
        endpoints = platform.ensure(location, silent).endpoints
        made = []
        for host in hosts:
            folder = state / host.name if count > 1 else state
            folder.mkdir(exist_ok=True)
            target = Target(host.address, host.name, "core", "core", endpoints[host.address], ())
            made.append(Box(target, folder))
        yield tuple(made)
    finally:
        platform.destroy("core", delete_data=frozenset({"all"}), report=silent)
        assert platform.leftovers() == ()
