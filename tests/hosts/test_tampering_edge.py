"""What the roles of both ends of a tunnel manage, changed by hand: told alone, under its role, and mended."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import pytest

from leptonctl.hosts.signing import public_key
from leptonctl.planning.observed import RoleState
from leptonctl.stages.tunnelling import KEY_SETTING
from tests.hosts.box import Box, fresh_boxes, role
from tests.hosts.edge_box import told
from tests.hosts.tampering import Change, Round, hold

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.hosts, pytest.mark.matrix]

BOX: Literal["edge"] = "edge"
GATEWAY: Literal["edge_gateway"] = "edge_gateway"
PROGRAMS = "/usr/local/lib/leptonctl"
TUNNEL = "wg-quick@lepton.service"
JOURNALS = "systemd-journal-remote.socket"
UNITS = "/etc/systemd/system"
LET_IN = "its boxes are let in, and nobody else: no: exit 1: "
EVE = "E" * 42 + "A="
STRANGER = f"wg set lepton peer {EVE} allowed-ips 10.213.9.9/32"
IN_TUNNEL = "10.213.0.7"


def drop_in(unit: str) -> str:
    """A command that puts something over a unit."""
    return (
        f"printf '[Unit]\\nDocumentation=man:eve(1)\\n' | install -D -m 0644 /dev/stdin {UNITS}/{unit}.d/x.conf"
        " && systemctl daemon-reload"
    )


BOX_ROUNDS = {
    "files of the tunnel, the journal and the time": Round(
        (
            Change(BOX, "/etc/wireguard/lepton.conf: content changed", "echo >> /etc/wireguard/lepton.conf"),
            Change(BOX, "/etc/wireguard/lepton.key: mode 0644, should be 0600", "chmod 0644 /etc/wireguard/lepton.key"),
            Change(
                BOX, "/etc/systemd/journal-upload.conf: content changed", "echo >> /etc/systemd/journal-upload.conf"
            ),
            Change(
                BOX,
                "/etc/systemd/timesyncd.conf.d/leptonctl.conf is missing",
                "rm /etc/systemd/timesyncd.conf.d/leptonctl.conf",
            ),
            Change(BOX, "/etc/apt/apt.conf.d/62leptonctl-edge is missing", "rm /etc/apt/apt.conf.d/62leptonctl-edge"),
            Change(
                BOX, "/etc/leptonctl/package-cache.json: content changed", "echo >> /etc/leptonctl/package-cache.json"
            ),
            Change(BOX, "/etc/prometheus/agent.yml: content changed", "echo >> /etc/prometheus/agent.yml"),
            Change(BOX, "package wireguard-tools is marked hold, should be install", "apt-mark hold wireguard-tools"),
            Change(
                BOX,
                "unit systemd-journal-upload.service is disabled, should be enabled",
                "systemctl disable systemd-journal-upload.service",
            ),
        )
    ),
    "who may sign, and the agent": Round(
        (
            Change(
                BOX,
                "/etc/leptonctl/signers: content changed",
                "echo 'leptonctl ssh-ed25519 AAAA eve' >> /etc/leptonctl/signers",
            ),
            Change(BOX, "/etc/leptonctl/agent.json: mode 0666, should be 0644", "chmod 0666 /etc/leptonctl/agent.json"),
            Change(BOX, f"{PROGRAMS}/agent: content changed", f"echo >> {PROGRAMS}/agent"),
            Change(
                BOX,
                f"{UNITS}/lepton-agent.service: content changed",
                f"echo >> {UNITS}/lepton-agent.service && systemctl daemon-reload",
            ),
            Change(BOX, "unit lepton-agent.timer is stopped, should be running", "systemctl stop lepton-agent.timer"),
        )
    ),
    "what was put over ours": Round(
        (
            Change(
                BOX,
                f"unit prometheus.service has an extra drop-in {UNITS}/prometheus.service.d/x.conf",
                drop_in("prometheus.service"),
            ),
            Change(BOX, f"unit {TUNNEL} has an extra drop-in {UNITS}/{TUNNEL}.d/x.conf", drop_in(TUNNEL)),
            Change(
                BOX,
                f"unit lepton-agent.timer has an extra drop-in {UNITS}/lepton-agent.timer.d/x.conf",
                drop_in("lepton-agent.timer"),
            ),
        )
    ),
    "a tunnel that was stopped": Round(
        (Change(BOX, f"unit {TUNNEL} is stopped, should be running", f"systemctl stop {TUNNEL}"),)
    ),
    "a tunnel that may not start": Round((Change(BOX, f"unit {TUNNEL} is masked", f"systemctl mask {TUNNEL}"),)),
    "a key that others put there": Round(
        (
            Change(
                BOX,
                "/etc/wireguard/lepton.key: content changed",
                "wg genkey > /etc/wireguard/lepton.key",
            ),
        )
    ),
}

GATEWAY_ROUNDS = {
    "files of what is served": Round(
        (
            Change(
                GATEWAY,
                "/etc/apt-cacher-ng/zz_leptonctl.conf: content changed",
                "echo >> /etc/apt-cacher-ng/zz_leptonctl.conf",
            ),
            Change(GATEWAY, "/etc/docker/registry/config.yml is missing", "rm /etc/docker/registry/config.yml"),
            Change(
                GATEWAY,
                "/etc/chrony/conf.d/leptonctl.conf: content changed",
                "echo >> /etc/chrony/conf.d/leptonctl.conf",
            ),
            Change(GATEWAY, "/etc/default/chrony: mode 0666, should be 0644", "chmod 0666 /etc/default/chrony"),
            Change(
                GATEWAY,
                f"{UNITS}/leptonctl-states.service: content changed",
                f"echo >> {UNITS}/leptonctl-states.service && systemctl daemon-reload",
            ),
            Change(
                GATEWAY,
                f"{UNITS}/systemd-journal-remote.socket.d/leptonctl.conf is missing",
                f"rm {UNITS}/systemd-journal-remote.socket.d/leptonctl.conf && systemctl daemon-reload",
            ),
            Change(
                GATEWAY,
                "/var/lib/leptonctl-states: mode 0777, should be 0755",
                "chmod 0777 /var/lib/leptonctl-states",
            ),
            Change(GATEWAY, f"{PROGRAMS}/boxes: mode 0777, should be 0755", f"chmod 0777 {PROGRAMS}/boxes"),
            Change(GATEWAY, "package chrony is marked hold, should be install", "apt-mark hold chrony"),
        )
    ),
    "what stopped, and what was put over ours": Round(
        (
            Change(
                GATEWAY,
                "unit docker-registry.service is stopped, should be running",
                "systemctl stop docker-registry.service",
            ),
            Change(
                GATEWAY,
                "unit apt-cacher-ng.service is disabled, should be enabled",
                "systemctl disable apt-cacher-ng.service",
            ),
            Change(
                GATEWAY,
                "unit chrony.service is masked",
                "systemctl mask --now --quiet chrony.service",
            ),
            Change(
                GATEWAY,
                f"unit {JOURNALS} has an extra drop-in {UNITS}/{JOURNALS}.d/x.conf",
                drop_in(JOURNALS),
            ),
        )
    ),
    "a stranger in the tunnel": Round(
        (Change(GATEWAY, f"{LET_IN}{EVE} is let in as 10.213.9.9/32, and is no box of the site", STRANGER),)
    ),
    "a stranger who comes in at the next start": Round(
        (
            Change(
                GATEWAY,
                f"{LET_IN}/etc/wireguard/lepton.peers lets in others than come in now",
                f"printf '\\n[Peer]\\nPublicKey={EVE}\\nAllowedIPs=10.213.9.9/32\\n' >> /etc/wireguard/lepton.peers",
            ),
        )
    ),
    "a box that is shut out": Round(
        (
            Change(
                GATEWAY,
                f"{LET_IN}core/box-2 is not let in",
                'wg set lepton peer "$(wg show lepton peers)" remove',
            ),
        )
    ),
    "a tunnel that was stopped": Round(
        (Change(GATEWAY, f"unit {TUNNEL} is stopped, should be running", f"systemctl stop {TUNNEL}"),)
    ),
}


@dataclass
class End(Box):
    """One end of the tunnel. Before its roles run, keys are exchanged with the other, as `up` does."""

    other: list[Box] = field(default_factory=list)

    def configure(self, *names: Any) -> None:
        (other,) = self.other
        gate, box = (other, self) if self.target.role(BOX) else (self, other)
        admitted = {IN_TUNNEL: told(box, {"do": "key"})["public_key"]}
        told(gate, {"do": "admit", "boxes": admitted})
        box.target = box.target.with_settings(BOX, {KEY_SETTING: told(gate, {"do": "key"})["public_key"]})
        super().configure(*names)


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, End]]:
    folder = tmp_path_factory.mktemp("edge-ends")
    key = folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    with fresh_boxes(folder, "edge-ends", 2) as (first, second):
        gate, box = End(first.target, first.folder), End(second.target, second.folder)
        gate.other, box.other = [box], [gate]
        tunnel = {
            "address": f"{IN_TUNNEL}/16",
            "gateway": "10.213.0.1",
            "endpoint": f"{gate.target.endpoint.hostname}:51820",
            "package_cache_port": 3142,
            "image_cache_port": 5000,
            "log_port": 19532,
            "state_port": 8470,
        }
        boxes = [{"host": box.address, "address": IN_TUNNEL}]
        gate.target = replace(gate.target, roles=(role("base"), role(GATEWAY, address="10.213.0.1/16", boxes=boxes)))
        own = role(BOX, watchdog_s=0, signer=public_key(key), pull_minutes=1440, tunnel=tunnel)
        box.target = replace(box.target, roles=(role("base"), role("monitoring_agent"), own))
        for end in (gate, box):
            end.configure()
            assert end.record().problem is None
        for end in (gate, box):
            looked = end.look().roles
            assert {name: (one.state, one.not_observed) for name, one in looked.items()} == dict.fromkeys(
                looked, (RoleState.IN_ORDER, ())
            )
        yield {BOX: box, GATEWAY: gate}


@pytest.mark.parametrize("name", BOX_ROUNDS)
def test_a_change_on_the_box_is_told_alone_and_mended_by_the_next_run(ends: dict[str, End], name: str) -> None:
    hold(ends[BOX], BOX_ROUNDS[name])


@pytest.mark.parametrize("name", GATEWAY_ROUNDS)
def test_a_change_on_the_gateway_is_told_alone_and_mended_by_the_next_run(ends: dict[str, End], name: str) -> None:
    hold(ends[GATEWAY], GATEWAY_ROUNDS[name])
