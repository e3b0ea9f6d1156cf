from __future__ import annotations

from pathlib import Path

import pytest

from leptonctl.errors import InvalidSite
from leptonctl.hosts.openssh import JumpHost, jump_host, known_hosts_text, openssh_args
from leptonctl.planning.observed import Endpoint


def test_known_hosts_has_one_sorted_line_for_each_pinned_key() -> None:
    endpoints = [
        Endpoint("10.0.0.2", host_keys=("ssh-ed25519 BBBB a comment", "ssh-rsa CCCC")),
        Endpoint("10.0.0.1", 2222, host_keys=("ssh-ed25519 AAAA",)),
        Endpoint("10.0.0.2", host_keys=("ssh-ed25519 BBBB",)),
        Endpoint("10.0.0.3"),
    ]
    assert known_hosts_text(endpoints) == (
        "10.0.0.2 ssh-ed25519 BBBB\n10.0.0.2 ssh-rsa CCCC\n[10.0.0.1]:2222 ssh-ed25519 AAAA\n"
    )


def test_ssh_reads_no_configuration_asks_nothing_and_checks_the_pinned_key() -> None:
    endpoint = Endpoint("10.0.0.1", 2222, "ops", Path("/keys/a b%c"), host_keys=("ssh-ed25519 AAAA",))
    assert openssh_args(endpoint, Path("/run/known hosts")) == [
        *("-F", "none"),
        *("-o", "BatchMode=yes"),
        *("-o", "StrictHostKeyChecking=yes"),
        *("-o", "UpdateHostKeys=no"),
        *("-o", "CheckHostIP=no"),
        *("-o", 'UserKnownHostsFile="/run/known hosts"'),
        *("-o", "GlobalKnownHostsFile=/dev/null"),
        *("-o", "PreferredAuthentications=publickey"),
        *("-o", "ForwardAgent=no"),
        *("-i", "/keys/a b%c", "-o", "IdentitiesOnly=yes"),
        *("-p", "2222", "-l", "ops"),
    ]


def test_without_pinned_keys_the_known_hosts_file_of_the_endpoint_holds(tmp_path: Path) -> None:
    known = tmp_path / "known"
    known.write_text("")
    args = openssh_args(Endpoint("10.0.0.1", known_hosts=known), Path("/run/known"))
    assert f"UserKnownHostsFile={known}" in args
    assert "-i" not in args


def test_the_jump_host_is_held_to_the_same_rules(tmp_path: Path) -> None:
    known = tmp_path / "known"
    known.write_text("")
    endpoint = Endpoint("10.0.0.1", jump="hop@gate.example.com:2200", key=Path("/keys/id"), known_hosts=known)
    assert openssh_args(endpoint, Path("/run/known"))[-1] == (
        "ProxyCommand=ssh -F none -o BatchMode=yes -o StrictHostKeyChecking=yes -o UpdateHostKeys=no -o CheckHostIP=no"
        f" -o UserKnownHostsFile={known} -o GlobalKnownHostsFile=/dev/null -o PreferredAuthentications=publickey"
        " -o ForwardAgent=no -i /keys/id -o IdentitiesOnly=yes -p 2200 -l hop -W '[%h]:%p' -- gate.example.com"
    )


def test_a_jump_host_with_a_pinned_key_is_known_by_that_key_alone() -> None:
    endpoint = Endpoint(
        "10.0.0.1",
        jump="root@192.0.2.1:2200",
        host_keys=("ssh-ed25519 AAAA",),
        jump_host_keys=("ssh-ed25519 BBBB",),
    )
    assert known_hosts_text([endpoint]) == "10.0.0.1 ssh-ed25519 AAAA\n[192.0.2.1]:2200 ssh-ed25519 BBBB\n"
    command = next(part for part in openssh_args(endpoint, Path("/run/known")) if part.startswith("ProxyCommand="))
    assert "UserKnownHostsFile=/run/known " in command


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hop@gate:2200", JumpHost("gate", 2200, "hop")),
        ("hop@gate", JumpHost("gate", 22, "hop")),
        ("hop@[fd00::1]:2200", JumpHost("fd00::1", 2200, "hop")),
    ],
)
def test_a_jump_host_is_user_host_and_port(text: str, expected: JumpHost) -> None:
    assert jump_host(Endpoint("10.0.0.1", jump=text)) == expected


@pytest.mark.parametrize("text", ["hop@gate; reboot", "-oProxyCommand=reboot", "hop@-x", "gate:22:22", ""])
def test_a_jump_host_that_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(InvalidSite, match="cannot be read"):
        jump_host(Endpoint("10.0.0.1", jump=text))
