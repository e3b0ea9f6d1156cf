from __future__ import annotations

import socket
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from leptonctl.errors import PlatformFailed, PreflightFailed, Refused
from leptonctl.planning.desired import Connection, DesiredHost, DesiredLocation
from leptonctl.planning.observed import Endpoint
from leptonctl.planning.plan import Action
from leptonctl.platforms.local_keys import ensure_site_key, site_key_path
from leptonctl.platforms.ssh import SshPlatform, endpoint_of
from leptonctl.progress import Progress, silent
from leptonctl.sitefile.model import Machine
from tests.hosts.fake_ssh_server import FakeSshServers, write_key
from tests.platforms.sites import location

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from leptonctl.platforms.base import Context
    from leptonctl.platforms.local import LocalPlatform


def existing(**connections: Connection) -> DesiredLocation:
    hosts = tuple(
        DesiredHost(f"core/{name}", name, "box", Machine(), (), connection=connection)
        for name, connection in connections.items()
    )
    return DesiredLocation("core", "core", "ssh", (), None, hosts, ())


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[FakeSshServers]:
    fake = FakeSshServers(tmp_path, write_key(tmp_path / "id"))
    try:
        yield fake
    finally:
        fake.close()


@pytest.fixture
def ssh(context: Context) -> SshPlatform:
    return SshPlatform(context)


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


def test_paths_are_relative_to_the_site_file_and_defaults_are_those_of_ssh(tmp_path: Path) -> None:
    assert endpoint_of(Connection("box"), tmp_path) == Endpoint("box", 22, "root")
    full = Connection("box", "ops", 2222, "keys/id", "ops@jump", "known", None)
    assert endpoint_of(full, tmp_path) == Endpoint(
        "box", 2222, "ops", tmp_path / "keys/id", "ops@jump", (), tmp_path / "known"
    )
    pinned = replace(full, host_key="ssh-ed25519 AAAA", key="/abs/id")
    assert endpoint_of(pinned, tmp_path).host_keys == ("ssh-ed25519 AAAA",)
    assert str(endpoint_of(pinned, tmp_path).key) == "/abs/id"


def test_a_location_is_known_from_the_context_and_unknown_ones_are_not_there(context: Context) -> None:
    here = existing(a=Connection("box"))
    ssh = SshPlatform(replace(context, locations=(here, location("edges/shop"))))
    there = ssh.observe("core")
    assert there is not None
    assert set(there.endpoints) == {"core/a"}
    assert ssh.observe("edges/shop") is None
    assert ssh.observe("edges/other") is None


def test_existing_machines_are_kept_and_never_removed(ssh: SshPlatform) -> None:
    here = existing(a=Connection("box"))
    assert [(one.action, one.address) for one in ssh.preview(here)] == [(Action.KEEP, "core/a")]
    heard: list[Progress] = []
    assert ssh.destroy("core", delete_data=frozenset({"all"}), report=heard.append) == ()
    assert [one.message for one in heard] == ["its hosts stay: leptonctl did not make them"]
    assert ssh.leftovers() == ()


def test_every_host_that_is_not_reached_is_told_in_one_go(ssh: SshPlatform) -> None:
    first, second = closed_port(), closed_port()
    here = existing(a=Connection("127.0.0.1", port=first), b=Connection("127.0.0.1", port=second))
    with pytest.raises(PreflightFailed) as caught:
        ssh.preflight((here,))
    assert [(one.where, one.message, one.hint) for one in caught.value.problems] == [
        (
            f"core/{name}",
            f"127.0.0.1 port {port}: connection refused",
            "is sshd running there, and on this port (ssh.port)?",
        )
        for name, port in (("a", first), ("b", second))
    ]
    assert caught.value.message == (
        f"core/a: 127.0.0.1 port {first}: connection refused (and 1 more problem; 2 hosts in all)"
    )
    with pytest.raises(PlatformFailed):
        ssh.ensure(here, silent)


