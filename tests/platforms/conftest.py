"""A local platform of a site that no other test has; everything with its mark is removed afterwards."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest

from leptonctl.platforms.base import Context
from leptonctl.platforms.local import LocalPlatform
from leptonctl.platforms.podman import Podman, find_podman
from leptonctl.progress import silent
from tests.moto_account import moto_account

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def podman() -> Podman:
    """The podman of this machine."""
    return find_podman()


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """A site of its own."""
    site = f"test-{secrets.token_hex(4)}"
    return Context(site, 'Ops, "night" shift', site_dir=tmp_path, state_dir=tmp_path / ".leptonctl" / site)


@pytest.fixture
def local(context: Context) -> Iterator[LocalPlatform]:
    """The local platform of that site."""
    platform = LocalPlatform(context)
    try:
        yield platform
    finally:
        for location in sorted({one.location for one in platform.leftovers()}):
            platform.destroy(location, delete_data=frozenset({"all"}), report=silent)
        assert platform.leftovers() == ()


@pytest.fixture
def ec2(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """AWS as moto plays it in this process, and a client of its EC2 in eu-central-1."""
    import boto3  # noqa: PLC0415 - heavy, and only what uses it shall wait for it

    with moto_account(monkeypatch):
        yield boto3.client("ec2", region_name="eu-central-1")
