"""Whether a box's root is read-only, told from the kernel's list of mounts."""

from __future__ import annotations

import runpy

import pytest

from leptonctl.assets import asset

LOOK = runpy.run_path(str(asset("playbooks", "roles", "edge", "files", "root.py")))
PLAIN = "/dev/sda1 / ext4 rw,relatime 0 0\nproc /proc proc rw 0 0\n"
# As overlayroot's own script leaves it: the two halves, and what is put together of them on top.
OVERLAID = (
    "/dev/sda1 /media/root-ro ext4 ro,relatime 0 0\n"
    "tmpfs-root /media/root-rw tmpfs rw,relatime 0 0\n"
    "overlayroot / overlay rw,lowerdir=/media/root-ro,upperdir=/media/root-rw/overlay 0 0\n"
)
CONTAINER = "overlay / overlay rw,lowerdir=/var/lib/containers/a,upperdir=/var/lib/containers/b 0 0\n"


@pytest.mark.parametrize(("mounts", "expected"), [(PLAIN, False), (OVERLAID, True), (CONTAINER, False), ("", False)])
def test_only_a_root_that_overlayroot_made_is_read_only(mounts: str, expected: bool) -> None:  # noqa: FBT001 - a table
    assert LOOK["is_in_force"](mounts) is expected
