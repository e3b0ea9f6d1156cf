"""Makes a site of simulated hosts: keys, a site file, a manifest on each host, and what the controller knows of them.

The hosts are of the platform `ssh`, in regions of a hundred. The manifests are written by the real program of the
hosts; each role of it has one file. See `simulated_hosts.py` for what is simulated and what is not.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import asyncssh

from leptonctl.hosts.manifest import role_source
from leptonctl.hosts.remote import host_side
from leptonctl.record.known import KnownHost, write_known
from leptonctl.session import open_session
from simulated_hosts import CLIENT_KEY, HOST_KEY, HOSTS, MANIFEST, READY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from leptonctl.planning.desired import DesiredHost

PORT = 20022
SITE = "bench-simulated"
_HOSTS_A_REGION = 100
_RECORDED = "2026-01-01T00:00:00+00:00"
_SERVER = Path(__file__).with_name("simulated_hosts.py")


@dataclass(frozen=True, slots=True)
class Connections:
    """How often each host was connected to, by its address, and how many connections were open at once at the most."""

    by_host: Mapping[str, int]
    most_at_once: int

    @property
    def count(self) -> int:
        """All of them."""
        return sum(self.by_host.values())

    @property
    def most_of_one_host(self) -> int:
        """How often the host was connected to that was most."""
        return max(self.by_host.values(), default=0)


@dataclass(frozen=True, slots=True)
class SimulatedSite:
    """A site file whose hosts are simulated, with the pipe to the process that plays them."""

    file: Path
    folder: Path
    asking: IO[str]
    answering: IO[str]

    def host_folder(self, number: int) -> Path:
        """The folder that stands for the disk of host number 0, 1, ..."""
        return self.folder / f"host-{number:04d}"

    def connections(self) -> Connections:
        """The connections since the last time this was asked."""
        print("counts", file=self.asking, flush=True)
        return Connections(**json.loads(self.answering.readline()))


@contextmanager
def simulated_site(folder: Path, count: int, *, more: str = "", port: int = PORT) -> Iterator[SimulatedSite]:
    """A site of `count` hosts that are in order and can be reached, until the end of the block.

    `more` is added to the end of the site file. The hosts' addresses are 127.77.x.y, all with the same port.
    """
    hosts = [folder / f"host-{number:04d}" for number in range(count)]
    _write_key(folder / CLIENT_KEY)
    public_keys = [_made_host(host) for host in hosts]
    file = folder / "site.yaml"
    file.write_text("".join(_site_lines(public_keys, port)) + more, encoding="utf-8")
    session = open_session(file, environ={})
    simulated = [
        (location.address, host) for location in session.desired.locations for host in location.hosts if host.connection
    ]
    known: dict[str, dict[str, KnownHost]] = {}
    for (location, desired), place in zip(simulated, hosts, strict=True):
        known.setdefault(location, {})[desired.address] = KnownHost(_recorded_digest(desired, place), _RECORDED)
    for location, digests in known.items():
        write_known(session.state_dir, location, digests)
    listed = [
        {"address": host.address, "hostname": _hostname(number), "folder": hosts[number].name}
        for number, (_, host) in enumerate(simulated)
    ]
    (folder / HOSTS).write_text(json.dumps({"port": port, "hosts": listed}), encoding="utf-8")
    command = [sys.executable, str(_SERVER), str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None  # noqa: S101 - both are pipes, see the line above
        assert server.stdout is not None  # noqa: S101 - the same
        try:
            if server.stdout.readline().strip() != READY:
                raise RuntimeError("the simulated hosts did not start; their own words are above")
            yield SimulatedSite(file, folder, server.stdin, server.stdout)
        finally:
            server.stdin.close()


def _site_lines(public_keys: list[str], port: int) -> Iterator[str]:
    yield f"site: {SITE}\nowner: bench@example.com\ncore: {{platform: ssh}}\nregions:\n"
    for number, public_key in enumerate(public_keys):
        if number % _HOSTS_A_REGION == 0:
            yield (
                f"  r{number // _HOSTS_A_REGION}:\n"
                f"    platform: ssh\n"
                f"    ssh: {{user: root, port: {port}, key: {CLIENT_KEY}}}\n"
                f"    nodes:\n"
                f"      box:\n"
                f"        roles: [base, container_runtime, monitoring_agent]\n"
                f"        hosts:\n"
            )
        yield f"          - {{name: box-{number:04d}, address: {_hostname(number)}, host_key: {public_key}}}\n"


def _hostname(number: int) -> str:
    return f"127.77.{number // 250}.{number % 250 + 1}"


def _made_host(folder: Path) -> str:
    """Make a host's folder and key; give its public key."""
    folder.mkdir()
    return _write_key(folder / HOST_KEY)


def _write_key(path: Path) -> str:
    key = asyncssh.generate_private_key("ssh-ed25519")
    path.write_bytes(key.export_private_key())
    path.chmod(0o600)
    public = " ".join(key.export_public_key().decode().split()[:2])
    path.with_name(f"{path.name}.pub").write_text(public + "\n")
    return public


def _recorded_digest(host: DesiredHost, folder: Path) -> str:
    """Let the real program write the host's manifest; give its digest."""
    roles: dict[str, object] = {}
    for role in host.roles:
        file = folder / f"{role.name}.conf"
        file.write_text(f"# settings of {role.name} on {host.address}\n")
        file.chmod(0o644)
        roles[role.name] = {
            "source": role_source(role.name),
            "settings": json.loads(json.dumps(dict(role.settings))),
            "entries": [{"kind": "file", "path": str(file), "mode": "0644"}],
            "not_observed": [],
        }
    host_side.MANIFEST = folder / MANIFEST
    request = {"do": "record", "address": host.address, "digest": None, "keep": list(roles), "roles": roles}
    written = host_side.record(request)
    digest: str = written["digest"]
    return digest