def test_a_host_whose_key_is_unknown_or_changed_is_refused_and_sent_nothing(
    ssh: SshPlatform, servers: FakeSshServers, tmp_path: Path
) -> None:
    write_key(tmp_path / "host_key")
    other = write_key(tmp_path / "other_key")
    (tmp_path / "known").touch()
    port = servers.start(tmp_path / "host_key")
    unknown = Connection("127.0.0.1", port=port, key="id", known_hosts="known")
    changed = Connection("127.0.0.1", port=port, key="id", host_key=other)
    with pytest.raises(Refused) as caught:
        ssh.preflight((existing(a=unknown, b=changed, c=Connection("127.0.0.1", port=closed_port())),))
    assert [(one.where, one.rule) for one in caught.value.problems] == [
        ("core/a", "ssh.host_key"),
        ("core/b", "ssh.host_key"),
        ("core/c", "ssh.reach"),
    ]
    assert "is not known" in caught.value.problems[0].message
    assert caught.value.problems[1].message.count("SHA256:") == 2
    assert servers.inputs == []
    assert servers.logins == []


def test_a_wrong_key_is_told_with_the_key(ssh: SshPlatform, servers: FakeSshServers, tmp_path: Path) -> None:
    host_key = write_key(tmp_path / "host_key")
    write_key(tmp_path / "wrong")
    port = servers.start(tmp_path / "host_key")
    with pytest.raises(PreflightFailed) as caught:
        ssh.preflight((existing(a=Connection("127.0.0.1", port=port, key="wrong", host_key=host_key)),))
    assert caught.value.message == (f"core/a: 127.0.0.1 port {port}: user root refused with key {tmp_path / 'wrong'}")


def test_an_answer_that_is_no_answer_is_not_taken_for_one(
    ssh: SshPlatform, servers: FakeSshServers, tmp_path: Path
) -> None:
    host_key = write_key(tmp_path / "host_key")
    port = servers.start(tmp_path / "host_key")
    with pytest.raises(PreflightFailed) as caught:
        ssh.preflight((existing(a=Connection("127.0.0.1", port=port, key="id", host_key=host_key)),))
    assert caught.value.message == "core/a: the host answered in a way that was not understood"


@pytest.mark.hosts
def test_real_hosts_are_looked_at_once_and_found_in_order(local: LocalPlatform, context: Context) -> None:
    made = local.ensure(location("core", count=2), silent)
    here = existing(
        **{
            address.removeprefix("core/"): Connection(
                way.hostname, key=str(site_key_path(context.state_dir)), host_key=way.host_keys[0]
            )
            for address, way in made.endpoints.items()
        }
    )
    ssh = SshPlatform(context)
    ssh.preflight((here,))
    heard: list[Progress] = []
    assert set(ssh.ensure(here, heard.append).endpoints) == {"core/box-1", "core/box-2"}
    assert heard == []

    # Everything that is wrong with a host comes at once: too small, and a user without rights.
    way = made.endpoints["core/box-1"]
    known = context.site_dir / "known"
    known.write_text(f"{way.hostname} {way.host_keys[0]}\n")
    prepare = "useradd -m ops && cp -r /root/.ssh /home/ops/ && chown -R ops: /home/ops/.ssh"
    key = ensure_site_key(context.state_dir).path
    login = ["ssh", "-F", "none", "-i", str(key), "-o", f"UserKnownHostsFile={known}", f"root@{way.hostname}"]
    subprocess.run([*login, prepare], check=True, capture_output=True)
    weak = replace(
        here.hosts[0],
        machine=Machine(cpus=4000, memory_gib=60000),
        connection=Connection(way.hostname, user="ops", key=str(key), known_hosts="known"),
    )
    with pytest.raises(PreflightFailed) as caught:
        SshPlatform(context).preflight((replace(here, hosts=(weak,)),))
    assert [one.rule for one in caught.value.problems] == ["ssh.root", "ssh.size", "ssh.size"]
    assert caught.value.problems[0].message == "user ops cannot become root with sudo without a password"
