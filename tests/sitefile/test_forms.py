"""Forms: what counts as a host name, a key, a login, a URL."""

from __future__ import annotations

import pytest

from leptonctl.sitefile.rules.forms import (
    is_host_and_port,
    is_host_name,
    is_ip_address,
    is_jump,
    is_plain_path,
    is_public_key,
    url_flaw,
)

LONG = "a" * 63
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"


@pytest.mark.parametrize(
    "text", ["a", "a-1", "A.b.C", "1a", "a.1", "192.0.2.1", LONG, f"{LONG}.{LONG}", "xn--nxasmq6b"]
)
def test_is_a_host_name(text: str) -> None:
    assert is_host_name(text)


@pytest.mark.parametrize(
    "text",
    ["", "-a", "a-", "a..b", ".a", "a.", "a_b", "a b", "a\n", "10", "1.2", "1.2.3.256", LONG + "a", "é", "a" * 254],
)
def test_is_no_host_name(text: str) -> None:
    assert not is_host_name(text)


def test_addresses() -> None:
    assert all(map(is_ip_address, ("192.0.2.1", "::1", "2001:db8::1", "::ffff:192.0.2.1")))
    assert not any(map(is_ip_address, ("192.0.2", "fe80::1%eth0", "::1/64", ":", "a", "", "01.2.3.4")))


def test_public_keys() -> None:
    assert is_public_key(KEY)
    assert is_public_key(f"{KEY} a comment")
    for text in (
        "",
        KEY.partition(" ")[2],
        f"box {KEY}",
        KEY.replace("ed25519 ", "rsa "),
        f"{KEY}\nx",
        f'command="x" {KEY}',
    ):
        assert not is_public_key(text)


def test_jumps_and_ports() -> None:
    assert all(map(is_jump, ("gate", "ops@gate", "gate:22", "ops@gate.example.com:65535", "192.0.2.1")))
    assert not any(map(is_jump, ("", "@gate", "-l@gate", "gate:", "gate:0", "gate:65536", "a@b@c", "-gate", "gate,x")))
    assert is_host_and_port("mail:25")
    assert not any(map(is_host_and_port, ("mail", "mail:", ":25", "mail:+25", "mail:²")))


def test_plain_paths() -> None:
    assert all(map(is_plain_path, ("/a", "/a/b-c_d.e", "/..a")))
    assert not any(map(is_plain_path, ("", "/", "a", "//a", "/a/", "/a/../b", "/a/.", "/a b", "/a;b", "/ä")))


@pytest.mark.parametrize(
    ("url", "flaw"),
    [
        ("http://a:80", None),
        ("https://[2001:db8::1]:443/", None),
        ("a:80", "does not start with http:// or https://"),
        ("http://", "does not name a host"),
        ("http://a:0", "does not name a host"),
        ("http://a:99999", "is not a URL"),
        ("http://[a", "is not a URL"),
        ("http://u:p@a", "has a login in it"),
        ("http://a/b", "has more than a host and a port"),
        ("http://a b", "does not name a host"),
    ],
)
def test_urls(url: str, flaw: str | None) -> None:
    assert url_flaw(url, may_have_path=False) == flaw
