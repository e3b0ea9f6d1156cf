"""An edge box and the gateway of its region: state that is pulled, what comes and goes by the tunnel, both taken off.

Real hosts: the tunnel, the gateway that serves, the agent with its own Ansible. The box is configured by push once, as
it has to be, then a change comes to it by push and, after it was taken back, the same change by pull: it ends byte for
byte the same, and takes nothing that is forged or stale.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.local_site import Site

pytestmark = [pytest.mark.hosts, pytest.mark.matrix]

STATE_OF_UPLOAD = ("systemctl", "show", "--property=ActiveState", "--value", "systemd-journal-upload.service")
GATE, BOX = "regions/west/gate-1", "edges/shop/box-1"
AGENT = "/usr/local/lib/leptonctl/agent"
SERVED = "/var/lib/leptonctl-states/edges.shop.box-1.tar.gz"
# The machine's watchdog is none in a container, and the check says so.
JOURNALS = "/var/log/journal/remote"
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


def python(edge: Edge, host: str, *arguments: str) -> str:
    """What a program beside this file prints on a host."""
    program, *rest = arguments
    text = (Path(__file__).parent / "edge_asks" / program).read_text()
    return edge.site.on(host, "python3", "-c", text, *rest).strip()


def there(edge: Edge, host: str, *paths: str) -> list[str]:
    """Those of the paths that are on a host."""
    return edge.site.on(host, "sh", "-c", 'for one; do [ ! -e "$one" ] || echo "$one"; done', "sh", *paths).split()


def test_packages_come_by_the_cache_of_the_region_while_it_answers(edge: Edge) -> None:
    ask = "/usr/local/lib/leptonctl/apt_proxy"
    assert edge.site.on(BOX, ask).strip() == "http://10.213.0.1:3142"
    edge.site.on(BOX, "sh", "-c", "cd /tmp && apt-get -q download hello")
    kept = edge.site.on(GATE, "find", "/var/cache/apt-cacher-ng", "-name", "hello_*.deb")
    assert len(kept.splitlines()) == 1
    edge.site.on(GATE, "systemctl", "stop", "apt-cacher-ng.service")
    assert edge.site.on(BOX, ask).strip() == "DIRECT"
    edge.site.on(BOX, "sh", "-c", "cd /tmp && rm hello_*.deb && apt-get -q download hello")
    edge.site.on(GATE, "systemctl", "start", "apt-cacher-ng.service")


def test_what_was_pushed_to_the_image_cache_is_given_to_boxes(edge: Edge) -> None:
    content = "a layer"
    digest = f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"
    python(edge, GATE, "push_layer.py", "http://10.213.0.1:5000", "vision/predict", content)
    assert python(edge, BOX, "pull_layer.py", "http://10.213.0.1:5000", "vision/predict", digest) == content


def test_a_box_has_the_time_of_its_region_also_without_the_internet(edge: Edge) -> None:
    route = edge.site.on(GATE, "ip", "route", "show", "default").split()
    edge.site.on(GATE, "ip", "route", "del", "default")
    try:
        told = float(python(edge, BOX, "ask_time.py", "10.213.0.1"))
    finally:
        edge.site.on(GATE, "ip", "route", "add", *route)
    assert abs(told - time.time()) < 5


def test_the_journal_of_a_box_whose_way_was_cut_comes_whole_and_in_its_order(edge: Edge) -> None:
    def told() -> list[str]:
        found = edge.site.on(GATE, "journalctl", f"--directory={JOURNALS}", "--identifier=cut", "--output=cat")
        return [line for line in found.splitlines() if line.startswith("line ")]

    edge.site.on(BOX, "logger", "--tag=cut", "line 0")
    wait_until(lambda: told() == ["line 0"], limit_s=60)
    # The gateway takes none for longer than a try of the box lasts.
    edge.site.on(GATE, "systemctl", "stop", "systemd-journal-remote.socket", "systemd-journal-remote.service")
    for number in range(1, 21):
        edge.site.on(BOX, "logger", "--tag=cut", f"line {number}")
    wait_until(lambda: edge.site.on(BOX, *STATE_OF_UPLOAD).strip() != "active", limit_s=60)
    assert told() == ["line 0"]
    edge.site.on(GATE, "systemctl", "start", "systemd-journal-remote.socket")
    wait_until(lambda: "line 20" in told(), limit_s=120)
    # It goes on where it knows that it was taken: what was on its way when the gateway went may come twice.
    assert list(dict.fromkeys(told())) == [f"line {number}" for number in range(21)]


def test_taken_off_both_leave_no_tunnel_no_key_and_no_timer_and_what_they_kept_stays(edge: Edge) -> None:
    lines = [line for line in edge.site.file.read_text().splitlines() if "signer:" not in line]
    text = "\n".join(lines).replace(", edge_gateway]", "]").replace(", edge]", "]")
    edge.site.file.write_text(text + "\n")
    done = edge.site.up()
    assert done.exit_code == 0, done.stdout + done.stderr
    for host in (GATE, BOX):
        gone = (
            "/etc/wireguard/lepton.key",
            "/etc/wireguard/lepton.conf",
            "/etc/wireguard/lepton.peers",
            "/sys/class/net/lepton",
        )
        assert there(edge, host, *gone) == []
        assert "wireguard" not in edge.site.on(host, "ps", "-e", "-o", "args")
        assert "lepton" not in edge.site.on(
            host, "systemctl", "list-units", "--all", "--plain", "wg-quick*", "lepton-*"
        )
    assert there(edge, BOX, "/var/lib/leptonctl/pulled", "/etc/leptonctl/signers", AGENT) == []
    for kept in ("/var/cache/apt-cacher-ng", "/var/lib/docker-registry", JOURNALS):
        assert edge.site.on(GATE, "find", kept, "-mindepth", "1", "-type", "f") != ""
    proof = edge.site.run("verify")
    assert (proof.exit_code, proof.problems()) == (0, [])
