from __future__ import annotations

import socket
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from leptonctl.hosts.reach import Request
from leptonctl.hosts.ssh import run_all
from leptonctl.planning.observed import Endpoint, Reach
from tests.hosts.fake_ssh_server import FakeSshServers, fingerprint, write_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[FakeSshServers]:
    fake = FakeSshServers(tmp_path, write_key(tmp_path / "id"))
    try:
        yield fake
    finally:
        fake.close()


@pytest.fixture
def endpoint(servers: FakeSshServers, tmp_path: Path) -> Endpoint:
    """A server whose key is pinned."""
    host_key = write_key(tmp_path / "host_key")
    port = servers.start(tmp_path / "host_key")
    return Endpoint("127.0.0.1", port, "root", tmp_path / "id", host_keys=(host_key,))


def ask(endpoint: Endpoint, command: str = "echo") -> Request:
    return Request("core/a", endpoint, command, b"text \x00 with any bytes")


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


def test_a_command_gets_its_input_and_gives_its_output_and_status(endpoint: Endpoint) -> None:
    reply = run_all([ask(endpoint, "exit 3")], timeout_s=10)["core/a"]
    assert (reply.reach, reply.exit_status) == (Reach.OK, 3)
    assert (reply.stdout, reply.stderr) == (b"text \x00 with any bytes", b"exit 3")


def test_nothing_is_sent_to_a_host_whose_key_is_not_the_pinned_one(
    endpoint: Endpoint, servers: FakeSshServers, tmp_path: Path
) -> None:
    other = write_key(tmp_path / "other")
    reply = run_all([ask(replace(endpoint, host_keys=(other,)))], timeout_s=10)["core/a"]
    shown = fingerprint(endpoint.host_keys[0])
    assert reply.reach == Reach.HOST_KEY_CHANGED
    assert (reply.presented_fingerprint, reply.expected_fingerprints) == (shown, (fingerprint(other),))
    assert reply.detail == (
        f"127.0.0.1 port {endpoint.port}: host key changed: it is {shown}, should be {fingerprint(other)}"
    )
    assert (servers.logins, servers.inputs) == ([], [])


def test_a_host_key_of_another_kind_than_the_pinned_one_is_a_changed_key(
    endpoint: Endpoint, servers: FakeSshServers, tmp_path: Path
) -> None:
    other = write_key(tmp_path / "other", "ecdsa-sha2-nistp256")
    reply = run_all([ask(replace(endpoint, host_keys=(other,)))], timeout_s=10)["core/a"]
    assert reply.reach == Reach.HOST_KEY_CHANGED
    assert reply.presented_fingerprint == fingerprint(endpoint.host_keys[0])
    assert (servers.logins, servers.inputs) == ([], [])


def test_a_host_that_no_known_hosts_file_has_is_unknown_and_gets_nothing(
    endpoint: Endpoint, servers: FakeSshServers, tmp_path: Path
) -> None:
    known = tmp_path / "known_hosts"
    known.write_text("elsewhere.example.com " + endpoint.host_keys[0] + "\n")
    reply = run_all([ask(replace(endpoint, host_keys=(), known_hosts=known))], timeout_s=10)["core/a"]
    shown = fingerprint(endpoint.host_keys[0])
    assert reply.reach == Reach.HOST_KEY_UNKNOWN
    assert reply.detail == f"127.0.0.1 port {endpoint.port}: host key {shown} is not known ({known})"
    assert (servers.logins, servers.inputs) == ([], [])


def test_a_host_that_the_known_hosts_file_has_is_asked(endpoint: Endpoint, tmp_path: Path) -> None:
    known = tmp_path / "known hosts"
    known.write_text(f"[127.0.0.1]:{endpoint.port} {endpoint.host_keys[0]}\n")
    reply = run_all([ask(replace(endpoint, host_keys=(), known_hosts=known))], timeout_s=10)["core/a"]
    assert reply.reach == Reach.OK


