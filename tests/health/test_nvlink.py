"""NVLink's status and error counters; the shape is that of `nvidia-smi nvlink` on an H100 (public transcripts)."""

from __future__ import annotations

import pytest

from leptonctl.health.nvlink import read_links
from leptonctl.health.readings import LinkReading
from leptonctl.health.smi import NotUnderstood

GPU = "GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-5a10e6e5-95f7-2785-ed63-6f6147f304f7)"
UUID = "GPU-5a10e6e5-95f7-2785-ed63-6f6147f304f7"


def test_speed_and_errors_of_every_link_are_read() -> None:
    status = f"{GPU}\n\t Link 0: 26.562 GB/s\n\t Link 1: <inactive>\n"
    errors = f"{GPU}\n\t Link 0: Replay Errors: 1\n\t Link 0: Recovery Errors: 2\n\t Link 0: CRC Errors: 0\n\n"
    assert read_links(status, errors) == (
        LinkReading(gpu_uuid=UUID, link=0, speed_gbps=26.562, errors=3),
        LinkReading(gpu_uuid=UUID, link=1, speed_gbps=None),
    )


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ("Link 0: 26 GB/s", "`nvidia-smi nvlink` began with 'Link 0: 26 GB/s', not with a GPU"),
        (f"{GPU}\n\t Link 0: fast", "a line of `nvidia-smi nvlink --status` was not understood: 'Link 0: fast'"),
    ],
)
def test_another_shape_is_refused(status: str, message: str) -> None:
    with pytest.raises(NotUnderstood) as caught:
        read_links(status, "")
    assert caught.value.message == message
