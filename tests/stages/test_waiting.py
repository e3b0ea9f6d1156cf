from __future__ import annotations

from datetime import UTC, datetime, timedelta

from leptonctl.planning.observed import Endpoint, HostLook, Observed, ObservedLocation, Reach
from leptonctl.stages.waiting import BOOT_LIMIT, booting_hosts

NOW = datetime(2026, 1, 1, tzinfo=UTC)
YOUNG, OLD = NOW - timedelta(seconds=30), NOW - BOOT_LIMIT


def observed(hosts: dict[str, tuple[Reach, datetime | None]]) -> Observed:
    endpoints = {address: Endpoint("10.0.0.1", started_at=started) for address, (_, started) in hosts.items()}
    looks = {address: HostLook(address, reach, NOW, {}) for address, (reach, _) in hosts.items()}
    return Observed(locations={"core": ObservedLocation("core", (), endpoints), "edges/shop": None}, looks=looks)


def test_only_a_young_host_that_did_not_answer_is_booting() -> None:
    hosts = {
        "core/young": (Reach.UNREACHABLE, YOUNG),
        "core/answers": (Reach.OK, YOUNG),
        "core/wrong-key": (Reach.HOST_KEY_CHANGED, YOUNG),
        "core/refused": (Reach.PERMISSION_DENIED, YOUNG),
        "core/old": (Reach.UNREACHABLE, OLD),
        "core/age-unknown": (Reach.UNREACHABLE, None),
    }
    assert booting_hosts(observed(hosts), NOW) == ("core/young",)


def test_a_host_that_left_is_not_waited_for() -> None:
    there = observed({"core/young": (Reach.UNREACHABLE, YOUNG)})
    gone = Observed(locations={"core": None}, looks=there.looks)
    assert booting_hosts(gone, NOW) == ()
