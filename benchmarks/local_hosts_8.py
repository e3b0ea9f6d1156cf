"""How long 8 local hosts take until a command ran on each by SSH, image built: seconds over the goal of 20 s."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from harness import verdict
from leptonctl.hosts.reach import Request
from leptonctl.hosts.ssh import run_all
from leptonctl.planning.desired import DesiredHost, DesiredLocation
from leptonctl.planning.observed import Reach
from leptonctl.platforms.base import Context
from leptonctl.platforms.image import ensure_image, read_recipe
from leptonctl.platforms.local import LocalPlatform
from leptonctl.platforms.podman import find_podman
from leptonctl.progress import silent
from leptonctl.sitefile.model import Machine

HOSTS = 8
GOAL_S = 20.0
GOAL = 1.0
RUNS = 5
SITE = "bench-local-hosts-8"


def main() -> int:
    """Measure and judge."""
    ensure_image(find_podman(), read_recipe(), silent, "core")
    with tempfile.TemporaryDirectory() as folder:
        platform = LocalPlatform(Context(SITE, "benchmark", Path(folder), Path(folder) / "state"))
        seconds = [once(platform) for _ in range(RUNS)]
    print(f"{HOSTS} hosts: median {median(seconds):.1f} s of {', '.join(f'{one:.1f}' for one in sorted(seconds))} s")
    return verdict(median(seconds) / GOAL_S, GOAL)


def once(platform: LocalPlatform) -> float:
    """Seconds from nothing to a command on every host; everything is removed again."""
    names = [f"box-{number}" for number in range(1, HOSTS + 1)]
    hosts = tuple(DesiredHost(f"core/{name}", name, "box", Machine(), ()) for name in names)
    try:
        start = time.monotonic()
        there = platform.ensure(DesiredLocation("core", "core", "local", (), None, hosts, ()), silent)
        replies = run_all([Request(name, way, "true") for name, way in there.endpoints.items()], timeout_s=30)
        taken = time.monotonic() - start
    finally:
        platform.destroy("core", delete_data=frozenset(), report=silent)
    if len(replies) != HOSTS or any(reply.reach != Reach.OK for reply in replies.values()):
        sys.exit(f"not all hosts answered: {replies}")
    return taken


if __name__ == "__main__":
    raise SystemExit(main())