def test_the_known_hosts_file_is_not_asked_where_keys_are_pinned(endpoint: Endpoint, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    known.write_text(f"[127.0.0.1]:{endpoint.port} {endpoint.host_keys[0]}\n")
    pinned = replace(endpoint, host_keys=(write_key(tmp_path / "other"),), known_hosts=known)
    assert run_all([ask(pinned)], timeout_s=10)["core/a"].reach == Reach.HOST_KEY_CHANGED


def test_a_revoked_host_key_is_refused(endpoint: Endpoint, servers: FakeSshServers, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    name = f"[127.0.0.1]:{endpoint.port}"
    known.write_text(f"{name} {endpoint.host_keys[0]}\n@revoked {name} {endpoint.host_keys[0]}\n")
    reply = run_all([ask(replace(endpoint, host_keys=(), known_hosts=known))], timeout_s=10)["core/a"]
    assert reply.reach == Reach.HOST_KEY_CHANGED
    assert (servers.logins, servers.inputs) == ([], [])


def test_a_login_that_is_refused_is_permission_denied(endpoint: Endpoint, tmp_path: Path) -> None:
    write_key(tmp_path / "stranger")
    reply = run_all([ask(replace(endpoint, key=tmp_path / "stranger"))], timeout_s=10)["core/a"]
    assert reply.reach == Reach.PERMISSION_DENIED
    assert reply.detail == f"127.0.0.1 port {endpoint.port}: user root refused with key {tmp_path}/stranger"


def test_a_key_file_that_is_missing_is_permission_denied(endpoint: Endpoint, tmp_path: Path) -> None:
    reply = run_all([ask(replace(endpoint, key=tmp_path / "none"))], timeout_s=10)["core/a"]
    assert reply.reach == Reach.PERMISSION_DENIED
    assert reply.detail == f"127.0.0.1 port {endpoint.port}: key {tmp_path}/none: No such file or directory"


def test_a_closed_port_a_mute_host_and_an_unknown_name_are_told_apart(
    endpoint: Endpoint, servers: FakeSshServers
) -> None:
    closed, mute = free_port(), servers.start_mute()
    replies = run_all(
        [
            Request("closed", replace(endpoint, port=closed), "echo"),
            Request("mute", replace(endpoint, port=mute), "echo"),
            Request("nameless", replace(endpoint, hostname="no-such-host.invalid"), "echo"),
            Request("good", endpoint, "echo"),
        ],
        timeout_s=2,
    )
    assert {address: reply.reach for address, reply in replies.items()} == {
        "closed": Reach.UNREACHABLE,
        "mute": Reach.UNREACHABLE,
        "nameless": Reach.UNREACHABLE,
        "good": Reach.OK,
    }
    assert replies["closed"].detail == f"127.0.0.1 port {closed}: connection refused"
    assert replies["mute"].detail == f"127.0.0.1 port {mute}: no answer within 2 s"
    assert replies["nameless"].detail.startswith("no-such-host.invalid port ")


def test_a_command_that_does_not_end_is_failed_not_unreachable(endpoint: Endpoint) -> None:
    reply = run_all([ask(endpoint, "hang")], timeout_s=1)["core/a"]
    assert reply.reach == Reach.FAILED
    assert reply.detail == "logged in, but the command did not end within 1 s"


def test_a_host_behind_a_jump_host_is_reached_and_both_keys_are_checked(
    endpoint: Endpoint, servers: FakeSshServers, tmp_path: Path
) -> None:
    jump_key = write_key(tmp_path / "jump_key")
    port = servers.start(tmp_path / "jump_key")
    known = tmp_path / "known_hosts"
    known.write_text(f"[127.0.0.1]:{port} {jump_key}\n")
    behind = replace(endpoint, jump=f"hop@127.0.0.1:{port}", known_hosts=known)
    requests = [Request(f"core/{number}", behind, "echo", b"x") for number in range(3)]
    replies = run_all(requests, timeout_s=10)
    assert [reply.reach for reply in replies.values()] == [Reach.OK] * 3
    assert servers.logins.count("hop") == 1, "hosts behind one jump host share its connection"

    servers.inputs.clear()
    known.write_text(f"[127.0.0.1]:{port} {endpoint.host_keys[0]}\n")
    reply = run_all(requests[:1], timeout_s=10)["core/0"]
    assert reply.reach == Reach.HOST_KEY_CHANGED
    assert reply.detail.startswith(f"jump host 127.0.0.1 port {port}: host key changed")
    assert servers.inputs == []


def test_the_key_of_a_jump_host_may_be_pinned_too(endpoint: Endpoint, servers: FakeSshServers, tmp_path: Path) -> None:
    jump_key = write_key(tmp_path / "jump_key")
    port = servers.start(tmp_path / "jump_key")
    behind = replace(endpoint, jump=f"hop@127.0.0.1:{port}", jump_host_keys=(jump_key,))
    assert run_all([ask(behind)], timeout_s=10)["core/a"].reach == Reach.OK
    wrong = replace(behind, jump_host_keys=endpoint.host_keys)
    reply = run_all([ask(wrong)], timeout_s=10)["core/a"]
    assert reply.reach == Reach.HOST_KEY_CHANGED
    assert reply.detail.startswith(f"jump host 127.0.0.1 port {port}: host key changed")


def test_more_requests_than_places_are_all_answered(endpoint: Endpoint) -> None:
    requests = [Request(f"core/{number}", endpoint, "echo", str(number).encode()) for number in range(12)]
    replies = run_all(requests, limit=3, timeout_s=10)
    assert [replies[request.address].stdout for request in requests] == [request.stdin for request in requests]


def test_the_user_ssh_config_is_not_read(endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "config").write_text("Host *\n  Port 1\n  User nobody\n  ProxyCommand false\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert run_all([ask(endpoint)], timeout_s=10)["core/a"].reach == Reach.OK


def test_no_thread_is_left_behind(endpoint: Endpoint) -> None:
    before = set(threading.enumerate())
    run_all([ask(endpoint), Request("core/b", replace(endpoint, hostname="localhost"), "echo")], timeout_s=10)
    left = set(threading.enumerate()) - before
    assert [thread.name for thread in left if not thread.name.startswith("fake")] == []


def test_no_request_needs_no_connection() -> None:
    assert run_all([], timeout_s=1) == {}
