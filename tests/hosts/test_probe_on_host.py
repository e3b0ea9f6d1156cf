"""A look at a real host: what is answered where the manifest, the site file or the host's key is not as it was.

What is answered where the host itself was changed stands in test_tampering.py.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from leptonctl.hosts.configured import HostConfigured
from leptonctl.hosts.probe import look
from leptonctl.planning.observed import Reach, RoleState
from tests.hosts.box import ADDRESS

if TYPE_CHECKING:
    from tests.hosts.box import Box

pytestmark = pytest.mark.hosts

ROLES = ("base", "container_runtime", "monitoring_agent", "monitoring_server")
MANIFEST = "/var/lib/leptonctl/manifest.json"


def test_a_host_whose_roles_just_ran_is_in_order_with_nothing_unseen(box: Box) -> None:
    found = box.look(with_checks=True)
    assert (found.reach, found.is_in_order, found.checks) == (Reach.OK, True, ())
    assert {name: role.not_observed for name, role in found.roles.items()} == dict.fromkeys(ROLES, ())


def test_a_second_run_changes_nothing_and_gives_the_same_manifest(box: Box) -> None:
    before = box.digest
    box.configure()
    assert (box.done.changed_count, box.record().problem) == (0, None)
    assert box.digest == before


@pytest.mark.parametrize(
    "break_it",
    [
        f"sed -i s/0644/0666/ {MANIFEST}",
        f"truncate -s 100 {MANIFEST}",
        f"printf '\\377\\376' > {MANIFEST}",
        f"echo '[]' > {MANIFEST}",
        f"rm {MANIFEST}",
        f"rm {MANIFEST} && mkdir {MANIFEST}",
    ],
)
def test_a_manifest_that_is_not_the_one_that_was_written_is_never_in_order(box: Box, break_it: str) -> None:
    box.run(f"cp -p {MANIFEST} /root/manifest && {break_it}")
    try:
        found = box.look()
        assert found.reach == Reach.OK
        assert {role.state for role in found.roles.values()} == {RoleState.NO_TRUSTED_MANIFEST}
    finally:
        box.run(f"rm -rf {MANIFEST} && mv /root/manifest {MANIFEST}")
    assert box.found() == {}


def test_a_manifest_whose_digest_is_not_known_here_is_not_trusted(box: Box) -> None:
    for digests in ({}, {ADDRESS: "0" * 64}):
        found = look([box.target], digests=digests)[ADDRESS]
        assert {role.state for role in found.roles.values()} == {RoleState.NO_TRUSTED_MANIFEST}


def test_a_setting_that_changed_concerns_its_own_role_only(box: Box) -> None:
    base, _, agent, _ = box.target.roles
    changed = replace(box.target, roles=(base, replace(agent, settings={**agent.settings, "port": 9101})))
    roles = look([changed], digests=box.digests)[ADDRESS].roles
    assert (roles["base"].state, roles["base"].changed_settings) == (RoleState.IN_ORDER, ())
    assert (roles["monitoring_agent"].state, roles["monitoring_agent"].changed_settings) == (
        RoleState.SETTINGS_CHANGED,
        ("port",),
    )


def test_a_role_that_is_not_in_the_manifest_is_new_and_one_that_is_too_many_is_told(box: Box) -> None:
    done, digest = box.done, box.digest
    box.run(f"cp -p {MANIFEST} /root/kept")
    box.done = HostConfigured(ADDRESS, "ok", removed=("monitoring_agent", "monitoring_server"))
    try:
        assert box.record().problem is None
        assert {name: role.state for name, role in box.look().roles.items()} == {
            "base": RoleState.IN_ORDER,
            "container_runtime": RoleState.IN_ORDER,
            "monitoring_agent": RoleState.NEW,
            "monitoring_server": RoleState.NEW,
        }
        fewer = replace(box.target, roles=box.target.roles[:1])
        assert look([fewer], digests=box.digests)[ADDRESS].gone_roles == ("container_runtime",)
    finally:
        box.done, box.digest = done, digest
        box.run(f"mv /root/kept {MANIFEST}")
    assert box.found() == {}


def test_a_host_with_another_key_gets_nothing_and_is_unknown(box: Box) -> None:
    wrong = box.target.endpoint.host_keys[0][:-4] + "AAAA"
    aim = replace(box.target, endpoint=replace(box.target.endpoint, host_keys=(wrong,)))
    found = look([aim], digests=box.digests)[ADDRESS]
    assert found.reach == Reach.HOST_KEY_CHANGED
    assert {role.state for role in found.roles.values()} == {RoleState.UNKNOWN}
