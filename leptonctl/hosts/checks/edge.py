"""What must hold at the two ends of a bad uplink."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.hosts.checks.kinds import Check, Command, Package, Port, Unit
from leptonctl.hosts.checks.settings import setting

if TYPE_CHECKING:
    from leptonctl.planning.desired import Settings

METRICS_PORT = 9095
INTERFACE = "lepton"
TUNNEL_UNIT = f"wg-quick@{INTERFACE}.service"
TUNNEL_PROGRAM = "/usr/local/lib/leptonctl/tunnel"
BOXES_PROGRAM = "/usr/local/lib/leptonctl/boxes"
ROOT_PROGRAM = "/usr/local/lib/leptonctl/root"
WATCHDOG = "/sys/class/watchdog/watchdog0/state"


def edge(settings: Settings) -> tuple[Check, ...]:
    """The box scrapes itself, has its tunnel and its watchdog, and sends its journal.

    Whether its metrics arrive is for the server to say.
    """
    found: list[Check] = [Package("prometheus"), Unit("prometheus.service"), Port(METRICS_PORT)]
    if settings.get("tunnel"):
        found += [
            Unit(TUNNEL_UNIT),
            Command(
                "the tunnel to the region is up",
                (TUNNEL_PROGRAM, "--check"),
                expect="up",
                covers=(TUNNEL_PROGRAM,),
                rests_on=(f"unit {TUNNEL_UNIT}", TUNNEL_PROGRAM),
            ),
            Unit("systemd-journal-upload.service"),
        ]
        if setting("edge", settings, "signer") is not None:
            found.append(Unit("lepton-agent.timer"))
    if setting("edge", settings, "watchdog_s"):
        found.append(Command("the machine's watchdog is armed", ("cat", WATCHDOG), expect="active"))
    if setting("edge", settings, "read_only_root"):
        found.append(Command("what is written to the root goes to memory", (ROOT_PROGRAM,), expect="read-only"))
    return tuple(found)


def edge_gateway(settings: Settings) -> tuple[Check, ...]:
    """The tunnels end here, each box is let in, and what boxes fetch and send is served."""
    return (
        Unit(TUNNEL_UNIT),
        Command(
            "its boxes are let in, and nobody else",
            (BOXES_PROGRAM,),
            expect="all of them, and nobody else",
            covers=(BOXES_PROGRAM,),
            is_quick=True,
            rests_on=(f"unit {TUNNEL_UNIT}", "package wireguard-tools", BOXES_PROGRAM, "/etc/leptonctl/boxes.json"),
        ),
        Unit("apt-cacher-ng.service"),
        Unit("docker-registry.service"),
        Unit("systemd-journal-remote.socket"),
        Unit("leptonctl-states.service"),
        Unit("chrony.service"),
        Port(setting("edge_gateway", settings, "package_cache_port")),
    )
