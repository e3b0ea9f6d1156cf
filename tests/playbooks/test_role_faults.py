"""Faults under the roles of accelerators on a real host: a locked package manager, a full disk, no mirror, a reboot.

The packages are fakes with the makers' names (`fake_vendor`).
After each fault the same run again, without it, ends well.
"""

from __future__ import annotations

import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from leptonctl.hosts.configured import HostConfigured
from leptonctl.hosts.reach import Request
from leptonctl.hosts.ssh import run_all
from leptonctl.planning.observed import Reach
from tests.hosts.box import ADDRESS, fresh_box
from tests.playbooks.fake_vendor import FakeVendor, driver_packages

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.hosts, pytest.mark.matrix]

NAME = "faults"
CACHE = "/var/cache/apt/archives"
# Holds the lock that apt takes, as another apt would, and lets it go after a minute.
HOLD = (
    "import fcntl, pathlib, time; file = open('/var/lib/dpkg/lock-frontend', 'wb'); fcntl.lockf(file, fcntl.LOCK_EX);"
    " pathlib.Path('/run/held').touch(); time.sleep({seconds})"
)
# The first configuration of the package never ends, so that a reboot comes in the middle of it.
POSTINST = "#!/bin/sh\nif rm /var/lib/fake-vendor-waits 2>/dev/null; then exec sleep 3600; fi\n"


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeVendor]:
    folder = tmp_path_factory.mktemp(NAME)
    with fresh_box(folder, NAME) as box:
        made = FakeVendor(box, folder)
        made.serve()
        made.publish_all()
        assert made.ask() is None
        yield made


def asked(vendor: FakeVendor, name: str) -> dict[str, dict[str, Any]]:
    """One role of accelerators with its settings."""
    settings = {
        "gpu_driver": vendor.driver(),
        "gpu_container_toolkit": vendor.source(),
        "fpga": vendor.source("/fpga"),
    }
    return {name: settings[name]}


def wait_for_host(vendor: FakeVendor) -> None:
    """Until it answers again after it was switched on."""
    end = time.monotonic() + 120
    asked = Request(ADDRESS, vendor.box.target.endpoint, "systemctl is-system-running --wait || :")
    while run_all([asked], timeout_s=60)[ADDRESS].reach != Reach.OK:
        assert time.monotonic() < end, "the host did not come back"
        time.sleep(1)


def is_in_order(vendor: FakeVendor, name: str) -> bool:
    """The role runs without a fault, all that it manages is seen to be so, and it is taken off again."""
    assert vendor.ask(**asked(vendor, name)) is None
    assert vendor.box.record().problem is None
    assert vendor.box.found() == {}
    vendor.box.take_off(name)
    return vendor.box.done.failure is None


@pytest.mark.parametrize("name", ["gpu_container_toolkit", "fpga"])
def test_a_mirror_that_is_down_is_named_and_nothing_is_changed(vendor: FakeVendor, name: str) -> None:
    """As test_accelerator_sources has it of gpu_driver, which asks for its source in the same way."""
    settings = {**asked(vendor, name)[name], "repository": "http://127.0.0.1:9"}
    message = vendor.ask(**{name: settings})
    assert message is not None
    assert message.endswith(": [Errno 111] Connection refused")
    assert vendor.box.run("find /etc/apt -name 'leptonctl-*.sources'") == ""


@pytest.mark.parametrize("name", ["gpu_container_toolkit", "fpga"])
def test_a_full_disk_is_told_and_the_next_run_goes_on(vendor: FakeVendor, name: str) -> None:
    """As tests/e2e/test_gpu_driver.py has it with Debian's own packages, and test_hardening with rules."""
    vendor.box.run(f"mount -t tmpfs -o size=8k,mode=755 tmpfs {CACHE} && mkdir {CACHE}/partial")
    vendor.box.run(f"head --bytes=8192 /dev/zero > {CACHE}/full")
    try:
        message = vendor.ask(**asked(vendor, name))
    finally:
        vendor.box.run(f"umount {CACHE}")
    assert message is not None
    assert f"You don't have enough free space in {CACHE}/." in message
    assert is_in_order(vendor, name)


@pytest.mark.parametrize("name", ["gpu_driver", "gpu_container_toolkit", "fpga"])
def test_a_package_manager_that_another_process_holds_for_a_minute_is_waited_for(vendor: FakeVendor, name: str) -> None:
    program = HOLD.format(seconds=60)
    vendor.box.run("rm -f /run/held; systemctl reset-failed held.service 2>/dev/null || :")
    vendor.box.run(f'systemd-run --quiet --unit=held python3 -c "{program}"')
    vendor.box.run("while ! test -e /run/held; do sleep 0.1; done")
    assert vendor.ask(**asked(vendor, name)) is None
    assert "the package manager is held by python3 (process" in vendor.box.last_log()
    assert vendor.box.run("systemctl is-active held || :").strip() == "inactive"
    assert is_in_order(vendor, name)


def test_a_host_that_was_rebooted_while_a_role_installed_packages_is_put_right_by_the_next_run(
    vendor: FakeVendor,
) -> None:
    vendor.publish("/", "/3bf863cc.pub", *driver_packages(postinst=POSTINST))
    vendor.box.run("touch /var/lib/fake-vendor-waits")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(vendor.ask, **asked(vendor, "gpu_driver"))
        vendor.box.run("while test -e /var/lib/fake-vendor-waits; do sleep 0.2; done")
        container = f"lepton-{NAME}-{os.getpid()}.core.box-1"
        subprocess.run(["podman", "restart", "--time=0", container], check=True, capture_output=True)
        running.result()
    assert vendor.box.done.status != "ok", vendor.box.done
    wait_for_host(vendor)
    assert "nvidia-driver-cuda" in vendor.box.run("dpkg --audit")
    vendor.serve()
    vendor.box.done = HostConfigured(ADDRESS, "ok")
    assert is_in_order(vendor, "gpu_driver")
    assert vendor.box.run("dpkg --audit") == ""
