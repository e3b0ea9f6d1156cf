"""The local platform on real podman hosts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from leptonctl.planning.observed import Reach
from leptonctl.planning.plan import Action
from leptonctl.platforms.local import LocalPlatform
from leptonctl.platforms.local_keys import site_key_path
from leptonctl.progress import Progress, silent
from leptonctl.sitefile.model import Machine
from tests.platforms.local_hosts import CORE, ONE, SHOP, actions, hosts, ids, on, said
from tests.platforms.sites import location

if TYPE_CHECKING:
    from leptonctl.platforms.base import Context
    from leptonctl.platforms.podman import Podman

pytestmark = pytest.mark.hosts


def test_a_site_comes_up_reachable_in_every_direction_and_a_second_time_nothing_happens(local: LocalPlatform) -> None:
    local.preflight((CORE, SHOP))
    assert local.observe("core") is None
    core, shop = local.ensure(CORE, silent), local.ensure(SHOP, silent)
    assert set(core.endpoints) == {"core/box-1", "core/box-2"}

    program = "import socket, sys; print(socket.create_connection((sys.argv[1], 22), timeout=10).recv(4).decode())"
    ways = [
        (core, "core/box-1", core, "core/box-2"),
        (core, "core/box-2", shop, "edges/shop/box-1"),
        (shop, "edges/shop/box-1", core, "core/box-1"),
    ]
    for source, here, target, aim in ways:
        assert said(source, here, f"python3 -c '{program}' {target.endpoints[aim].hostname}") == "SSH-"
    assert said(core, "core/box-1", "hostname; findmnt -no FSTYPE /srv/data >/dev/null && echo mounted") == (
        "box-1\nmounted"
    )

    heard: list[Progress] = []
    assert actions(local, CORE) == actions(local, SHOP) == {Action.KEEP}
    assert ids(local.ensure(CORE, heard.append)) == ids(core)
    assert [one for one in heard if one.is_changed] == []

    for one in local.leftovers():
        assert one.location in {"core", "edges/shop"}
    removed = local.destroy("core", delete_data=frozenset(), report=silent)
    assert {one.kind for one in removed} == {"host", "network"}
    assert {one.address for one in local.leftovers() if one.location == "core"} == {
        "core/data/box-1",
        "core/data/box-2",
    }


def test_hosts_take_their_host_keys_and_machine_ids_from_nobody(local: LocalPlatform) -> None:
    core = local.ensure(CORE, silent)
    keys = {address: way.host_keys for address, way in core.endpoints.items()}
    assert len(set(keys.values())) == 2
    read = "cat /etc/ssh/ssh_host_*_key.pub"
    assert {address: (said(core, address, read),) for address in core.endpoints} == keys
    assert len({said(core, address, "cat /etc/machine-id") for address in core.endpoints}) == 2
    assert said(core, "core/box-1", "sshd -T | grep -E '^(passwordauth|kbdint|permitroot)' | sort").splitlines() == [
        "kbdinteractiveauthentication no",
        "passwordauthentication no",
        "permitrootlogin without-password",
    ]


def test_a_host_with_another_key_than_the_planted_one_is_sent_nothing(local: LocalPlatform) -> None:
    core = local.ensure(ONE, silent)
    said(core, "core/box-1", "cd /root && ssh-keygen -q -t ed25519 -N '' -f k && cp k /etc/ssh/ssh_host_ed25519_key")
    reply = on(local.ensure(ONE, silent), "core/box-1", "touch /root/sent")
    assert reply.reach == Reach.HOST_KEY_CHANGED
    assert reply.expected_fingerprints
    assert reply.presented_fingerprint not in reply.expected_fingerprints


def test_data_and_address_survive_a_stop_and_a_new_host_and_go_only_when_named(
    local: LocalPlatform, podman: Podman
) -> None:
    core = local.ensure(CORE, silent)
    said(core, "core/box-1", "echo kept >/srv/data/file; echo lost >/root/file")
    first = hosts(core)["core/box-1"]

    podman.text("stop", "--time", "3", first.id)
    stopped = local.observe("core")
    assert stopped is not None
    assert set(stopped.endpoints) == {"core/box-2"}
    assert {one.reasons for one in local.preview(CORE) if one.action is Action.UPDATE} == {("exited -> running",)}
    again = local.ensure(CORE, silent)
    assert ids(again) == ids(core)
    assert again.endpoints == core.endpoints
    assert said(again, "core/box-1", "cat /srv/data/file /root/file") == "kept\nlost"

    podman.text("rm", "--force", "--time", "3", first.id)
    anew = local.ensure(CORE, silent)
    assert anew.endpoints["core/box-1"].hostname == core.endpoints["core/box-1"].hostname
    assert said(anew, "core/box-1", "cat /srv/data/file; ls /root") == "kept"

    local.destroy("core", delete_data=frozenset({"core/other"}), report=silent)
    assert {one.address for one in local.leftovers()} == {"core/data/box-1", "core/data/box-2"}
    removed = local.destroy("core", delete_data=frozenset({"core/data"}), report=silent)
    assert {one.address for one in removed} == {"core/data/box-1", "core/data/box-2"}
    assert local.observe("core") is None
    assert local.leftovers() == ()


def test_another_size_holds_at_once_and_after_a_restart_and_loses_nothing(local: LocalPlatform, podman: Podman) -> None:
    before = local.ensure(ONE, silent)
    larger = location("core", machine=Machine(cpus=0.5, memory_gib=1))
    (change,) = [one for one in local.preview(larger) if one.kind == "host"]
    assert (change.action, change.reasons) == (Action.UPDATE, ("cpus 1 -> 0.5", "memory_gib 0.5 -> 1"))
    after = local.ensure(larger, silent)
    assert ids(after) == ids(before)
    assert hosts(after)["core/box-1"].properties["memory_gib"] == 1
    assert actions(local, larger) == {Action.KEEP}

    # podman 4.3 forgets an update when the container restarts: that is seen, and mended.
    podman.text("restart", "--time", "3", hosts(after)["core/box-1"].id)
    local.ensure(larger, silent)
    assert actions(local, larger) == {Action.KEEP}

    free = location("core", machine=Machine())
    assert hosts(local.ensure(free, silent))["core/box-1"].properties["cpus"] is None
    assert actions(local, free) == {Action.KEEP}


def test_another_mount_makes_the_host_anew_and_keeps_the_volume(local: LocalPlatform) -> None:
    core = local.ensure(location("core", stores={"data": "/srv/data"}), silent)
    said(core, "core/box-1", "echo kept >/srv/data/file")
    moved = location("core", stores={"data": "/mnt/data"})
    assert Action.REPLACE in actions(local, moved)
    anew = local.ensure(moved, silent)
    assert said(anew, "core/box-1", "cat /mnt/data/file") == "kept"
    assert anew.endpoints["core/box-1"].hostname == core.endpoints["core/box-1"].hostname
    assert actions(local, moved) == {Action.KEEP}


def test_hosts_that_are_too_many_are_removed_and_their_volumes_kept(local: LocalPlatform) -> None:
    local.ensure(CORE, silent)
    fewer = local.ensure(location("core", count=1, stores={"data": "/srv/data"}), silent)
    assert set(hosts(fewer)) == {"core/box-1"}
    assert {one.address for one in fewer.resources if one.is_data} == {"core/data/box-1", "core/data/box-2"}


def test_a_lost_site_key_is_made_anew_and_planted_on_the_hosts_that_are_there(
    local: LocalPlatform, context: Context
) -> None:
    core = local.ensure(ONE, silent)
    site_key_path(context.state_dir).unlink()
    (change,) = [one for one in local.preview(ONE) if one.kind == "host"]
    assert change.reasons == ("the site's SSH key is planted again",)
    again = local.ensure(ONE, silent)
    assert ids(again) == ids(core)
    assert said(again, "core/box-1", "wc -l </root/.ssh/authorized_keys") == "1"
    assert actions(local, ONE) == {Action.KEEP}


def test_down_works_without_the_state_folder(local: LocalPlatform, context: Context) -> None:
    local.ensure(ONE, silent)
    elsewhere = replace(context, state_dir=context.state_dir / "nowhere", site_dir=context.site_dir / "nowhere")
    LocalPlatform(elsewhere).destroy("core", delete_data=frozenset(), report=silent)
    assert local.observe("core") is None
    assert not elsewhere.state_dir.exists()


def test_observing_writes_nothing(local: LocalPlatform, context: Context) -> None:
    assert local.observe("core") is None
    assert local.leftovers() == ()
    local.preview(ONE)
    local.preflight((ONE,))
    assert not context.state_dir.exists()
