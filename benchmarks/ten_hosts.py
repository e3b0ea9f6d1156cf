"""Ten real local hosts with all roles of the demo site: what benchmarks of configuring them are run on.

One host watches the others, as the demo's core; all are in one location, so that nobody waits for an earlier tier.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness import CommandFailed, tool
from leptonctl.hosts.inventory import inventory, write_inventory
from leptonctl.hosts.openssh import known_hosts_text
from leptonctl.platforms.local_observe import find
from leptonctl.platforms.podman import find_podman
from leptonctl.progress import silent
from leptonctl.session import open_session
from leptonctl.stages.looking import look_at_platforms, targets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.hosts.target import Target
    from leptonctl.platforms.podman import Container
    from leptonctl.session import Session

SITE = f"bench-ten-{os.getpid()}"
# Fewer for a quick look at the benchmark itself; what is judged is judged with ten.
HOSTS = int(os.environ.get("HOSTS", "10"))
PLAIN = Path(__file__).with_name("plain_playbook")
_LOOK = Path(__file__).with_name("end_state.sh")
_CGROUPS = Path("/sys/fs/cgroup")
_SITE_FILE = f"""\
site: {SITE}
owner: bench@example.com
software: {{container_runtime: {{snapshotter: native}}}}
core:
  platform: local
  nodes:
    control: {{count: 1, roles: [base, container_runtime, monitoring_agent, monitoring_server]}}
    box: {{count: {HOSTS - 1}, roles: [base, container_runtime, monitoring_agent]}}
"""


@dataclass(frozen=True, slots=True)
class TenHosts:
    """Hosts that run. `sockets` is a folder for SSH's kept connections."""

    session: Session
    sockets: Path

    @property
    def up(self) -> list[str]:
        """The command that brings them up with leptonctl."""
        return [tool("leptonctl"), "up", str(self.session.site_dir / "site.yaml"), "--yes", "--output", "json"]

    def targets(self) -> tuple[Target, ...]:
        """The hosts with their roles, as leptonctl hands them on."""
        return targets(self.session, look_at_platforms(self.session).observed, self.session.desired)

    def playbook(self, playbook: Path) -> list[str]:
        """The command that brings them up with a playbook, told of the same hosts and settings."""
        aims = self.targets()
        known_hosts = self.session.site_dir / "known_hosts"
        known_hosts.write_text(known_hosts_text(aim.endpoint for aim in aims))
        data = inventory(aims, known_hosts=known_hosts, control_dir=self.sockets)
        script = write_inventory(data, self.session.site_dir / "inventory")
        return [tool("ansible-playbook"), "-i", str(script), str(playbook)]

    def containers(self) -> tuple[Container, ...]:
        """The containers that are the hosts."""
        return find(find_podman(), SITE, "core").containers

    def cpu_s(self) -> float:
        """CPU seconds that the hosts have used since they were made."""
        return sum(_cpu_s(container.cgroup_path.strip("/")) for container in self.containers())

    def end_state(self) -> dict[str, str]:
        """What each host is, by its name, asked without leptonctl; raises where two of the equal hosts differ."""
        podman = find_podman()
        program = _LOOK.read_bytes()
        found = {
            container.name.rpartition(".")[2]: podman.text("exec", "-i", container.id, "sh", "-s", stdin=program)
            for container in self.containers()
        }
        digests = {hashlib.sha256(text.encode()).hexdigest() for name, text in found.items() if "box" in name}
        if len(found) != HOSTS or len(digests) != 1:
            raise CommandFailed(f"the end states of the hosts differ: {len(found)} hosts, {len(digests)} states")
        return found


@contextmanager
def ten_hosts() -> Iterator[TenHosts]:
    """Ten fresh hosts until the end of the block; the site's folder goes with them."""
    with tempfile.TemporaryDirectory(prefix="lb") as place:
        folder = Path(place)
        sockets = folder / "s"
        sockets.mkdir(mode=0o700)
        file = folder / "site.yaml"
        file.write_text(_SITE_FILE)
        session = open_session(file, environ={})
        (location,) = session.desired.locations
        platform = session.platform("local")
        try:
            platform.ensure(location, silent)
            yield TenHosts(session, sockets)
        finally:
            platform.destroy(location.address, delete_data=frozenset({"all"}), report=silent)


def _cpu_s(cgroup: str) -> float:
    usage = _CGROUPS / "cpuacct" / cgroup / "cpuacct.usage"
    if usage.exists():
        return int(usage.read_text()) / 1e9
    words = (_CGROUPS / cgroup / "cpu.stat").read_text().split()
    return int(words[words.index("usage_usec") + 1]) / 1e6
