"""What is not of the site, or stands in its way, on real podman hosts: told, and left as it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from leptonctl.errors import PlatformFailed, PreflightFailed, Refused
from leptonctl.platforms import labels
from leptonctl.platforms.local import LocalPlatform
from leptonctl.platforms.local_network import free_ranges, ranges_of_machine, ranges_of_networks
from leptonctl.progress import silent
from leptonctl.sitefile.model import Machine
from tests.platforms.local_hosts import CORE, ONE, core_image, hosts, ids
from tests.platforms.sites import location

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from leptonctl.platforms.base import Context
    from leptonctl.platforms.podman import Podman

pytestmark = pytest.mark.hosts


@pytest.fixture
def foreign(podman: Podman, context: Context) -> Iterator[str]:
    """Somebody else's network, volume and container with names that look like the site's, but no mark of it."""
    name = labels.object_name(context.site, "core")
    mark = f"--label=leptonctl-test={context.site}"
    podman.text("network", "create", mark, f"{name}-theirs")
    podman.text("volume", "create", mark, f"{name}.data.box-9")
    podman.text("create", mark, "--name", f"{name}.box-9", core_image(podman), "/sbin/init")
    try:
        yield name
    finally:
        podman.text("rm", "--force", f"{name}.box-9")
        podman.text("volume", "rm", f"{name}.data.box-9")
        podman.text("network", "rm", f"{name}-theirs")


def test_what_does_not_carry_the_sites_labels_is_never_touched(
    local: LocalPlatform, podman: Podman, foreign: str
) -> None:
    local.ensure(ONE, silent)
    local.destroy("core", delete_data=frozenset({"all"}), report=silent)
    assert local.leftovers() == ()
    assert any(f"{foreign}.box-9" in one.names for one in podman.listed())
    assert any(one.name == f"{foreign}.data.box-9" for one in podman.volumes())
    assert any(one.name == f"{foreign}-theirs" for one in podman.networks())


@pytest.fixture
def taken(podman: Podman, context: Context) -> Iterator[tuple[str, str]]:
    """Name and range of somebody else's network."""
    used = (*ranges_of_networks(podman.networks()), *ranges_of_machine())
    name, cidr = f"theirs-{context.site}", next(free_ranges(used, host_count=1, seed=f"theirs-{context.site}"))
    podman.text("network", "create", "--subnet", cidr, name)
    try:
        yield name, cidr
    finally:
        podman.text("network", "rm", name)


def test_a_taken_range_is_told_with_what_takes_it_before_and_while_it_is_made(
    local: LocalPlatform, taken: tuple[str, str]
) -> None:
    name, cidr = taken
    wanted = location("core", cidr=cidr)
    with pytest.raises(PreflightFailed) as early:
        local.preflight((wanted,))
    assert early.value.message == f"network {cidr} overlaps {cidr} of podman network '{name}'"
    assert early.value.problems[0].where == "core"
    with pytest.raises(PlatformFailed) as late:
        local.ensure(wanted, silent)
    assert late.value.message == f"core: network {cidr} overlaps {cidr} of podman network '{name}'"
    assert late.value.hint == "set another network.cidr, or leave it out: a free one is then picked"
    assert local.leftovers() == ()


def test_a_network_of_that_name_without_the_sites_mark_is_in_the_way_and_left_alone(
    local: LocalPlatform, podman: Podman, context: Context
) -> None:
    name = labels.object_name(context.site, "core")
    podman.text("network", "create", name)
    try:
        with pytest.raises(PlatformFailed) as caught:
            local.ensure(ONE, silent)
        assert caught.value.message == f"core: there is a podman network '{name}' that is not of this site"
    finally:
        podman.text("network", "rm", name)


def test_the_range_of_hosts_that_are_there_cannot_change(local: LocalPlatform, podman: Podman) -> None:
    core = local.ensure(ONE, silent)
    used = (*ranges_of_networks(podman.networks()), *ranges_of_machine())
    other = replace(ONE, cidr=next(free_ranges(used, host_count=1, seed="other")))
    with pytest.raises(Refused) as caught:
        local.ensure(other, silent)
    assert caught.value.message.startswith("core: network.cidr ")
    assert caught.value.message.endswith(
        ": a network keeps its range while it has hosts; "
        "instead: `leptonctl down --only LOCATION` (it keeps the data), then `leptonctl up`"
    )
    assert ids(local.ensure(ONE, silent)) == ids(core)


def test_what_stands_in_the_way_is_told_all_at_once(local: LocalPlatform) -> None:
    small = location("core", count=6, cidr="10.127.255.0/29", machine=Machine(memory_gib=0.01, cpus=0.001))
    with pytest.raises(PreflightFailed) as caught:
        local.preflight((small,))
    assert len(caught.value.problems) == 13
    assert {one.message for one in caught.value.problems} == {
        "network 10.127.255.0/29 is too small for 6 hosts",
        "memory_gib 0.01 is too small for a host with systemd",
        "cpus 0.001 is too small",
    }


def test_podman_that_fails_is_unknown_and_never_absent(context: Context, podman: Podman) -> None:
    broken = LocalPlatform(context, replace(podman, runtime="/nonexistent/runtime"))
    with pytest.raises(PlatformFailed):
        broken.observe("core")
    with pytest.raises(PlatformFailed):
        broken.leftovers()


def test_one_host_that_fails_is_named_and_the_others_are_made(
    local: LocalPlatform, podman: Podman, context: Context
) -> None:
    name = labels.object_name(context.site, "core", "box-1")
    podman.text("create", "--name", name, core_image(podman), "/sbin/init")
    try:
        with pytest.raises(PlatformFailed) as caught:
            local.ensure(CORE, silent)
        assert [one.where for one in caught.value.problems] == ["core/box-1"]
        assert set(hosts(local.observe("core"))) == {"core/box-2"}
    finally:
        podman.text("rm", "--force", name)
    assert set(local.ensure(CORE, silent).endpoints) == {"core/box-1", "core/box-2"}


def test_a_range_that_another_run_takes_first_is_left_to_it_and_the_next_one_tried(
    context: Context, local: LocalPlatform, podman: Podman, tmp_path: Path
) -> None:
    late = tmp_path / "podman"
    # A fake that finds its first range taken, as podman does where another process was quicker; then it is podman.
    late.write_text(
        "#!/bin/sh\n"
        f'case "$*" in *"network create"*) if mkdir {tmp_path}/taken 2>/dev/null; then\n'
        "echo 'Error: subnet 10.0.0.0/24 is already used on the host or by another config' >&2; exit 125; fi ;; esac\n"
        f'exec {podman.program} "$@"\n'
    )
    late.chmod(0o755)
    there = LocalPlatform(context, replace(podman, program=str(late))).ensure(ONE, silent)
    assert (tmp_path / "taken").is_dir()
    assert set(there.endpoints) == set(local.ensure(ONE, silent).endpoints) == {"core/box-1"}
