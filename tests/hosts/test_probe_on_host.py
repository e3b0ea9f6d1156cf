from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from leptonctl.hosts.configure import configure
from leptonctl.hosts.probe import look, record
from leptonctl.hosts.ssh import Request, run_all
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

    from leptonctl.sitefile.software import RoleName

pytestmark = pytest.mark.hosts

ADDRESS = "core/box-1"
SYSCTL = "/etc/sysctl.d/60-leptonctl.conf"
JOURNAL = "/etc/systemd/journald.conf.d"
EXPORTER = "prometheus-node-exporter.service"
DEFAULTS = "/etc/default/prometheus-node-exporter"
DROP_IN = f"/etc/systemd/system/{EXPORTER}.d/x.conf"
WRITE_DROP_IN = f"mkdir -p $(dirname {DROP_IN}) && printf '[Service]\\nNice=5\\n' > {DROP_IN}"
DROP_DROP_IN = f"rm -r $(dirname {DROP_IN}) && systemctl daemon-reload"
MANIFEST = "/var/lib/leptonctl/manifest.json"


@dataclass(frozen=True)
class Box:
    """A host whose roles have run, and the digest of its manifest."""

    target: Target
    digests: dict[str, str]

    def look(self) -> HostLook:
        return look([self.target], digests=self.digests)[ADDRESS]

    def run(self, command: str) -> None:
        reply = run_all([Request(ADDRESS, self.target.endpoint, command)], timeout_s=120)[ADDRESS]
        assert (reply.outcome, reply.exit_status) == (Reach.OK, 0), (reply.detail, reply.stderr)

    def found(self) -> dict[str, tuple[str, ...]]:
        """What is not in order: for each role its state, or the messages of its differences."""
        roles = self.look().roles
        return {
            name: tuple(difference.message for difference in role.differences) or (str(role.state),)
            for name, role in roles.items()
            if role.state != RoleState.IN_ORDER
        }


def role(name: RoleName, **settings: object) -> DesiredRole:
    return DesiredRole(name, {**SETTINGS[name]().model_dump(mode="json"), **settings})


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    state = tmp_path_factory.mktemp("state")
    host = DesiredHost(ADDRESS, "box-1", "box", Machine(), ())
    location = DesiredLocation("core", "core", "local", (), None, (host,), ())
    site = f"probe-{os.getpid()}"
    platform = LocalPlatform(Context(site, "tests", state, state, (location,)))
    try:
        endpoint = platform.ensure(location, silent).endpoints[ADDRESS]
        users = [{"name": "ops", "ssh_keys": [write_key(state / "ops")], "sudo": True}]
        roles = (role("base", users=users), role("monitoring_agent"))
        target = Target(ADDRESS, "box-1", "core", "core", endpoint, roles)
        done = configure([target], folder=state / "configure", report=silent, secrets={})
        assert done.hosts[ADDRESS].status == "ok", done.hosts[ADDRESS].failure
        recorded = record([target], done.hosts, digests={})[ADDRESS]
        assert recorded.digest is not None, recorded.problem
        yield Box(target, {ADDRESS: recorded.digest})
    finally:
        platform.destroy("core", delete_data=frozenset({"all"}), report=silent)
        assert platform.leftovers() == ()


def test_a_host_whose_roles_just_ran_is_in_order_with_nothing_unseen(box: Box) -> None:
    found = box.look()
    assert (found.reach, found.is_in_order) == (Reach.OK, True)
    assert {name: role.not_observed for name, role in found.roles.items()} == {"base": (), "monitoring_agent": ()}


