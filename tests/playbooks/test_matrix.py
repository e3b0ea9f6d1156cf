"""Roles by what may happen to them (fresh, second run, upgrade, changed setting, removed), on one real host.

A role is added by one entry of `CASES` (cases.py). `make test-roles` runs this; the changes that people make by hand
are in tests/hosts/test_tampering.py.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from leptonctl.planning.observed import RoleState
from leptonctl.sitefile.software import ROLE_DATA, ROLE_NEEDS, ROLES_THAT_STAY, RoleName
from tests.hosts import kube_box
from tests.hosts.box import Box, fresh_box, role
from tests.playbooks.cases import CASES, Case
from tests.playbooks.fake_vendor import SERVED, URI, FakeVendor

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.hosts, pytest.mark.matrix]

STAGES = ("fresh", "second run", "upgrade", "changed setting", "removed")
FINGERPRINT = f"{SERVED}/fingerprint"


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    folder = tmp_path_factory.mktemp("matrix")
    with fresh_box(folder, "matrix") as made:
        vendor = FakeVendor(made, folder)
        vendor.serve()
        vendor.publish_all()
        kube_box.publish(vendor)
        made.run(f"echo {vendor.fingerprint} > {FINGERPRINT}")
        yield made


def needed(name: RoleName) -> tuple[RoleName, ...]:
    """The role and all that it needs, in running order."""
    found = {name, *(need for direct in ROLE_NEEDS[name] for need in needed(direct))}
    return tuple(one for one in ROLE_NEEDS if one in found)


def give(box: Box, name: RoleName, **changed: object) -> None:
    """Let the host be one that should have the role, and what it needs."""
    settings = {one: given(box, one) | (changed if one == name else {}) for one in needed(name)}
    box.target = replace(box.target, roles=tuple(role(one, **own) for one, own in settings.items()))


def given(box: Box, name: RoleName) -> dict[str, Any]:
    """The settings of a role's case, with the source that the fake maker has on the host."""
    case = CASES[name]
    if case.maker is None:
        return case.settings
    key = box.run(f"cat {FINGERPRINT}").strip()
    return {**case.settings, "repository": f"{URI}{case.maker}", "repository_key": key}


def run(box: Box, *names: RoleName) -> None:
    """Run roles and have it written down; the host is in order then."""
    box.configure(*names)
    assert box.record().problem is None
    assert box.found() == {}


def flaws(box: Box, name: RoleName) -> tuple[str, ...]:
    """The live checks of the role that fail, once those that only have not begun yet hold."""
    found: tuple[str, ...] = ()
    for _ in range(20):
        checks = box.look(with_checks=True).checks or ()
        found = tuple(check.message.partition(": no: ")[0] for check in checks if check.role == name)
        if found == CASES[name].flaws:
            break
    return found


def fresh(box: Box, name: RoleName, case: Case) -> None:
    give(box, name)
    # What an earlier case needed, and this one does not.
    gone = box.look().gone_roles
    for other in (one for one in reversed(ROLE_NEEDS) if one in gone):
        box.take_off(other, delete=ROLE_DATA.get(other, ()))
        assert box.record().problem is None
    if case.bring is not None:
        case.bring(box)
    before = box.run("dpkg-query --show; find /etc -type f | sort")
    checked = box.check()
    assert "changed=0 " not in checked
    assert box.run("dpkg-query --show; find /etc -type f | sort") == before
    missing = tuple(one for one, look in box.look().roles.items() if look.state != RoleState.IN_ORDER)
    assert name in missing
    box.configure(*(one for one in needed(name) if one in missing))
    assert box.record().problem is None
    assert box.found() == {}
    assert box.look().roles[name].not_observed == ()
    assert flaws(box, name) == case.flaws
    command, text = case.shows
    assert text not in box.run(command)


def second_run(box: Box, name: RoleName, _case: Case) -> None:
    run(box, name)
    assert box.done.changed_count == 0


def upgrade(box: Box, name: RoleName, case: Case) -> None:
    """An older version, made of the archive's own package, is replaced by the archive's."""
    if case.file:
        whole = box.run(f"cat {case.file}")
        box.run(f"echo older > {case.file}")
        assert f"{case.file}: content changed" in box.found()[name]
        run(box, name)
        assert box.run(f"cat {case.file}") == whole
        return
    version = box.run(f"dpkg-query --show --showformat='${{Version}}' {case.package}")
    box.run(
        f"rm -rf /root/old && mkdir -p /root/old && cd /root/old"
        f" && apt-get download {case.package} && dpkg-deb -R *.deb one"
        f" && sed -i 's/^Version: .*/&~old/' one/DEBIAN/control && dpkg-deb -Znone -b one old.deb"
        f" && dpkg --install --force-downgrade --force-depends --force-confold old.deb"
    )
    assert any("~old" in message for message in box.found()[name]), box.found()
    run(box, name)
    assert box.run(f"dpkg-query --show --showformat='${{Version}}' {case.package}") == version
    assert flaws(box, name) == case.flaws


def changed_setting(box: Box, name: RoleName, case: Case) -> None:
    give(box, name, **case.changed)
    found = box.look().roles[name]
    assert (found.state, set(found.changed_settings)) == (RoleState.SETTINGS_CHANGED, set(case.changed))
    run(box, name)
    command, text = case.shows
    assert text in box.run(command)
    run(box, name)
    assert box.done.changed_count == 0
    assert flaws(box, name) == case.flaws


def data_of(box: Box, name: RoleName) -> set[str]:
    """The role's folders for data that are there."""
    return {path for path in ROLE_DATA.get(name, ()) if box.run(f"test -d {path} && echo there || :")}


def removed(box: Box, name: RoleName, case: Case) -> None:
    if name in ROLES_THAT_STAY:
        return
    before = data_of(box, name)
    for path in before:  # dpkg takes along what is empty
        box.run(f'[ -n "$(ls -A {path})" ] || touch {path}/kept')
    box.target = replace(box.target, roles=tuple(one for one in box.target.roles if one.name != name))
    assert box.look().gone_roles == (name,)
    box.take_off(name)
    assert box.done.removed == (name,)
    assert box.record().problem is None
    assert (box.look().gone_roles, box.found()) == ((), {})
    for path in case.gone:
        box.run(f"test ! -e {path}")
    # Of its folders for data those that it uses: one runtime has its own, and not the others'. Kubernetes makes its own
    # when it goes.
    data = data_of(box, name)
    assert data >= before
    assert bool(data) == bool(ROLE_DATA.get(name))
    # Once more, as a run does that was killed before it wrote the manifest.
    box.take_off(name)
    assert box.done.changed_count == 0
    # And back again: nothing of what it left is in its way.
    give(box, name)
    if case.bring is not None:
        case.bring(box)
    run(box, name)
    assert flaws(box, name) == case.flaws
    box.take_off(name, delete=ROLE_DATA.get(name, ()))
    assert box.record(replace(box.target, roles=box.target.roles[:-1])).problem is None
    for path in ROLE_DATA.get(name, ()):
        box.run(f"test ! -e {path}")


DONE = dict(zip(STAGES, (fresh, second_run, upgrade, changed_setting, removed), strict=True))


@pytest.mark.parametrize(("name", "stage"), list(product(CASES, STAGES)))
def test_a_role_holds_whatever_happens_to_it(box: Box, name: RoleName, stage: str) -> None:
    DONE[stage](box, name, CASES[name])


def test_every_role_is_taken_through_the_stages() -> None:
    assert set(CASES) == set(ROLE_NEEDS)
