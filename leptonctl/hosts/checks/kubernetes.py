"""What must hold where the role that makes a cluster of hosts ran."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.hosts.checks.kinds import Check, Command, Package, Unit

if TYPE_CHECKING:
    from leptonctl.planning.desired import Settings

MEMBER_PROGRAM = "/usr/local/lib/leptonctl/member"
KUBECONFIG = "/etc/kubernetes/admin.conf"


def kubernetes(settings: Settings) -> tuple[Check, ...]:
    """The host is in its cluster with the wanted version; on the control plane the API says that it is ready."""
    version, part = str(settings["version"]), str(settings.get("part", "worker"))
    member = Command(
        "the host is in its cluster",
        (MEMBER_PROGRAM, "--check", version, part),
        expect="member",
        covers=(MEMBER_PROGRAM,),
        is_quick=True,
        rests_on=(MEMBER_PROGRAM, "package kubelet", "/etc/kubernetes/kubelet.conf"),
    )
    bridge = Command(
        "traffic of bridges is filtered",
        ("cat", "/proc/sys/net/bridge/bridge-nf-call-iptables"),
        expect="1",
        covers=("modprobe",),
    )
    found: list[Check] = [member, bridge, Package("kubelet", f"{version}-*"), Unit("kubelet.service")]
    if part != "worker":
        ready = ("kubectl", "--kubeconfig", KUBECONFIG, "get", "--raw=/readyz")
        found.append(Command("the API is ready", ready, expect="ok", covers=("kubectl",), limit_s=60))
        if settings.get("api_address") is not None:
            found.append(Unit("keepalived.service"))
    return tuple(found)
