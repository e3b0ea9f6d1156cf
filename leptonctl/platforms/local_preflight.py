"""What would stop the local platform on this machine: missing tools, cgroups, taken ranges. Touches nothing."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leptonctl.errors import LeptonError, Problem
from leptonctl.platforms.image import MMDEBSTRAP_HINT, is_built, read_recipe
from leptonctl.platforms.labels import is_ours
from leptonctl.platforms.local_keys import SSH_KEYGEN_HINT
from leptonctl.platforms.local_network import holds, overlaps, ranges_of_machine, ranges_of_networks
from leptonctl.platforms.podman import INSTALL_HINT, find_program

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from leptonctl.planning.desired import DesiredLocation
    from leptonctl.platforms.podman import Podman

MIN_MEMORY_GIB = 0.125
MIN_CPUS = 0.01
INOTIFY_LIMIT = Path("/proc/sys/fs/inotify/max_user_instances")
# Counted on hosts with all roles of the demo site: systemd and its login manager 6, Prometheus 1, which counts as the
# machine's root too (PrivateUsers). What finds none left goes on in silence: Prometheus then has no hosts at all.
INOTIFY_A_HOST = 7
INOTIFY_OF_OTHERS = 16


def problems_of(podman: Podman, site: str, locations: tuple[DesiredLocation, ...]) -> tuple[Problem, ...]:
    """Every problem that would stop `ensure` of these locations."""
    try:
        info = podman.info()
        return (
            *machine_problems(info, user=current_user(), subids=subordinate_ids()),
            *_tool_problems(podman),
            *watch_problems(sum(len(location.hosts) for location in locations), inotify_limit()),
            *(problem for location in locations for problem in _size_problems(location)),
            *_range_problems(podman, site, locations),
        )
    except LeptonError as error:
        return (Problem("local.podman", error.message, error.hint),)


def has_subordinate_ids(table: str, user: str) -> bool:
    """Whether a user has a range in the text of `/etc/subuid`."""
    return any(line.split(":")[0] == user for line in table.splitlines())


def subordinate_ids_hint(user: str) -> str:
    """The command that gives a user a range."""
    return f"sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}; podman system migrate"


def current_user() -> str:
    """The user's name, or number where it has none."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def subordinate_ids() -> str:
    """The text of `/etc/subuid`."""
    path = Path("/etc/subuid")
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def machine_problems(info: Mapping[str, Any], *, user: str, subids: str) -> Iterator[Problem]:
    """What `podman info` tells that keeps hosts from running; `subids` is the text of `/etc/subuid`."""
    host = info["host"]
    is_rootless, cgroups = bool(host["security"]["rootless"]), str(host["cgroupVersion"])
    runtime = str(host["ociRuntime"]["name"]).rpartition("/")[2]
    if is_rootless and cgroups != "v2":
        message = f"hosts without root need cgroups v2; this machine has {cgroups}"
        yield Problem(
            "local.cgroups", message, "run leptonctl as root (sudo), or boot with systemd.unified_cgroup_hierarchy=1"
        )
    if is_rootless and not has_subordinate_ids(subids, user):
        message = f"user {user} has no subordinate ids, which hosts without root need (/etc/subuid)"
        yield Problem("local.subordinate-ids", message, subordinate_ids_hint(user))
    if not is_rootless and cgroups != "v2" and runtime != "runc":
        message = f"podman uses {runtime}, which does not work with cgroups {cgroups}"
        yield Problem("local.runtime", message, INSTALL_HINT)


def inotify_limit() -> int | None:
    """How many inotify instances the kernel gives one user; `None` where it does not tell."""
    return int(INOTIFY_LIMIT.read_text(encoding="ascii")) if INOTIFY_LIMIT.is_file() else None


def watch_problems(num_hosts: int, limit: int | None) -> Iterator[Problem]:
    """Too few inotify instances for so many hosts, which share one kernel."""
    needed = num_hosts * INOTIFY_A_HOST + INOTIFY_OF_OTHERS
    if limit is not None and needed > limit:
        message = f"{num_hosts} hosts need about {needed} inotify instances; this kernel gives a user {limit}"
        yield Problem("local.inotify", message, f"sudo sysctl -w fs.inotify.max_user_instances={max(needed, 1024)}")


def _tool_problems(podman: Podman) -> Iterator[Problem]:
    if find_program("ssh-keygen") is None:
        yield Problem("local.tools", "ssh-keygen is not installed", SSH_KEYGEN_HINT)
    if find_program("mmdebstrap") is None and not is_built(podman, read_recipe()):
        yield Problem("local.tools", "mmdebstrap, which builds the host image, is not installed", MMDEBSTRAP_HINT)


def _size_problems(location: DesiredLocation) -> Iterator[Problem]:
    if location.cidr is not None and not holds(location.cidr, len(location.hosts)):
        message = f"network {location.cidr} is too small for {len(location.hosts)} hosts"
        yield Problem("local.network", message, "set a larger network.cidr, or leave it out", where=location.address)
    for host in location.hosts:
        cpus, memory_gib = host.machine.cpus, host.machine.memory_gib
        if memory_gib is not None and memory_gib < MIN_MEMORY_GIB:
            message = f"memory_gib {memory_gib:g} is too small for a host with systemd"
            yield Problem("local.size", message, f"set at least {MIN_MEMORY_GIB:g}", where=host.address)
        if cpus is not None and cpus < MIN_CPUS:
            yield Problem("local.size", f"cpus {cpus:g} is too small", f"set at least {MIN_CPUS:g}", where=host.address)


def _range_problems(podman: Podman, site: str, locations: tuple[DesiredLocation, ...]) -> Iterator[Problem]:
    networks = podman.networks()
    mine = {cidr for one in networks if is_ours(one.labels, site) for cidr in one.cidrs}
    others = ranges_of_networks(one for one in networks if not is_ours(one.labels, site))
    # The route to a network of ours is ours as well.
    routes = [one for one in ranges_of_machine() if str(one.network) not in mine]
    for location in locations:
        taken = overlaps(location.cidr, (*others, *routes)) if location.cidr else None
        if taken is not None:
            message = f"network {location.cidr} overlaps {taken.network} of {taken.by}"
            hint = "set another network.cidr, or leave it out: a free one is then picked"
            yield Problem("local.network", message, hint, where=location.address)
