from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.planning.observed import ObservedResource
from leptonctl.platforms.aws_waiting import wait_until_gone

if TYPE_CHECKING:
    from leptonctl.progress import Progress


def machine(number: int, status: str) -> ObservedResource:
    return ObservedResource("host", f"core/box-{number}", "core", f"i-{number}", status, platform="aws")


def test_what_is_on_its_way_out_is_waited_for_and_told() -> None:
    looks = [(machine(1, "shutting-down"), machine(2, "shutting-down")), (machine(2, "shutting-down"),), ()]
    told: list[Progress] = []
    pauses: list[float] = []
    assert wait_until_gone(lambda: looks[len(pauses)], "core", told.append, pause=pauses.append) == ()
    assert [one.message for one in told] == [
        "waiting for 2 that are on their way out: i-1 (shutting-down), i-2 (shutting-down)",
        "waiting for 1 that are on their way out: i-2 (shutting-down)",
    ]


def test_what_does_not_go_is_still_there_when_the_limit_is_reached() -> None:
    stuck = (machine(1, "shutting-down"),)
    pauses: list[float] = []
    assert wait_until_gone(lambda: stuck, "core", lambda _: None, limit_s=30, pause=pauses.append) == stuck
    assert sum(pauses) == 30


def test_what_stays_is_not_waited_for() -> None:
    kept = (machine(1, "stopped"),)
    pauses: list[float] = []
    assert wait_until_gone(lambda: kept, "core", lambda _: None, pause=pauses.append) == kept
    assert pauses == []
