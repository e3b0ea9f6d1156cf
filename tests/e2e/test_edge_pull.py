"""An edge box that pulls its state: it ends byte for byte as after a push, and takes nothing that is forged or stale.

Real hosts: the tunnel, the gateway that serves, the agent with its own Ansible. The box is configured by push once, as
it has to be, then a change comes to it by push and, after it was taken back, the same change by pull.
"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.local_site import Site

pytestmark = [pytest.mark.hosts, pytest.mark.matrix]

GATE, BOX = "regions/west/gate-1", "edges/shop/box-1"
AGENT = "/usr/local/lib/leptonctl/agent"
SERVED = "/var/lib/leptonctl-states/edges.shop.box-1.tar.gz"
# The machine's watchdog is none in a container, and the check says so.
NO_WATCHDOG = "the machine's watchdog is armed: no:"
TEXT = """\
software:
  base: {{timezone: {timezone}}}
  edge: {{signer: "{signer}", pull_minutes: 1440}}
core: {{platform: local}}
regions:
  west:
    platform: local
    nodes:
      gate: {{count: 1, roles: [base, monitoring_agent, monitoring_server, edge_gateway]}}
edges:
  shop:
    platform: local
    parent: west
    nodes:
      box: {{count: 1, roles: [base, monitoring_agent, edge]}}
"""


class Edge:
    """The site, and what its file says now."""

    def __init__(self, site: Site, key: Path) -> None:
        self.site, self.key = site, key
        self.head = "".join(site.file.read_text().splitlines(keepends=True)[:2])

    def want(self, timezone: str) -> None:
        signer = self.key.with_suffix(".pub").read_text().strip()
        self.site.file.write_text(self.head + TEXT.format(timezone=timezone, signer=signer))

    def up(self) -> None:
        done = self.site.up("--only", BOX) if self.site.objects() else self.site.up()
        assert done.exit_code == 0, done.stdout + done.stderr

    def publish(self) -> dict[str, Any]:
        done = self.site.run("publish", "--key", str(self.key))
        assert done.exit_code == 0, done.stdout + done.stderr
        (found,) = done.result["data"]["published"]
        return dict(found)

    def agent(self) -> tuple[int, str]:
        command = ["podman", "exec", self.site.container(BOX), AGENT]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.strip() + done.stderr

    def state(self) -> tuple[str, dict[str, str]]:
        """The manifest, and every file that it names by its digest and rights."""
        manifest = self.site.on(BOX, "cat", "/var/lib/leptonctl/manifest.json")
        roles = json.loads(manifest)["roles"].values()
        paths = sorted({one["path"] for role in roles for one in role["entries"] if one["kind"] == "file"})
        rights = self.site.on(BOX, "stat", "--format=%n %a %U %G", *paths).splitlines()
        digests = self.site.on(BOX, "sha256sum", *paths).splitlines()
        return manifest, dict(zip(rights, digests, strict=True))


@pytest.fixture(scope="module")
def edge(make_site: Callable[[str, str], Site], tmp_path_factory: pytest.TempPathFactory) -> Edge:
    key = tmp_path_factory.mktemp("publisher") / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "publisher", "-f", str(key)], check=True)
    made = Edge(make_site("pull", "core: {platform: local}\n"), key)
    made.want("Etc/UTC")
    made.up()
    return made


def test_all_holds_but_the_watchdog_that_a_container_does_not_have(edge: Edge) -> None:
    proof = edge.site.run("verify")
    told = [message for _, message in proof.problems() if NO_WATCHDOG not in message]
    assert (proof.exit_code, told) == (6, [])


def test_the_keys_of_both_ends_are_their_own_and_stay_there(edge: Edge) -> None:
    keys = {host: edge.site.on(host, "cat", "/etc/wireguard/lepton.key").strip() for host in (GATE, BOX)}
    assert len(set(keys.values())) == 2
    for key in keys.values():
        assert all(key.encode() not in file.read_bytes() for file in edge.site.file.parent.rglob("*") if file.is_file())


def test_a_box_that_pulls_ends_byte_for_byte_as_one_that_was_pushed(edge: Edge) -> None:
    edge.want("Europe/Vienna")
    edge.up()
    pushed = edge.state()
    edge.want("Etc/UTC")
    edge.up()
    assert edge.state() != pushed
    edge.want("Europe/Vienna")
    published = edge.publish()
    code, said = edge.agent()
    assert (code, said.partition(" (")[0]) == (0, f"state {published['serial']}"), said
    assert edge.state() == pushed
    assert edge.agent() == (0, f"nothing newer than {published['serial']}")


def test_state_that_was_changed_on_its_way_or_is_stale_changes_nothing(edge: Edge) -> None:
    before = edge.state()
    edge.site.on(GATE, "cp", SERVED, "/root/kept.tar.gz")
    edge.site.on(GATE, "cp", f"{SERVED}.sig", "/root/kept.tar.gz.sig")
    edge.want("Asia/Tokyo")
    edge.publish()
    edge.site.on(GATE, "truncate", "--size=-9", SERVED)
    code, said = edge.agent()
    assert (code, said.startswith("refused: it is not signed by who may publish")) == (7, True), said
    # A push is newer than what was published before it.
    edge.want("Europe/Vienna")
    edge.site.on(GATE, "cp", "/root/kept.tar.gz", SERVED)
    edge.site.on(GATE, "cp", "/root/kept.tar.gz.sig", f"{SERVED}.sig")
    edge.site.on(BOX, "rm", "/var/lib/leptonctl/pulled/serial")
    code, said = edge.agent()
    assert (code, said.startswith("refused: it is stale: it was published at")) == (7, True), said
    assert edge.state() == before


def test_another_key_publishes_nothing(edge: Edge, tmp_path: Path) -> None:
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)], check=True)
    refused = edge.site.run("publish", "--key", str(other))
    assert refused.exit_code == 7
    assert refused.problems() == [(BOX, "it takes state of another signer than this key")]
