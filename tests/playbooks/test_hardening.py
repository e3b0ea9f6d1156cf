"""The role `hardening` on a real host: what is closed, who is never shut out, and how a wrong rule is taken back."""

from __future__ import annotations

import re
import socket
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.hosts.box import Box, fresh_box, role

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.hosts, pytest.mark.matrix]

PORT = 9100
# A minute, as an upgrade in the background takes.
HELD_S = 60
PROGRAM = "/usr/local/lib/leptonctl/firewall"
OPENING = {"role": "monitoring_agent", "protocol": "tcp", "port": str(PORT)}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with fresh_box(tmp_path_factory.mktemp("hardening"), "hardening") as made:
        made.target = replace(made.target, roles=(role("base"), role("monitoring_agent"), role("hardening")))
        made.configure()
        assert made.record().problem is None
        yield made


def hardened(box: Box, **settings: Any) -> None:
    """Run the role with these settings; whether it succeeds is for the caller to see."""
    box.run_alone(role("hardening", **settings))


def is_open(box: Box) -> bool:
    """Whether the exporter can be reached from this machine: dropped packets make it wait in vain."""
    try:
        socket.create_connection((box.target.endpoint.hostname, PORT), timeout=2).close()
    except OSError:
        return False
    return True


def own_address(box: Box) -> str:
    """This machine's address, as the host sees it."""
    with socket.create_connection((box.target.endpoint.hostname, 22), timeout=5) as connection:
        found: str = connection.getsockname()[0]
    return found


def test_a_port_is_closed_until_it_is_opened_to_the_one_who_asks(box: Box) -> None:
    assert not is_open(box)
    assert box.run(f"python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", {PORT}))'") == ""
    hardened(box, openings=[{**OPENING, "sources": ["192.0.2.1"]}])
    assert box.done.failure is None
    assert not is_open(box)
    hardened(box, openings=[{**OPENING, "sources": [own_address(box)]}])
    assert box.done.failure is None
    assert is_open(box)


def test_rules_that_would_cut_off_the_session_that_brings_them_are_refused(box: Box) -> None:
    before = box.run("nft list table inet leptonctl; cat /etc/leptonctl/firewall.nft")
    hardened(box, ssh_from=["198.51.100.0/24"])
    assert box.done.failure is not None
    said = " ".join((box.done.failure.message, *box.done.failure.last_lines))
    assert (
        f"the firewall would cut off the SSH session that this run comes by: {own_address(box)} is not in"
        " hardening.ssh_from (198.51.100.0/24); nothing was changed"
    ) in said
    assert box.run("nft list table inet leptonctl; cat /etc/leptonctl/firewall.nft") == before


def test_rules_that_nobody_confirms_are_taken_back_by_the_host_itself(box: Box) -> None:
    before = box.run("nft list table inet leptonctl")
    rules = "table inet leptonctl\\ndelete table inet leptonctl\\ntable inet leptonctl { }\\n"
    assert "applied" in box.run(f"printf '{rules}' | {PROGRAM} apply '' 22")
    assert box.run("nft list table inet leptonctl") != before
    assert "leptonctl-firewall-rollback.timer" in box.run("systemctl list-timers --no-pager")
    # Not waited for: what the timer starts is started now.
    box.run("systemctl start leptonctl-firewall-rollback.service")
    assert box.run("nft list table inet leptonctl") == before
    box.run("test ! -e /run/leptonctl-firewall.before && systemctl stop leptonctl-firewall-rollback.timer")
    assert box.run(f"{PROGRAM} confirm") == "nothing to confirm\n"


