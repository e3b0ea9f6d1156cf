"""The first configuration of ten fresh local hosts: `leptonctl up` against a plain `ansible-playbook`, wall time.

The peer has the same roles as a usual playbook writes them (`plain_playbook/`): a task for each module, an apt task a
role, facts gathered, pipelining, as many forks as hosts. Hosts are made anew for every run and are not part of what is
measured. After each run all hosts have to be in the very same end state, asked by `end_state.sh`.

ROUNDS=1 and HOSTS=2 for a quick look. MEASURES=1 shows once, on top, what each measure alone gives.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness import CommandFailed, Run, medians, print_table, run, verdict
from leptonctl.hosts.published import state_archive
from leptonctl.hosts.reach import Request
from leptonctl.hosts.ssh import run_all
from leptonctl.platforms.image import ensure_image, read_recipe
from leptonctl.platforms.podman import find_podman
from leptonctl.progress import silent
from ten_hosts import PLAIN, SITE, ten_hosts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ten_hosts import TenHosts

GOAL = 0.5
ROUNDS = int(os.environ.get("ROUNDS", "5"))
OURS = "leptonctl up"
PEER = "ansible-playbook, pipelining, forks 10"
_OWN = PLAIN.parent.parent / "playbooks"
_PLAIN_CONFIG = {"ANSIBLE_CONFIG": str(PLAIN / "ansible.cfg")}
_OWN_CONFIG = {"ANSIBLE_CONFIG": str(_OWN / "ansible.cfg"), "ANSIBLE_FORKS": "10"}
_BARE = Path(__file__).with_name("bare_packages.sh")
# The libraries of Ansible, as the role edge brings them.
_ON_HOST = """\
sh -ec 'mkdir /run/on-host && tar --extract --gzip --directory /run/on-host
DEBIAN_FRONTEND=noninteractive; export DEBIAN_FRONTEND
apt-get -qq update </dev/null
apt-get -qq --no-install-recommends install python3-jinja2 python3-yaml python3-packaging python3-resolvelib \
  python3-cryptography </dev/null
exec python3 -I /run/on-host/leptonctl/hosts/pulled.py /run/on-host'
"""


def main() -> int:
    """Measure and judge."""
    ensure_image(find_podman(), read_recipe(), silent, "core")
    contenders = {OURS: _ours, PEER: _plain}
    if os.environ.get("MEASURES"):
        contenders |= _MEASURES
    runs: dict[str, list[Run]] = {name: [] for name in contenders}
    states: list[dict[str, str]] = []
    for number in range(ROUNDS):
        for name, configure in contenders.items():
            if number > 0 and name in _MEASURES:
                continue
            with ten_hosts() as hosts:
                runs[name].append(_measured(hosts, configure))
                if name not in _ENDS_ELSEWHERE:
                    states.append(hosts.end_state())
            print(f"round {number + 1}: {name}: {runs[name][-1].wall_s:.1f} s", file=sys.stderr)
    measured = {name: medians(of_one) for name, of_one in runs.items()}
    print("CPU s is that of the controller and of all hosts together.")
    print_table(measured)
    if any(state != states[0] for state in states):
        raise CommandFailed("the ways to configure a host do not lead to the same end state")
    return verdict(measured[OURS].wall_s / measured[PEER].wall_s, GOAL)


def _measured(hosts: TenHosts, configure: Callable[[TenHosts], Run]) -> Run:
    """The run, with the hosts' CPU time in its own."""
    before = hosts.cpu_s()
    done = configure(hosts)
    return replace(done, cpu_s=done.cpu_s + hosts.cpu_s() - before)


def _ours(hosts: TenHosts) -> Run:
    return run(hosts.up)


def _plain(hosts: TenHosts, playbook: str = "site.yml", **environment: str) -> Run:
    return run(hosts.playbook(PLAIN / playbook), env={**_PLAIN_CONFIG, **environment})


def _own_playbook(hosts: TenHosts) -> Run:
    return run(hosts.playbook(_OWN / "site.yml"), env=_OWN_CONFIG)


def _unsafe(hosts: TenHosts) -> Run:
    """As ours, with dpkg told not to wait for the disk: after a crash packages may be damaged, so it is no default."""
    _on_each(hosts, b"echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/unsafe\n")
    done = _ours(hosts)
    _on_each(hosts, b"rm /etc/dpkg/dpkg.cfg.d/unsafe\n")
    return done


def _on_hosts(hosts: TenHosts) -> Run:
    """Ansible on each host itself: what `leptonctl publish` makes of the host, sent there and run as a box runs it."""
    began, used = time.perf_counter(), time.process_time()
    _ask(
        Request(aim.address, aim.endpoint, _ON_HOST, state_archive(aim, recorded=aim, site=SITE, serial=1))
        for aim in hosts.targets()
    )
    return Run(wall_s=time.perf_counter() - began, cpu_s=time.process_time() - used, peak_mib=0)


def _on_each(hosts: TenHosts, program: bytes) -> None:
    _ask(Request(aim.address, aim.endpoint, "sh -es", program) for aim in hosts.targets())


def _ask(requests: Iterable[Request]) -> None:
    for reply in run_all(list(requests), timeout_s=900).values():
        if reply.exit_status != 0:
            raise CommandFailed(f"{reply.address}: {reply.detail or reply.stderr.decode()}")


def _bare(hosts: TenHosts) -> Run:
    began, used = time.perf_counter(), time.process_time()
    _on_each(hosts, _BARE.read_bytes())
    return Run(wall_s=time.perf_counter() - began, cpu_s=time.process_time() - used, peak_mib=0)


_ALONE = "leptonctl's playbook, by an Ansible on each host"
_FLOOR = "packages by a shell script, nothing else"
# One has Ansible's libraries too, the other no settings.
_ENDS_ELSEWHERE = {_ALONE, _FLOOR}
_MEASURES: dict[str, Callable[[TenHosts], Run]] = {
    "peer, no facts": lambda hosts: _plain(hosts, ANSIBLE_GATHERING="explicit"),
    "peer, no facts, strategy free": lambda hosts: _plain(hosts, ANSIBLE_GATHERING="explicit", ANSIBLE_STRATEGY="free"),
    "peer, no facts, free, one apt transaction": lambda hosts: _plain(
        hosts, "packages_first.yml", ANSIBLE_GATHERING="explicit", ANSIBLE_STRATEGY="free"
    ),
    "leptonctl's playbook, by ansible-playbook": _own_playbook,
    "leptonctl up, dpkg with force-unsafe-io": _unsafe,
    _ALONE: _on_hosts,
    _FLOOR: _bare,
}


if __name__ == "__main__":
    sys.exit(main())
