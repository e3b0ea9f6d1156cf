from __future__ import annotations

import pytest

from leptonctl.hosts.containers import Containers, containers_of
from leptonctl.hosts.reach import Reply
from leptonctl.planning.observed import Reach


def test_a_host_tells_its_containers_by_runtime() -> None:
    answer = b'{"installed": ["docker.io"], "running": {"docker": ["web", "db"]}}\n'
    assert containers_of(Reply("core/a", Reach.OK, 0, answer)) == Containers({"docker": ("web", "db")})


@pytest.mark.parametrize("answer", [b"", b"[]", b'{"installed": []}', b'{"running": []}', b"no JSON"])
def test_an_answer_of_another_shape_is_no_answer(answer: bytes) -> None:
    found = containers_of(Reply("core/a", Reach.OK, 1, answer, b"one\nTraceback: two\n"))
    assert found == Containers(problem="the host's answer was not understood: Traceback: two")


def test_a_host_that_cannot_be_asked_is_not_one_without_containers() -> None:
    reply = Reply("core/a", Reach.UNREACHABLE, detail="10.0.0.1:22: no answer within 30 s")
    assert containers_of(reply) == Containers(problem="10.0.0.1:22: no answer within 30 s")