def test_rules_that_nftables_does_not_take_change_nothing(box: Box) -> None:
    before = box.run("nft list table inet leptonctl")
    said = box.run(f"echo 'table inet leptonctl {{ nonsense }}' | {PROGRAM} apply '' 22 || :")
    assert said.startswith("nftables does not take these rules: /dev/stdin:1:24-31: Error: syntax error")
    assert box.run("nft list table inet leptonctl") == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        # Not emptied: without its rules the chain drops all, the session of this test too.
        (
            "nft 'add chain inet leptonctl input { policy accept; }'",
            "too much: type filter hook input priority filter; policy accept;",
        ),
        ("nft add rule inet leptonctl input tcp dport 23 accept", "too much: tcp dport 23 accept"),
        ("nft delete table inet leptonctl", "no rule of leptonctl is in force"),
    ],
)
def test_a_rule_that_somebody_changed_by_hand_is_seen_and_put_back(box: Box, change: str, message: str) -> None:
    box.configure("hardening")
    assert box.record().problem is None
    assert box.found() == {}
    box.run(change)
    (found,) = box.found()["hardening"]
    assert message in found
    box.configure("hardening")
    assert box.record().problem is None
    assert box.found() == {}


def test_the_host_tells_what_a_container_cannot_have(box: Box) -> None:
    """Honest: the audit log of the kernel is not a container's, and `verify` says so."""
    failed = [check.message for check in box.look(with_checks=True).checks or () if check.role == "hardening"]
    assert len(failed) == 2
    assert failed[0].startswith("auditd.service is active and enabled: no:")
    assert failed[1].startswith("the audit rules are loaded: no:")


def test_ssh_takes_keys_alone_and_modern_algorithms(box: Box) -> None:
    effective = box.run("sshd -T")
    assert "\npasswordauthentication no\n" in effective
    assert "\npermitrootlogin without-password\n" in effective
    assert "\ngssapiauthentication no\n" in effective
    # What Debian lists for Kerberos has SHA-1 in it, and is not offered.
    assert "\ngssapikeyexchange no\n" in effective
    effective = "".join(line for line in effective.splitlines(keepends=True) if not line.startswith("gssapikex"))
    for old in ("sha1", "cbc", "ssh-rsa,", "group14", "nistp256,ecdh"):
        assert old not in effective.replace("hmac-sha1-96", ""), old


def test_a_package_manager_that_another_process_holds_is_waited_for(box: Box) -> None:
    box.run("apt-get remove --yes auditd")
    box.run(
        "systemd-run --quiet --collect --unit=holder python3 -c 'import fcntl,time;"
        f' f=open("/var/lib/dpkg/lock-frontend","w"); fcntl.lockf(f,fcntl.LOCK_EX); time.sleep({HELD_S})\''
    )
    began = time.monotonic()
    box.configure("hardening")
    assert time.monotonic() - began > HELD_S / 2
    assert re.search(
        r"the package manager is held by python3 \(process \d+\): waiting for it, ten minutes at most", box.last_log()
    )
    box.run("test -x /usr/sbin/auditctl")


def test_a_full_disk_stops_the_role_and_the_rules_of_before_come_back(box: Box) -> None:
    box.configure("hardening")
    assert box.record().problem is None
    before = box.run("nft list table inet leptonctl")
    box.run("cp -a /etc/leptonctl /root/kept && mount -t tmpfs -o size=8k,mode=755 none /etc/leptonctl")
    box.run("cp -a /root/kept/. /etc/leptonctl && head -c 100000 /dev/zero > /etc/leptonctl/full 2>/dev/null || :")
    try:
        hardened(box, openings=[{**OPENING, "sources": [f"192.0.2.{number}" for number in range(1, 200)]}])
        assert box.done.failure is not None
        assert "No space left on device" in " ".join((box.done.failure.message, *box.done.failure.last_lines))
        assert box.run("nft list table inet leptonctl") != before
        # Not waited for: what the timer starts is started now.
        box.run("systemctl start leptonctl-firewall-rollback.service")
        assert box.run("nft list table inet leptonctl") == before
        assert box.run("cat /etc/leptonctl/firewall.nft") == box.run("cat /root/kept/firewall.nft")
    finally:
        box.run("systemctl stop leptonctl-firewall-rollback.timer; umount /etc/leptonctl; rm -rf /root/kept")
    assert box.found() == {}
