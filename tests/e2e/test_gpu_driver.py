"""The driver of GPUs on real local hosts, which have none: Debian's is installed, and nobody says that it runs."""

from collections.abc import Callable

import pytest

from tests.e2e.local_site import Site

pytestmark = [pytest.mark.hosts, pytest.mark.matrix]

BOX, LOST = "core/box-1", "core/lost-1"
SITE = """\
core:
  platform: local
  nodes:
    box:
      count: 1
      roles: [base, gpu_driver]
      software:
        gpu_driver: {{{settings}}}
    lost:
      count: 1
      roles: [base, gpu_driver]
      accelerators: {{gpus: {{count: 1, model: T4}}}}
"""
NOT_LOADED = (
    "the GPU driver is loaded: no: exit 1: installed, not loaded: no GPU on the PCI bus;"
    " this is a container (podman), and the kernel is the machine's;"
    " no module nvidia-current or nvidia was built for the kernel {kernel}"
)


def write(site: Site, settings: str) -> None:
    header = "\n".join(site.file.read_text().splitlines()[:2])
    site.file.write_text(header + "\n" + SITE.format(settings=settings))


@pytest.fixture(scope="module")
def site(make_site: Callable[[str, str], Site]) -> Site:
    return make_site("gpu", SITE.format(settings='version: "535.261.03*"'))


def test_a_full_disk_is_told_and_the_next_run_goes_on(site: Site) -> None:
    """Also the first run, on both hosts: what is declared and not there stops its host before anything is installed.

    A run of some roles says nothing about GPUs: their driver has not come yet.
    """
    assert "out of service" not in site.up("--roles", "base").stdout
    cache = "/var/cache/apt/archives"
    site.on(BOX, "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", cache)
    try:
        answer = site.up()
    finally:
        site.on(BOX, "umount", cache)
    assert answer.exit_code == 5
    told = dict(answer.problems())
    assert "You don't have enough free space in /var/cache/apt/archives/." in told[BOX]
    assert "the site file declares 1 NVIDIA GPU, none is on the PCI bus" in told[LOST]
    assert "nvidia" not in site.on(LOST, "dpkg-query", "--show")
    assert site.on(LOST, "find", "/etc/apt", "-name", "*gpu*") == ""


def test_debians_driver_is_installed_and_verify_says_why_it_is_not_loaded(site: Site) -> None:
    answer = site.up("--only", BOX)
    assert answer.host(BOX)["status"] == "changed", answer.problems()
    assert "535.261.03-1" in site.on(BOX, "dpkg-query", "--show", "nvidia-smi")
    assert site.on(BOX, "apt-mark", "showhold").split() == ["libcuda1", "nvidia-kernel-dkms", "nvidia-smi"]
    verified = site.run("verify", "--only", BOX)
    assert verified.exit_code == 6
    kernel = site.on(BOX, "uname", "-r").strip()
    assert verified.problems() == [(BOX, NOT_LOADED.format(kernel=kernel))]
    assert site.on(BOX, "systemctl", "--failed", "--quiet", "--no-legend") == ""


def test_an_update_of_the_archive_moves_no_part_of_the_driver(site: Site) -> None:
    site.on(BOX, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "upgrade", "--yes", "-qq")
    assert "535.261.03-1" in site.on(BOX, "dpkg-query", "--show", "libnvidia-ml1")


def test_another_version_in_the_site_file_moves_all_of_it(site: Site) -> None:
    write(site, 'version: "535.309.01*", reboot: if_needed')
    answer = site.up("--only", BOX)
    assert answer.host(BOX)["status"] == "changed", answer.problems()
    shown = site.on(BOX, "dpkg-query", "--show", "nvidia-smi", "libcuda1", "nvidia-kernel-dkms", "libnvidia-cfg1")
    assert {line.split("\t")[1] for line in shown.splitlines()} == {"535.309.01-0+deb12u1"}
    again = site.up("--only", BOX)
    assert again.host(BOX)["status"] == "in_order", again.problems()
