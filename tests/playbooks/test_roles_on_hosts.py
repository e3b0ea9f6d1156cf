"""All roles on two fresh local hosts, by plain ansible-playbook: what they promise, seen from outside."""

import json
import os
import re
import secrets
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from leptonctl.assets import asset
from leptonctl.hosts.checks import checks_for
from leptonctl.hosts.checks.kinds import Command
from leptonctl.hosts.inventory import inventory, write_inventory
from leptonctl.hosts.openssh import known_hosts_text, openssh_args
from leptonctl.hosts.target import Target
from leptonctl.planning.desired import DesiredHost, DesiredLocation, DesiredRole
from leptonctl.planning.observed import Endpoint
from leptonctl.platforms.base import Context
from leptonctl.platforms.local import LocalPlatform
from leptonctl.progress import silent
from leptonctl.sitefile.model import Machine
from leptonctl.sitefile.software import SETTINGS, RoleName

pytestmark = [pytest.mark.hosts, pytest.mark.matrix]

HOSTS = ("box-1", "box-2")
FULL_NAME = """Ada "the {{ 7 * 7 }}" $(touch /tmp/pwned) 'O`touch /tmp/pwned`"""
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0Mz2gPpgUs8bMQm2cZ4cP0rVbq3kzV6Q0o5B2b8vHx ada@example.com"
WEBHOOK = "http://127.0.0.1:9/hook?token=s3cr3t-{{token}}"
LIMIT_S = 300


