from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from leptonctl.hosts.reach import Reply
from leptonctl.planning.desired import Connection
from leptonctl.planning.observed import Endpoint, Reach
from leptonctl.platforms.ssh_facts import look_program, problems_of_facts, problems_of_reply, read_facts
from leptonctl.sitefile.model import Machine
from tests.platforms.sites import location

NOW = 1_800_000_000.5
GOOD = {
    "os_id": "debian",
    "os_version": "12",
    "os_name": "Debian GNU/Linux 12 (bookworm)",
    "python": "3.11",
    "root": "sudo",
    "init": "systemd",
    "cpus": "8",
    "memory_kib": str(16 * 2**20 - 300_000),
    "clock_s": "1800000000",
    "end": "yes",
}
HOST = replace(
    location("core", machine=Machine(cpus=8, memory_gib=16)).hosts[0], connection=Connection("box", user="ops")
)


def complaints(**facts: str) -> list[tuple[str, str | None]]:
    found = problems_of_facts(HOST, GOOD | facts, asked_between=(NOW, NOW))
    assert {problem.where for problem in found} <= {"core/box-1"}
    return [(problem.message, problem.hint) for problem in found]


def test_a_good_host_has_no_problem() -> None:
    assert complaints() == []


@pytest.mark.parametrize(
    ("facts", "message", "hint"),
    [
        (
            {"os_id": "ubuntu", "os_version": "22.04", "os_name": "Ubuntu 22.04.4 LTS"},
            "Ubuntu 22.04.4 LTS is not supported",
            "supported: Debian 12",
        ),
        ({"os_version": "11", "os_name": ""}, "an unknown system is not supported", "supported: Debian 12"),
        ({"init": "sh"}, "its init is sh, not systemd", "use a host that runs systemd"),
        ({"python": ""}, "python3 is not installed", "install it on the host: apt-get install python3"),
        ({"python": "3.8"}, "python3 is 3.8", "leptonctl needs 3.9 or newer on the host"),
        (
            {"root": "no"},
            "user ops cannot become root with sudo without a password",
            "allow it on the host: echo 'ops ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/leptonctl",
        ),
        (
            {"clock_s": "1800000100"},
            "its clock is 100 s ahead of this machine's",
            "set it: run an NTP client there (apt-get install systemd-timesyncd), or correct this machine's clock",
        ),
        (
            {"clock_s": "1799999900"},
            "its clock is 100 s behind this machine's",
            "set it: run an NTP client there (apt-get install systemd-timesyncd), or correct this machine's clock",
        ),
        ({"clock_s": ""}, "its clock could not be read", "see `date` on the host"),
        (
            {"cpus": "4"},
            "it has 4 CPUs, machine.cpus is 8",
            "use a larger machine, or correct `machine` in the site file",
        ),
        (
            {"memory_kib": str(8 * 2**20)},
            "it has 8.0 GiB of memory, machine.memory_gib is 16",
            "use a larger machine, or correct `machine` in the site file",
        ),
        (
            {"memory_kib": ""},
            "it has an unknown amount of memory, machine.memory_gib is 16",
            "use a larger machine, or correct `machine` in the site file",
        ),
    ],
)
def test_each_thing_that_is_wrong_has_its_own_words(facts: dict[str, str], message: str, hint: str) -> None:
    assert complaints(**facts) == [(message, hint)]


def test_all_problems_of_a_host_come_at_once() -> None:
    assert len(complaints(os_version="11", python="", root="no", cpus="1")) == 4


def test_a_clock_within_half_a_minute_is_in_order() -> None:
    assert complaints(clock_s="1800000030") == []
    assert complaints(clock_s="1799999971") == []


def test_a_slow_answer_is_no_wrong_clock() -> None:
    facts = GOOD | {"clock_s": "1800000060"}
    assert problems_of_facts(HOST, facts, asked_between=(NOW, NOW + 40)) == ()


def test_an_answer_that_breaks_off_is_not_taken_for_a_good_one() -> None:
    cut = {name: value for name, value in GOOD.items() if name != "end"}
    (problem,) = problems_of_facts(HOST, cut, asked_between=(NOW, NOW))
    assert problem.message == "the host answered in a way that was not understood"


def test_a_hosts_answer_cannot_carry_terminal_escapes() -> None:
    assert read_facts(b"os_name=\x1b[2JDebian\nend=yes\n") == {"os_name": "?[2JDebian", "end": "yes"}


def test_the_look_runs_in_a_plain_shell_and_answers_for_every_fact() -> None:
    done = subprocess.run(["sh", "-s"], input=look_program(), capture_output=True, check=True)
    facts = read_facts(done.stdout)
    assert facts.keys() == GOOD.keys()
    assert done.stderr == b""


WAY = Endpoint("box.example.com", port=2222, user="ops", known_hosts=Path("/site/known"))


@pytest.mark.parametrize(
    ("reach", "detail", "way", "rule", "hint"),
    [
        (
            Reach.UNREACHABLE,
            "box port 22: connection refused",
            WAY,
            "ssh.reach",
            "is sshd running there, and on this port (ssh.port)?",
        ),
        (
            Reach.UNREACHABLE,
            "box port 22: the name is not known to DNS",
            WAY,
            "ssh.reach",
            "correct the host's name, or set its `address`",
        ),
        (
            Reach.UNREACHABLE,
            "box port 22: no answer within 20 s",
            WAY,
            "ssh.reach",
            "is the host up, and is the way to it open (firewall, VPN, ssh.jump)?",
        ),
        (
            Reach.PERMISSION_DENIED,
            "box port 22: user ops refused with key k",
            WAY,
            "ssh.login",
            "set ssh.user and ssh.key, or let your key in: ssh-copy-id -p 2222 ops@box.example.com",
        ),
        (
            Reach.HOST_KEY_UNKNOWN,
            "box port 22: host key SHA256:x is not known",
            replace(WAY, port=22, known_hosts=None),
            "ssh.host_key",
            (
                "nothing was sent to it; compare with what `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` says on "
                "its "
                "console, then: ssh-keyscan box.example.com >> ~/.ssh/known_hosts; or set host_key in the site file"
            ),
        ),
        (
            Reach.HOST_KEY_CHANGED,
            "box port 22: host key changed: it is SHA256:a, should be SHA256:b",
            WAY,
            "ssh.host_key",
            (
                "nothing was sent to it; only if you know that the host was installed anew: "
                "ssh-keygen -R '[box.example.com]:2222' -f /site/known, then add its new key"
            ),
        ),
        (
            Reach.HOST_KEY_CHANGED,
            "box port 22: host key changed: it is SHA256:a, should be SHA256:b",
            replace(WAY, host_keys=("ssh-ed25519 AAAA",)),
            "ssh.host_key",
            (
                "nothing was sent to it; only if you know that the host was installed anew: "
                "correct host_key in the site file"
            ),
        ),
    ],
)
def test_each_way_not_to_reach_a_host_has_its_own_hint(
    reach: Reach, detail: str, way: Endpoint, rule: str, hint: str
) -> None:
    (problem,) = problems_of_reply(Reply("core/box-1", reach, detail=detail), way, is_pinned=bool(way.host_keys))
    assert (problem.rule, problem.message, problem.hint, problem.where) == (rule, detail, hint, "core/box-1")
