"""The simulated hosts of the benchmarks: what they answer is the real program's, and what is done to them is seen."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from leptonctl.hosts.probe import look_requests
from leptonctl.hosts.reach import Request
from leptonctl.hosts.ssh import run_all
from leptonctl.hosts.target import Target
from leptonctl.planning.diff import diff
from leptonctl.planning.observed import HostLook, Reach, RoleState
from leptonctl.platforms.ssh_facts import look_program, read_facts
from leptonctl.session import Session, open_session
from leptonctl.stages import preflight
from leptonctl.stages.applying import changing
from leptonctl.stages.looking import Looked, look_at_hosts, look_at_platforms, targets
from simulated_hosts import HOST_KEY, LOOK_ANSWER, MANIFEST, answer
from simulated_site import SimulatedSite, simulated_site

ROLES = ("base", "container_runtime", "monitoring_agent")
# Beside the benchmarks' own, which may run at the same time.
PORT = 20023


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedSite]:
    with simulated_site(tmp_path_factory.mktemp("simulated"), 3, port=PORT) as made:
        yield made


@pytest.fixture
def session(site: SimulatedSite) -> Session:
    return open_session(site.file, environ={})


@pytest.fixture
def host(site: SimulatedSite, tmp_path: Path) -> Iterator[Path]:
    """The folder of the host box-0001, put back at the end."""
    folder = site.host_folder(1)
    shutil.copytree(folder, tmp_path / "kept")
    yield folder
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "kept", folder)


def aims(session: Session) -> tuple[Target, ...]:
    return targets(session, look_at_platforms(session).observed, session.desired)


def looks(session: Session) -> dict[str, HostLook]:
    looked: Looked = look_at_hosts(session, look_at_platforms(session), session.desired)
    return dict(looked.observed.looks)


def test_simulated_hosts_are_in_order_each_asked_once(site: SimulatedSite, session: Session) -> None:
    site.connections()
    found = looks(session)
    assert {address: one.is_in_order for address, one in found.items()} == dict.fromkeys(
        ["regions/r0/box-0000", "regions/r0/box-0001", "regions/r0/box-0002"], True
    )
    assert site.connections().by_host == dict.fromkeys(found, 1)


def test_each_has_a_host_key_of_its_own_and_another_key_is_refused(site: SimulatedSite, session: Session) -> None:
    keys = {site.host_folder(number).joinpath(f"{HOST_KEY}.pub").read_text() for number in range(3)}
    assert len(keys) == 3
    first, second, _ = aims(session)
    swapped = Request("a", replace(second.endpoint, host_keys=first.endpoint.host_keys), "true")
    assert run_all([swapped], timeout_s=10)["a"].reach == Reach.HOST_KEY_CHANGED


def test_what_is_changed_on_one_is_seen_under_its_role(session: Session, host: Path) -> None:
    (host / "base.conf").write_text("by hand\n")
    (host / "monitoring_agent.conf").chmod(0o600)
    found = looks(session)
    roles = found["regions/r0/box-0001"].roles
    assert {name: [difference.message for difference in roles[name].differences] for name in ROLES} == {
        "base": [f"{host}/base.conf: content changed"],
        "container_runtime": [],
        "monitoring_agent": [f"{host}/monitoring_agent.conf: mode 0600, should be 0644"],
    }
    assert [address for address, one in found.items() if not one.is_in_order] == ["regions/r0/box-0001"]


@pytest.mark.parametrize("damage", ["forged", "cut off", "deleted"])
def test_a_manifest_that_is_not_the_recorded_one_is_not_trusted(session: Session, host: Path, damage: str) -> None:
    manifest = host / MANIFEST
    text = manifest.read_text()
    if damage == "deleted":
        manifest.unlink()
    else:
        manifest.write_text(text[:-20] if damage == "cut off" else text.replace("0644", "0666"))
    states = {name: role.state for name, role in looks(session)["regions/r0/box-0001"].roles.items()}
    assert states == dict.fromkeys(ROLES, RoleState.NO_TRUSTED_MANIFEST)


def test_the_answer_is_what_the_program_prints_that_leptonctl_sends(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (request, *_) = look_requests(aims(session), digests={})
    program = request.stdin.decode().replace("/var/lib/leptonctl", str(tmp_path / "nothing"))
    real = subprocess.run([sys.executable, "-"], input=program, capture_output=True, text=True, check=True)
    monkeypatch.setattr("leptonctl.hosts.remote.host_side.MANIFEST", tmp_path)
    simulated, status = answer(request.command, request.stdin, tmp_path / "nothing")
    assert (json.loads(simulated), status) == (json.loads(real.stdout), 0)


def test_the_first_look_at_a_machine_has_the_names_of_the_real_one() -> None:
    real = subprocess.run(["sh"], input=look_program(), capture_output=True, check=True)
    assert list(read_facts(real.stdout)) == list(read_facts(LOOK_ANSWER.encode()))


def test_what_is_not_simulated_fails(tmp_path: Path) -> None:
    assert answer("apt-get update", b"", tmp_path) == ("a simulated host cannot do this: apt-get update\n", 127)


def test_a_host_that_was_in_order_is_not_asked_again(site: SimulatedSite, session: Session, host: Path) -> None:
    (host / "base.conf").write_text("by hand\n")
    platforms = look_at_platforms(session)
    before = look_at_hosts(session, platforms, session.desired)
    site.connections()
    again = look_at_hosts(session, platforms, session.desired, before=before)
    assert site.connections().by_host == {"regions/r0/box-0001": 1}
    assert again.observed.looks.keys() == before.observed.looks.keys()
    touched = before.but_for({"regions/r0/box-0002"})
    look_at_hosts(session, platforms, session.desired, before=touched)
    assert site.connections().by_host == {"regions/r0/box-0001": 1, "regions/r0/box-0002": 1}


def test_a_host_that_should_be_something_else_now_is_asked_again(site: SimulatedSite, session: Session) -> None:
    platforms = look_at_platforms(session)
    before = look_at_hosts(session, platforms, session.desired)
    site.connections()
    (location, *_) = (one for one in session.desired.locations if one.hosts)
    first, *others = location.hosts
    fewer = replace(first, roles=first.roles[:1])
    locations = tuple(
        replace(one, hosts=(fewer, *others)) if one.address == location.address else one
        for one in session.desired.locations
    )
    changed = replace(session, desired=replace(session.desired, locations=locations))
    look_at_hosts(changed, platforms, changed.desired, before=before)
    assert site.connections().by_host == {first.address: 1}


def test_before_roles_run_only_the_machines_of_their_location_are_looked_at(
    site: SimulatedSite, session: Session, host: Path
) -> None:
    def looked_at() -> list[str]:
        seen = look_at_hosts(session, look_at_platforms(session), session.desired)
        planned = diff(session.desired, seen.observed)
        site.connections()
        preflight.pass_or_raise(session, preflight.ask(session, changing(planned)))
        return sorted(site.connections().by_host)

    assert looked_at() == []
    (host / "base.conf").write_text("by hand\n")
    assert looked_at() == [f"regions/r0/box-000{number}" for number in range(3)]
