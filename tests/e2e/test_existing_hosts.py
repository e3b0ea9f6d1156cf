"""The platform `ssh`: hosts that exist, here two local hosts that another site made."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.local_site import Site, podman

pytestmark = pytest.mark.hosts

MACHINES = """
core:
  platform: local
  nodes:
    box: {count: 2, roles: []}
"""
ADDRESSES = ("core/box-1", "core/box-2")


@pytest.fixture(scope="module")
def machines(make_site: Callable[[str, str], Site]) -> Site:
    """Two hosts with nothing on them but what their image has."""
    made = make_site("machines", MACHINES)
    done = made.up()
    assert len(made.podman("ps", "--quiet").split()) == 2, done.stdout
    return made


@pytest.fixture
def site(machines: Site, tmp_path: Path) -> Site:
    key = machines.file.parent / ".leptonctl" / machines.name / "ssh" / "id_ed25519"
    hosts = "\n".join(
        f"        - {{name: machine-{number}, address: {label(machines, address, 'address')},"
        f" host_key: {label(machines, address, 'host-key')}}}"
        for number, address in enumerate(ADDRESSES, 1)
    )
    file = tmp_path / "site.yaml"
    file.write_text(
        "site: metal\nowner: tests@example.com\ncore:\n  platform: ssh\n"
        f"  ssh: {{user: root, key: {key}}}\n  nodes:\n    box:\n      hosts:\n{hosts}\n      roles: [base]\n"
    )
    return Site("metal", file)


def label(machines: Site, address: str, name: str) -> str:
    form = f'{{{{index .Config.Labels "leptonctl.{name}"}}}}'
    return podman("inspect", "--format", form, machines.container(address)).strip()


def test_hosts_are_configured_verified_and_left_as_they_are(machines: Site, site: Site) -> None:
    up = site.up()
    assert (up.exit_code, up.problems()) == (0, [])
    assert {up.host(f"core/machine-{number}")["status"] for number in (1, 2)} == {"changed"}
    assert site.run("verify").exit_code == 0
    assert site.up().result["data"]["message"] == "nothing to do: all is as the site file says"
    down = site.run("down", "--yes")
    assert (down.exit_code, down.result["locations"][0]["detail"]) == (
        0,
        "its hosts were there before, and are left as they are",
    )
    assert len(machines.podman("ps", "--quiet").split()) == 2


def test_a_port_that_refuses_and_a_wrong_key_are_told_apart(site: Site, tmp_path: Path, machines: Site) -> None:
    text = site.file.read_text()
    wrong = tmp_path / "wrong"
    wrong.write_text((machines.file.parent / ".leptonctl" / machines.name / "ssh" / "id_ed25519").read_text())
    import subprocess  # noqa: PLC0415 - only here

    wrong.unlink()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(wrong)], check=True)
    head, _, rest = text.partition("key: ")
    site.file.write_text(f"{head}key: {wrong}}}\n" + rest.partition("}\n")[2])
    denied = site.up()
    assert denied.exit_code == 9, denied.stdout
    assert len(denied.problems()) == 2
    assert all("user root refused with" in message for _, message in denied.problems())
    site.file.write_text(text.replace("user: root", "user: root, port: 2222"))
    refused = site.up()
    assert refused.exit_code == 9, refused.stdout
    assert all("refused" in message for _, message in refused.problems())


def test_a_host_key_that_is_not_the_one_in_the_file_is_refused(site: Site) -> None:
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
    lines = site.file.read_text().splitlines(keepends=True)
    changed = [
        line.partition("host_key: ")[0] + f"host_key: {other}}}\n" if "machine-2" in line else line for line in lines
    ]
    site.file.write_text("".join(changed))
    refused = site.up()
    assert refused.exit_code == 7, refused.stdout
    (problem,) = [message for where, message in refused.problems() if where == "core/machine-2"]
    assert problem.count("SHA256:") == 2
