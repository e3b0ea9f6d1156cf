"""One real local host with all roles, for all tests of this folder that break it and look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hosts.box import ADDRESS, Box, fresh_box, role
from tests.hosts.fake_ssh_server import write_key

# What a failed comparison there differs in is worth more than that it failed.
pytest.register_assert_rewrite("tests.hosts.tampering")

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    state = tmp_path_factory.mktemp("box")
    with fresh_box(state, "box") as made:
        users = [{"name": "ops", "full_name": "Operator", "ssh_keys": [write_key(state / "ops")], "sudo": True}]
        endpoint = f"{made.target.endpoint.hostname}:9100"
        scraped = {"host": ADDRESS, "location": "core", "tier": "core", "endpoint": endpoint}
        made.become(
            role("base", users=users),
            role("container_runtime", snapshotter="native", registry_mirrors={"docker.io": "http://127.0.0.1:5000"}),
            role("monitoring_agent"),
            role("monitoring_server", webhook_url="env:HOOK", targets=[scraped]),
        )
        yield made
