"""Locations of local hosts for tests on real podman hosts, and what is asked of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leptonctl.hosts.reach import Reply, Request
from leptonctl.hosts.ssh import run_all
from leptonctl.planning.observed import Reach
from leptonctl.platforms import labels
from tests.platforms.sites import location

if TYPE_CHECKING:
    from leptonctl.planning.observed import ObservedLocation, ObservedResource
    from leptonctl.planning.plan import Action
    from leptonctl.platforms.local import LocalPlatform
    from leptonctl.platforms.podman import Podman

CORE = location("core", count=2, stores={"data": "/srv/data"})
SHOP = location("edges/shop")
ONE = location("core")


def on(there: ObservedLocation, address: str, command: str) -> Reply:
    return run_all([Request(address, there.endpoints[address], command)], timeout_s=30)[address]


def said(there: ObservedLocation, address: str, command: str) -> str:
    reply = on(there, address, command)
    assert (reply.reach, reply.exit_status) == (Reach.OK, 0), reply
    return reply.stdout.decode().strip()


def hosts(there: ObservedLocation | None) -> dict[str, ObservedResource]:
    assert there is not None
    return {one.address: one for one in there.resources if one.kind == "host"}


def ids(there: ObservedLocation) -> set[tuple[str, str]]:
    return {(one.address, one.id) for one in there.resources}


def actions(platform: LocalPlatform, wanted: Any) -> set[Action]:
    return {change.action for change in platform.preview(wanted)}


def core_image(podman: Podman) -> str:
    return podman.images(f"label={labels.MANAGED}=leptonctl")[0].id