@dataclass(frozen=True)
class Run:
    """A run of ansible-playbook: what it printed, and its counts by host."""

    output: str
    exit_status: int

    def counts(self, host: str) -> dict[str, int]:
        (line,) = (line for line in self.output.splitlines() if re.match(rf"{re.escape(host)}\s*:.*ok=", line))
        return {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", line)}


class Site:
    """Two fresh hosts, and Ansible pointed at them."""

    def __init__(self, folder: Path, endpoints: dict[str, Endpoint], sockets: Path) -> None:
        self.folder = folder
        self.endpoints = endpoints
        self.addresses = tuple(endpoints)
        self.known_hosts = folder / "known_hosts"
        self.known_hosts.write_text(known_hosts_text(endpoints.values()))
        self.sockets = sockets

    def roles(self, **changed: dict[str, Any]) -> tuple[DesiredRole, ...]:
        """All roles with the settings of this test; `changed` adds to a role's."""
        ada = {"name": "ada", "full_name": FULL_NAME, "ssh_keys": [PUBLIC_KEY], "sudo": True, "shell": "/bin/bash"}
        targets = [
            {"host": address, "location": "core", "tier": "core", "endpoint": f"{endpoint.hostname}:9100"}
            for address, endpoint in self.endpoints.items()
        ]
        own: dict[RoleName, dict[str, Any]] = {
            "base": {"users": [ada], "timezone": "Europe/Vienna", "sysctl": {"net.core.somaxconn": 5000}},
            "container_runtime": {"snapshotter": "native", "registry_mirrors": {"docker.io": "http://10.0.0.1:5000"}},
            "monitoring_agent": {},
            "monitoring_server": {"targets": targets, "scrape_interval_s": 2},
        }
        return tuple(
            DesiredRole(name, {**SETTINGS[name]().model_dump(mode="json"), **own[name], **changed.get(name, {})})
            for name in own
        )

    def play(self, *args: str, hosts: tuple[str, ...] = (), roles: tuple[DesiredRole, ...] = ()) -> Run:
        """Run the playbook on these hosts (all) with these roles (all)."""
        targets = [
            Target(address, address.rpartition("/")[2], "core", "core", self.endpoints[address], roles or self.roles())
            for address in hosts or self.addresses
        ]
        data = inventory(targets, known_hosts=self.known_hosts, control_dir=self.sockets)
        script = write_inventory(data, self.folder / "inventory")
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        done = subprocess.run(
            [program, "-i", str(script), *args, str(asset("playbooks", "site.yml"))],
            env={**os.environ, "ANSIBLE_CONFIG": str(asset("playbooks", "ansible.cfg")), "ANSIBLE_NOCOLOR": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        return Run(done.stdout + done.stderr, done.returncode)

    def on_host(self, address: str, *argv: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command on a host."""
        endpoint = self.endpoints[address]
        ssh = ["ssh", *openssh_args(endpoint, self.known_hosts), endpoint.hostname, shlex.join(argv)]
        return subprocess.run(ssh, input=stdin, capture_output=True, text=True, timeout=120, check=False)

    def read(self, address: str, *argv: str) -> str:
        """What a command prints that has to succeed."""
        done = self.on_host(address, *argv)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("roles")
    hosts = tuple(DesiredHost(f"core/{name}", name, "box", Machine(), ()) for name in HOSTS)
    location = DesiredLocation("core", "core", "local", (), None, hosts, ())
    context = Context(f"roles-{secrets.token_hex(3)}", "tests", folder, folder / "state", (location,))
    context.state_dir.mkdir(mode=0o700)
    platform = LocalPlatform(context)
    try:
        # A path for sockets has to be short: pytest's own folder is not.
        with tempfile.TemporaryDirectory(prefix="lepton-", dir="/tmp") as sockets:
            yield Site(folder, dict(platform.ensure(location, silent).endpoints), Path(sockets))
    finally:
        platform.destroy("core", delete_data=frozenset({"all"}), report=silent)
        assert platform.leftovers() == ()


@pytest.fixture(scope="module")
def checked(site: Site) -> Run:
    """Check mode on the fresh hosts."""
    return site.play("--check")


@pytest.fixture(scope="module")
def configured(site: Site, checked: Run) -> Run:
    """The first run, on hosts where check mode has been."""
    assert checked.exit_status == 0, checked.output
    began = time.monotonic()
    run = site.play()
    print(f"first configuration of {len(HOSTS)} hosts: {time.monotonic() - began:.1f} s")  # noqa: T201 - shown by -s
    assert run.exit_status == 0, run.output
    return run


@pytest.fixture(scope="module")
def repeated(site: Site, configured: Run) -> Run:
    """The second run."""
    assert configured.exit_status == 0
    return site.play("--diff")


def test_check_mode_works_on_a_fresh_host_and_changes_none_of_its_settings(site: Site, checked: Run) -> None:
    assert checked.exit_status == 0, checked.output
    for address in site.addresses:
        assert checked.counts(address)["changed"] > 0
        for path in ("/etc/sysctl.d/60-leptonctl.conf", "/usr/bin/prometheus", "/home/ada", "/etc/containerd"):
            assert site.on_host(address, "test", "-e", path).returncode == 1, path


def test_a_second_run_changes_nothing(site: Site, repeated: Run) -> None:
    assert repeated.exit_status == 0, repeated.output
    changed = [line for line in repeated.output.splitlines() if line.startswith("changed")]
    assert [repeated.counts(address)["changed"] for address in site.addresses] == [0, 0], changed


@pytest.mark.usefixtures("configured")
def test_every_command_check_of_every_role_holds(site: Site) -> None:
    for address in site.addresses:
        for role in site.roles():
            for check in checks_for(role):
                if isinstance(check, Command):
                    argv = [part.replace("{unique}", secrets.token_hex(4)) for part in check.argv]
                    assert check.expect in site.read(address, *argv), check.title


@pytest.mark.usefixtures("configured")
def test_prometheus_scrapes_every_host(site: Site) -> None:
    query = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:9090/api/v1/targets?state=active').read().decode())"
    deadline = time.monotonic() + 60
    health: dict[str, str] = {}
    while time.monotonic() < deadline and set(health.values()) != {"up"}:
        answer = json.loads(site.read("core/box-1", "python3", "-c", query))
        targets = answer["data"]["activeTargets"]
        health = {target["labels"].get("host", target["labels"]["job"]): target["health"] for target in targets}
    assert health == dict.fromkeys(("core/box-1", "core/box-2", "prometheus", "alertmanager"), "up")


@pytest.mark.usefixtures("configured")
def test_promtool_and_amtool_accept_what_was_written(site: Site) -> None:
    assert "SUCCESS" in site.read("core/box-1", "promtool", "check", "config", "/etc/prometheus/prometheus.yml")
    assert "nobody" in site.read("core/box-1", "cat", "/etc/prometheus/alertmanager.yml")
    site.read("core/box-1", "amtool", "check-config", "/etc/prometheus/alertmanager.yml")


@pytest.mark.usefixtures("configured")
def test_a_hostile_full_name_is_literal_text(site: Site) -> None:
    assert site.read("core/box-1", "getent", "passwd", "ada").split(":")[4] == FULL_NAME
    assert site.on_host("core/box-1", "test", "-e", "/tmp/pwned").returncode == 1
    assert not Path("/tmp/pwned").exists()


@pytest.mark.usefixtures("configured")
def test_a_user_has_its_key_and_may_become_root(site: Site) -> None:
    assert site.read("core/box-1", "cat", "/home/ada/.ssh/authorized_keys").splitlines()[1:] == [PUBLIC_KEY]
    assert site.read("core/box-1", "stat", "-c", "%U %a", "/home/ada/.ssh").strip() == "ada 700"
    assert site.read("core/box-1", "runuser", "-u", "ada", "--", "sudo", "-n", "id", "-u").strip() == "0"


@pytest.mark.usefixtures("configured")
def test_settings_are_in_force_and_logins_still_work(site: Site) -> None:
    for address in site.addresses:
        assert site.read(address, "cat", "/proc/sys/net/core/somaxconn").strip() == "5000"
        assert site.read(address, "date", "+%Z").strip() in {"CET", "CEST"}
        assert site.read(address, "systemctl", "--failed", "--quiet", "--no-legend") == ""
        limits = site.read(address, "cat", "/etc/security/limits.d/60-leptonctl.conf")
        nofile = re.search(r"root - nofile (\d+)", limits)
        assert nofile
        assert site.read(address, "sh", "-c", "ulimit -Hn").strip() == nofile[1]


@pytest.mark.usefixtures("configured")
def test_a_kernel_setting_that_belongs_to_the_machine_is_left_alone_in_a_container(site: Site) -> None:
    text = site.read("core/box-1", "cat", "/etc/sysctl.d/60-leptonctl.conf")
    assert re.search(r"^# vm\.max_map_count = \d+: not set", text, re.MULTILINE)
    assert not re.search(r"^-?(vm|fs|kernel)\.", text, re.MULTILINE)


@pytest.mark.usefixtures("repeated")
def test_drift_is_mended_and_a_secret_is_written_but_never_printed(site: Site) -> None:
    """One run for what a run has to put right: it is the slow part."""
    host = "core/box-1"
    site.read(host, "sh", "-c", "echo 128 > /proc/sys/net/core/somaxconn")
    site.read(host, "systemctl", "stop", "prometheus-node-exporter.service")
    site.read(host, "ctr", "images", "rm", "localhost/leptonctl/probe:1")
    # As a run leaves it that was killed after it wrote the file and before it restarted the service.
    site.read(host, "touch", "/etc/containerd/config.toml")
    before = site.read(host, "systemctl", "show", "--property=InvocationID", "containerd.service")
    roles = site.roles(
        container_runtime={"registry_mirrors": {}},
        monitoring_server={"webhook_url": WEBHOOK, "mail": None},
    )
    run = site.play("-vvv", "--diff", hosts=(host,), roles=roles)
    assert run.exit_status == 0, run.output
    assert "s3cr3t" not in run.output
    assert site.read(host, "cat", "/proc/sys/net/core/somaxconn").strip() == "5000"
    assert site.read(host, "systemctl", "is-active", "prometheus-node-exporter.service").strip() == "active"
    assert site.read(host, "ctr", "images", "ls", "-q").strip() == "localhost/leptonctl/probe:1"
    assert site.read(host, "systemctl", "show", "--property=InvocationID", "containerd.service") != before
    assert site.on_host(host, "test", "-e", "/etc/containerd/certs.d/docker.io/hosts.toml").returncode == 1
    assert WEBHOOK in site.read(host, "cat", "/etc/prometheus/alertmanager.yml")
    assert (
        site.read(host, "stat", "-c", "%U %G %a", "/etc/prometheus/alertmanager.yml").strip() == "root prometheus 640"
    )


@pytest.mark.usefixtures("repeated")
def test_a_role_that_fails_on_one_host_stops_no_other(site: Site) -> None:
    broken, fine = site.addresses
    site.read(broken, "chattr", "+i", "/etc/default/prometheus-node-exporter")
    roles = (replace(site.roles()[2], settings={**site.roles()[2].settings, "port": 9200}),)
    try:
        run = site.play(roles=roles)
    finally:
        site.read(broken, "chattr", "-i", "/etc/default/prometheus-node-exporter")
    assert run.counts(broken)["failed"] == 1
    assert run.counts(fine)["failed"] == 0
    assert ":9200" in site.read(fine, "cat", "/etc/default/prometheus-node-exporter")


@pytest.mark.usefixtures("configured")
def test_a_login_that_would_lock_itself_out_is_refused(site: Site) -> None:
    root: dict[str, Any] = {"name": "root", "full_name": None, "ssh_keys": [], "sudo": False, "shell": "/bin/bash"}
    run = site.play(hosts=("core/box-2",), roles=site.roles(base={"users": [root]})[:1])
    assert run.exit_status != 0
    assert "it would lock itself out" in run.output