@pytest.mark.parametrize(
    ("name", "message", "break_it", "mend_it"),
    [
        (
            "base",
            f"{SYSCTL}: content changed",
            f"cp -p {SYSCTL} /root/b && echo '#' >> {SYSCTL}",
            f"cp -p /root/b {SYSCTL}",
        ),
        ("base", f"{SYSCTL}: mode 0666, should be 0644", f"chmod 0666 {SYSCTL}", f"chmod 0644 {SYSCTL}"),
        ("base", f"{SYSCTL}: owner ops, should be root", f"chown ops {SYSCTL}", f"chown root {SYSCTL}"),
        ("base", f"{SYSCTL}: group ops, should be root", f"chgrp ops {SYSCTL}", f"chgrp root {SYSCTL}"),
        (
            "base",
            "/etc/default/locale is missing",
            "mv /etc/default/locale /root/locale",
            "mv /root/locale /etc/default/locale",
        ),
        (
            "base",
            f"{SYSCTL} is a link, should be a file",
            f"mv {SYSCTL} /root/b && ln -s /root/b {SYSCTL}",
            f"rm {SYSCTL} && mv /root/b {SYSCTL}",
        ),
        ("base", f"{JOURNAL}: mode 0777, should be 0755", f"chmod 0777 {JOURNAL}", f"chmod 0755 {JOURNAL}"),
        (
            "base",
            "/etc/localtime points to /usr/share/zoneinfo/Asia/Tokyo, should point to /usr/share/zoneinfo/Etc/UTC",
            "ln -sfn /usr/share/zoneinfo/Asia/Tokyo /etc/localtime",
            "ln -sfn /usr/share/zoneinfo/Etc/UTC /etc/localtime",
        ),
        (
            "base",
            "/home/ops/.ssh/authorized_keys: content changed",
            "echo 'ssh-ed25519 AAAA eve' >> /home/ops/.ssh/authorized_keys",
            "sed -i '/eve/d' /home/ops/.ssh/authorized_keys",
        ),
        (
            "base",
            "user ops: shell is /bin/sh, should be /bin/bash",
            "usermod -s /bin/sh ops",
            "usermod -s /bin/bash ops",
        ),
        ("base", "user ops: groups is sudo, should be empty", "usermod -aG sudo ops", "gpasswd -d ops sudo"),
        ("base", "user ops: the password changed", "echo ops:abc | chpasswd", "usermod -p '!' ops"),
        (
            "base",
            "package tzdata is not installed",
            "dpkg --remove --force-depends tzdata",
            "apt-get -o DPkg::Lock::Timeout=60 install -y tzdata",
        ),
        (
            "monitoring_agent",
            f"unit {EXPORTER} is stopped, should be running",
            f"systemctl stop {EXPORTER}",
            f"systemctl start {EXPORTER}",
        ),
        (
            "monitoring_agent",
            f"unit {EXPORTER} is disabled, should be enabled",
            f"systemctl disable {EXPORTER}",
            f"systemctl enable {EXPORTER}",
        ),
        (
            "monitoring_agent",
            f"unit {EXPORTER} is masked",
            f"systemctl mask {EXPORTER}",
            f"systemctl unmask {EXPORTER}",
        ),
        (
            "monitoring_agent",
            f"unit {EXPORTER} has an extra drop-in {DROP_IN}",
            f"{WRITE_DROP_IN} && systemctl daemon-reload",
            DROP_DROP_IN,
        ),
        ("monitoring_agent", f"unit {EXPORTER} has an extra drop-in {DROP_IN}", WRITE_DROP_IN, DROP_DROP_IN),
        (
            "monitoring_agent",
            f"unit {EXPORTER} runs older settings than {DEFAULTS}",
            f"touch {DEFAULTS}",
            f"systemctl restart {EXPORTER}",
        ),
    ],
)
def test_a_change_by_hand_is_found_alone_and_under_its_role(
    box: Box, name: str, message: str, break_it: str, mend_it: str
) -> None:
    box.run(break_it)
    try:
        assert box.found() == {name: (message,)}
    finally:
        box.run(mend_it)
    assert box.found() == {}


def test_a_kernel_setting_that_was_changed_live_is_found(box: Box) -> None:
    box.run("sysctl -w net.core.somaxconn=128")
    try:
        found = box.found()
        assert list(found) == ["base"]
        assert "net.core.somaxconn: is 128, should be 4096" in found["base"][0]
    finally:
        box.run("sysctl -w net.core.somaxconn=4096")


@pytest.mark.parametrize(
    "break_it",
    [
        f"sed -i s/0644/0666/ {MANIFEST}",
        f"truncate -s 100 {MANIFEST}",
        f"printf '\\377\\376' > {MANIFEST}",
        f"echo '[]' > {MANIFEST}",
        f"rm {MANIFEST}",
        f"rm {MANIFEST} && mkdir {MANIFEST}",
    ],
)
def test_a_manifest_that_is_not_the_one_that_was_written_is_never_in_order(box: Box, break_it: str) -> None:
    box.run(f"cp -p {MANIFEST} /root/manifest && {break_it}")
    try:
        found = box.look()
        assert found.reach == Reach.OK
        assert {role.state for role in found.roles.values()} <= {RoleState.NO_TRUSTED_MANIFEST, RoleState.NEW}
    finally:
        box.run(f"rm -rf {MANIFEST} && mv /root/manifest {MANIFEST}")
    assert box.found() == {}


def test_a_manifest_whose_digest_is_not_known_here_is_not_trusted(box: Box) -> None:
    for digests in ({}, {ADDRESS: "0" * 64}):
        found = look([box.target], digests=digests)[ADDRESS]
        assert {role.state for role in found.roles.values()} == {RoleState.NO_TRUSTED_MANIFEST}


def test_a_setting_that_changed_concerns_its_own_role_only(box: Box) -> None:
    base, agent = box.target.roles
    changed = replace(box.target, roles=(base, replace(agent, settings={**agent.settings, "port": 9101})))
    roles = look([changed], digests=box.digests)[ADDRESS].roles
    assert (roles["base"].state, roles["base"].changed_settings) == (RoleState.IN_ORDER, ())
    assert (roles["monitoring_agent"].state, roles["monitoring_agent"].changed_settings) == (
        RoleState.SETTINGS_CHANGED,
        ("port",),
    )


def test_a_role_that_never_ran_is_new(box: Box) -> None:
    more = replace(box.target, roles=(*box.target.roles, role("container_runtime")))
    roles = look([more], digests=box.digests)[ADDRESS].roles
    assert {name: found.state for name, found in roles.items()} == {
        "base": RoleState.IN_ORDER,
        "monitoring_agent": RoleState.IN_ORDER,
        "container_runtime": RoleState.NEW,
    }


def test_a_host_with_another_key_gets_nothing_and_is_unknown(box: Box) -> None:
    wrong = box.target.endpoint.host_keys[0][:-4] + "AAAA"
    aim = replace(box.target, endpoint=replace(box.target.endpoint, host_keys=(wrong,)))
    found = look([aim], digests=box.digests)[ADDRESS]
    assert found.reach == Reach.HOST_KEY_CHANGED
    assert {role.state for role in found.roles.values()} == {RoleState.UNKNOWN}
