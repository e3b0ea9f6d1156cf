"""The levels of a health check: how much is asked of the hardware."""

from __future__ import annotations

from enum import StrEnum


class Level(StrEnum):
    """How thoroughly accelerators are looked at."""

    QUICK = "quick"
    """What hosts say of themselves: seconds, and nothing is started on a GPU."""
    FULL = "full"
    """A memory and matrix-multiply burn on every GPU before that: minutes, and nothing else may run on them."""
    NCCL = "nccl"
    """An all-reduce over all GPUs of a group before that: what the links between hosts carry."""
