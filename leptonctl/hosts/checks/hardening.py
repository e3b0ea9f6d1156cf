"""What must hold where the role `hardening` ran."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.hosts.checks.host import KERNEL_SETTINGS
from leptonctl.hosts.checks.kinds import Check, Command, Package, Unit
from leptonctl.hosts.checks.settings import setting

if TYPE_CHECKING:
    from leptonctl.planning.desired import Settings

FIREWALL = "/usr/local/lib/leptonctl/firewall"
FIREWALL_RULES = "/etc/leptonctl/firewall.nft"
FIREWALL_UNIT = "leptonctl-firewall.service"
KERNEL_FILE = "/etc/sysctl.d/59-leptonctl-hardening.conf"


def hardening(settings: Settings) -> tuple[Check, ...]:
    """SSH takes keys only, the firewall is the one that was written, and the kernel is set; the audit log runs."""
    found: list[Check] = [
        Command("SSH takes no passwords", ("/usr/sbin/sshd", "-T"), expect="\npasswordauthentication no\n"),
        Command("root comes by key alone", ("/usr/sbin/sshd", "-T"), expect="\npermitrootlogin without-password\n"),
        Command(
            "kernel settings are in force",
            (KERNEL_SETTINGS, "--check", KERNEL_FILE),
            expect="in order",
            covers=(KERNEL_SETTINGS,),
            is_quick=True,
            rests_on=(KERNEL_SETTINGS, KERNEL_FILE),
        ),
    ]
    if setting("hardening", settings, "firewall"):
        found += [
            Package("nftables"),
            Unit(FIREWALL_UNIT),
            Command(
                "the firewall is in force as it was written",
                (FIREWALL, "check", FIREWALL_RULES),
                expect="in order",
                covers=(FIREWALL,),
                is_quick=True,
                rests_on=(FIREWALL, FIREWALL_RULES),
            ),
        ]
    if setting("hardening", settings, "audit"):
        found += [
            Package("auditd"),
            Unit("auditd.service"),
            Command("the audit rules are loaded", ("auditctl", "-l"), expect="key=leptonctl", covers=("augenrules",)),
        ]
    return tuple(found)
