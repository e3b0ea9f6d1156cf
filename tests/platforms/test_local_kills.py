"""What was half-made when a run of the local platform ended is made anew, on real podman hosts."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from leptonctl.planning.plan import Action
from leptonctl.platforms import labels
from leptonctl.progress import silent
from tests.platforms.local_hosts import CORE, ONE, actions, core_image, hosts, said
from tests.platforms.sites import location

if TYPE_CHECKING:
    from leptonctl.platforms.base import Context
    from leptonctl.platforms.local import LocalPlatform
    from leptonctl.platforms.podman import Podman

ROOT = Path(__file__).parent.parent.parent
pytestmark = pytest.mark.hosts


def test_a_half_made_host_is_made_anew(local: LocalPlatform, podman: Podman, context: Context) -> None:
    core = local.ensure(CORE, silent)
    name = str(hosts(core)["core/box-1"].properties["name"])
    podman.text("rm", "--force", "--time", "3", name)
    marks = labels.label_arguments(labels.common_labels(context, "core") | {labels.HOST: "box-1"})
    podman.text("create", *marks, "--name", name, str(core_image(podman)), "/sbin/init")
    half = local.observe("core")
    assert half is not None
    assert set(half.endpoints) == {"core/box-2"}
    anew = local.ensure(CORE, silent)
    assert said(anew, "core/box-1", "hostname") == "box-1"
    assert hosts(anew)["core/box-2"].id == hosts(core)["core/box-2"].id
    assert actions(local, CORE) == {Action.KEEP}


def test_a_host_that_only_podmans_storage_knows_is_found_made_anew_and_removed(
    local: LocalPlatform, podman: Podman, context: Context
) -> None:
    name = labels.object_name(context.site, "core", "box-1")
    leave_in_storage(podman, context, name)
    (left,) = local.leftovers()
    assert (left.kind, left.address, left.status) == ("host", "core/box-1", "half-made")
    core = local.ensure(ONE, silent)
    assert said(core, "core/box-1", "hostname") == "box-1"
    assert len(local.leftovers()) == 2

    local.destroy("core", delete_data=frozenset(), report=silent)
    leave_in_storage(podman, context, name)
    assert [one.address for one in local.destroy("core", delete_data=frozenset(), report=silent)] == ["core/box-1"]


def leave_in_storage(podman: Podman, context: Context, name: str) -> None:
    """Kill `podman create` at later and later moments, until it leaves what only the storage knows."""
    marks = labels.label_arguments(labels.common_labels(context, "core"))
    command = [podman.program, "create", *marks, "--name", name, core_image(podman), "/sbin/init"]
    for step in range(400):
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            running.wait(timeout=0.005 + step % 100 * 0.001)
        except subprocess.TimeoutExpired:
            running.kill()
        running.wait()
        found = [one.status for one in podman.listed() if name in one.names]
        if found == ["storage"]:
            return
        if found:
            podman.text("rm", "--force", name)
    pytest.skip("podman create could not be killed at the right moment")


def test_a_host_whose_address_podman_keeps_for_another_gets_the_next_one(
    local: LocalPlatform, podman: Podman, context: Context
) -> None:
    """A podman that is killed in the middle of a start leaves an address taken; a strange container does the same."""
    core = local.ensure(CORE, silent)
    taken = str(hosts(core)["core/box-1"].properties["address"])
    podman.text("rm", "--force", "--time", "3", str(hosts(core)["core/box-1"].properties["name"]))
    network = labels.object_name(context.site, "core")
    stranger = f"{network}.stranger"
    limits = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024")
    words = ("--name", stranger, "--network", network, "--ip", taken, core_image(podman), "sleep", "infinity")
    try:
        podman.text("run", "--detach", *limits, *words)
        anew = local.ensure(CORE, silent)
        assert hosts(anew)["core/box-1"].properties["address"] not in {taken, None}
        assert said(anew, "core/box-1", "hostname") == "box-1"
        assert actions(local, CORE) == {Action.KEEP}
    finally:
        podman.text("rm", "--force", "--time", "0", stranger)


def test_killed_at_any_moment_the_next_run_ends_in_the_same_state(
    local: LocalPlatform, context: Context, podman: Podman
) -> None:
    """SIGKILL after each kind of step; then `ensure` again: everything is there once, and everything works."""
    program = (
        "import sys; from pathlib import Path; from leptonctl.platforms.base import Context; "
        "from leptonctl.platforms.local import LocalPlatform; from leptonctl.progress import silent; "
        "from tests.platforms.sites import location; "
        "site, folder, state = sys.argv[1:]; "
        "LocalPlatform(Context(site, 'me', Path(folder), Path(state)))"
        ".ensure(location('core', count=3, stores={'data': '/srv/data'}), silent)"
    )
    wanted = location("core", count=3, stores={"data": "/srv/data"})
    command = [sys.executable, "-c", program, context.site, str(context.site_dir), str(context.state_dir)]
    for moment in (_has_network, _has_volume, _has_created_container, _has_running_container):
        running = subprocess.Popen(command, start_new_session=True, cwd=ROOT)
        deadline = time.monotonic() + 60
        while running.poll() is None and not moment(podman, context.site):
            assert time.monotonic() < deadline
        # leptonctl and the podman that it has just started.
        os.killpg(running.pid, 9)
        running.wait()
    there = local.ensure(wanted, silent)
    assert [one.kind for one in there.resources].count("host") == 3
    assert len(there.endpoints) == len({way.hostname for way in there.endpoints.values()}) == 3
    assert {said(there, address, "hostname") for address in there.endpoints} == {"box-1", "box-2", "box-3"}
    assert actions(local, wanted) == {Action.KEEP}
    assert len(local.leftovers()) == 7


def _of(podman: Podman, site: str) -> list[str]:
    return [one.status for one in podman.listed() if one.labels.get(labels.SITE) == site]


def _has_network(podman: Podman, site: str) -> bool:
    return bool(podman.networks(f"label={labels.SITE}={site}"))


def _has_volume(podman: Podman, site: str) -> bool:
    return bool(podman.volumes(f"label={labels.SITE}={site}"))


def _has_created_container(podman: Podman, site: str) -> bool:
    return bool(_of(podman, site))


def _has_running_container(podman: Podman, site: str) -> bool:
    return "running" in _of(podman, site)
