"""One real local host with all roles, for all tests of this folder that break it and look at it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from leptonctl.hosts.configure import configure
from leptonctl.hosts.configured import HostConfigured
from leptonctl.hosts.probe import Checks, Recorded, look, record
from leptonctl.hosts.reach import Request
from leptonctl.hosts.ssh import run_all
from leptonctl.hosts.target import Target
from leptonctl.planning.desired import DesiredHost, DesiredLocation, DesiredRole
from leptonctl.planning.observed import HostLook, Reach, RoleState
from leptonctl.platforms.base import Context
from leptonctl.platforms.local import LocalPlatform
from leptonctl.progress import silent
from leptonctl.sitefile.model import Machine
from leptonctl.sitefile.software import SETTINGS
from tests.hosts.fake_ssh_server import write_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
    def digests(self) -> dict[str, str]:
        return {ADDRESS: self.digest} if self.digest else {}

    def look(self, *, with_checks: bool = False) -> HostLook:
        return look([self.target], digests=self.digests, checks=Checks.ALL if with_checks else Checks.QUICK)[ADDRESS]

    def run(self, command: str) -> str:
        reply = run_all([Request(ADDRESS, self.target.endpoint, command)], timeout_s=120)[ADDRESS]
        assert (reply.reach, reply.exit_status) == (Reach.OK, 0), (reply.detail, reply.stderr)
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

    def configure(self, *names: RoleName) -> None:
        """Run these roles (all)."""
        roles = tuple(role for role in self.target.roles if not names or role.name in names)
        folder = self.folder / f"configure-{len(list(self.folder.glob('configure-*')))}"
        done = configure([replace(self.target, roles=roles)], folder=folder, report=silent, secrets=HOOK)
        self.done = done.hosts[ADDRESS]
        assert self.done.status == "ok", self.done.failure

    def record(self, target: Target | None = None) -> Recorded:
        """Have the manifest written of what ran last."""
        recorded = record([target or self.target], {ADDRESS: self.done}, digests=self.digests, secrets=HOOK)[ADDRESS]
        self.digest = recorded.digest or self.digest
        return recorded


def role(name: RoleName, **settings: object) -> DesiredRole:
    return DesiredRole(name, {**SETTINGS[name]().model_dump(mode="json"), **settings})


@pytest.fixture(scope="session")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    state = tmp_path_factory.mktemp("box")
    host = DesiredHost(ADDRESS, "box-1", "box", Machine(), ())
    location = DesiredLocation("core", "core", "local", (), None, (host,), ())
    platform = LocalPlatform(Context(f"box-{os.getpid()}", "tests", state, state, (location,)))
    try:
        endpoint = platform.ensure(location, silent).endpoints[ADDRESS]
        users = [{"name": "ops", "full_name": "Operator", "ssh_keys": [write_key(state / "ops")], "sudo": True}]
        scraped = {"host": ADDRESS, "location": "core", "tier": "core", "endpoint": f"{endpoint.hostname}:9100"}
        roles = (
            role("base", users=users),
            role("container_runtime", snapshotter="native", registry_mirrors={"docker.io": "http://127.0.0.1:5000"}),
            role("monitoring_agent"),
            role("monitoring_server", webhook_url="env:HOOK", targets=[scraped]),
        )
        made = Box(Target(ADDRESS, "box-1", "core", "core", endpoint, roles), state)
        made.configure()
        assert made.record().problem is None
        yield made
    finally:
        platform.destroy("core", delete_data=frozenset({"all"}), report=silent)
        assert platform.leftovers() == ()
