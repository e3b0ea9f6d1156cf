"""Rules on accelerators: thresholds that the policy has, serial numbers of known hosts, links of their maker."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from leptonctl.health.policy import default_policy
from leptonctl.sitefile.findings import Finding
from leptonctl.sitefile.ranges import group_hosts
from leptonctl.sitefile.rules.parts import locations
from leptonctl.sitefile.words import did_you_mean, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.sitefile.accelerators import Accelerators, Gpus
    from leptonctl.sitefile.findings import Path
    from leptonctl.sitefile.model import NodeGroup, Site

# The kernel's own rule (dev_valid_name).
_INTERFACE = re.compile(r"(?!\.{1,2}$)[^/:\s]{1,15}")
# What is declared of the links between the GPUs of the other maker, by the maker of these.
_OTHERS = {"nvidia": ("xgmi_peers",), "amd": ("nvlinks", "nvlink_gbps", "nvswitch")}


def check_accelerators(site: Site) -> Iterator[Finding]:
    """Every group with accelerators."""
    for path, location in locations(site):
        for name, group in location.nodes.items():
            if "gpu_health" in group.roles and (group.accelerators is None or group.accelerators.gpus is None):
                message = "the role 'gpu_health' has nothing to judge by: the group declares no GPUs"
                hint = "write `accelerators: {gpus: {count: 8}}` in the group"
                yield Finding("no-accelerators", (*path, "nodes", name, "roles"), message, hint)
            if group.accelerators is None:
                continue
            here = (*path, "nodes", name, "accelerators")
            yield from _check_policy(group.accelerators.health.policy, here)
            yield from _check_links(group.accelerators, here)
            if group.accelerators.gpus is not None:
                yield from _check_serials(name, group, group.accelerators.gpus, here)
                yield from _check_makers(group.accelerators.gpus, (*here, "gpus"))


def _check_policy(policy: dict[str, int], here: Path) -> Iterator[Finding]:
    if not policy:
        return
    known = default_policy().thresholds
    for name in policy:
        if name not in known:
            message = f"the health policy has no threshold {quoted(name)}{did_you_mean(name, known)}"
            hint = "`leptonctl explain policy` lists them"
            yield Finding("unknown-threshold", (*here, "health", "policy", name), message, hint, at="key")


def _check_links(section: Accelerators, here: Path) -> Iterator[Finding]:
    for kind, declared in (("infiniband", section.infiniband), ("ethernet", section.ethernet)):
        if declared and section.gpus is None:
            message = "links are judged with the GPUs, and the group declares none"
            yield Finding("links-without-gpus", (*here, kind), message, "write `gpus: {count: 8}` beside it", at="key")
    for name in section.ethernet:
        if not _INTERFACE.fullmatch(name):
            message = f"{quoted(name)} is not the name of an interface: at most 15 characters, no `/` and no space"
            hint = "`ip -brief link` on the host lists them, as `ens1f0`"
            yield Finding("interface-name", (*here, "ethernet", name), message, hint, at="key")


def _check_makers(gpus: Gpus, here: Path) -> Iterator[Finding]:
    """What only the other maker's GPUs have would never be judged, or never be in order."""
    other = _OTHERS[gpus.vendor]
    for key in other:
        if getattr(gpus, key):
            message = f"GPUs of {gpus.vendor} have no `{key}`"
            hint = "links between AMD's GPUs are `xgmi_peers`, between NVIDIA's `nvlinks`"
            yield Finding("links-of-another-maker", (*here, key), message, hint, at="key")


def _check_serials(name: str, group: NodeGroup, gpus: Gpus, here: Path) -> Iterator[Finding]:
    hosts = [host.name for host in group_hosts(name, group)] if gpus.serials else []
    for host, serials in gpus.serials.items():
        path = (*here, "gpus", "serials", host)
        if host not in hosts:
            message = f"{quoted(host)} is not a host of this group{did_you_mean(host, hosts)}"
            yield Finding("unknown-serial-host", path, message, f"its hosts: {', '.join(hosts[:5])}", at="key")
        elif len(set(serials)) != gpus.count:
            message = f"{host} has {gpus.count} GPUs and {len(set(serials))} serial numbers"
            yield Finding("too-few-serials", path, message, "give one for each GPU, or none")
