from __future__ import annotations

import pytest

from leptonctl.hosts.hdfs_data import HdfsData, hdfs_data_of
from leptonctl.hosts.reach import Reply
from leptonctl.planning.observed import Reach


def test_a_host_tells_its_names_and_the_cluster_of_its_blocks() -> None:
    answer = b'{"names": false, "other": ["lost+found"], "blocks": {"data": "CID-1"}}\n'
    expected = HdfsData(has_names=False, others=("lost+found",), blocks={"data": "CID-1"})
    assert hdfs_data_of(Reply("core/a", Reach.OK, 0, answer)) == expected


@pytest.mark.parametrize("answer", [b"", b"[]", b'{"names": true}', b'{"names": 1, "other": 2}', b"no JSON"])
def test_an_answer_of_another_shape_is_no_answer(answer: bytes) -> None:
    found = hdfs_data_of(Reply("core/a", Reach.OK, 1, answer, b"one\nTraceback: two\n"))
    assert found == HdfsData(problem="the host's answer was not understood: Traceback: two")


def test_a_host_that_cannot_be_asked_is_not_one_without_data() -> None:
    reply = Reply("core/a", Reach.UNREACHABLE, detail="10.0.0.1:22: no answer within 30 s")
    assert hdfs_data_of(reply) == HdfsData(problem="10.0.0.1:22: no answer within 30 s")
