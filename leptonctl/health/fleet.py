"""Judges a location: what all hosts have in common is no hardware, and a breaker limits what is taken out. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import floor
from typing import TYPE_CHECKING

from leptonctl.health.verdict import Verdict, worst
from leptonctl.health.xid import xid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from leptonctl.health.judge import HostHealth
    from leptonctl.health.policy import Policy
    from leptonctl.health.readings import HostReading


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with the hosts of a location.

    `out` are those to take out of service, worst first; `held` are those that should go too and stay because of the
    breaker, which a person has to decide. In shadow mode both are empty and `would` has them all.
    """

    verdict: Verdict
    out: tuple[str, ...]
    held: tuple[str, ...]
    would: tuple[str, ...]


def without_shared_errors(readings: Mapping[str, HostReading], policy: Policy) -> dict[str, HostReading]:
    """The readings without application errors that many hosts had at the same time: one job crashed on all of them."""
    hosts_by_code: dict[int, list[tuple[float, str]]] = {}
    for host, reading in readings.items():
        for event in reading.xids or ():
            if xid(event.code).is_application:
                hosts_by_code.setdefault(event.code, []).append((event.at_s, host))
    shared = {
        code: _crowded(sorted(found), policy["everywhere_s"], policy["everywhere_hosts"])
        for code, found in hosts_by_code.items()
    }
    return {
        host: reading
        if reading.xids is None
        else replace(
            reading,
            xids=tuple(
                one
                for one in reading.xids
                if not any(low <= one.at_s <= high for low, high in shared.get(one.code, ()))
            ),
        )
        for host, reading in readings.items()
    }


def decide(
    hosts: Mapping[str, HostHealth],
    policy: Policy,
    *,
    is_shadow: bool,
    host_count: int | None = None,
    already_out: int = 0,
) -> Decision:
    """Who goes out of service: every host that does not pass, worst first, as far as the breaker allows.

    Where only some hosts of a location were judged, `host_count` is how many it has and `already_out` how many of the
    others are out of service.
    """
    order = tuple(Verdict)
    failing = sorted(
        (name for name, host in hosts.items() if not host.verdict.passes),
        key=lambda name: (-order.index(hosts[name].verdict), name),
    )
    verdict = worst(host.verdict for host in hosts.values())
    if is_shadow:
        return Decision(verdict, (), (), tuple(failing))
    # One host may always go: a share of a small location rounds to none, and a dead host would stay in service.
    total = len(hosts) if host_count is None else host_count
    most = max(0, max(1, floor(total * policy["out_percent"] / 100)) - already_out) if hosts else 0
    return Decision(verdict, tuple(failing[:most]), tuple(failing[most:]), tuple(failing))


def _crowded(events: list[tuple[float, str]], window_s: int, most_hosts: int) -> tuple[tuple[float, float], ...]:
    """The times in which more hosts than allowed had the error within one window."""
    found: list[tuple[float, float]] = []
    first = 0
    for last, (at_s, _) in enumerate(events):
        while events[first][0] < at_s - window_s:
            first += 1
        if len(_hosts(events[first : last + 1])) > most_hosts:
            found.append((events[first][0], at_s))
    return tuple(found)


def _hosts(events: Iterable[tuple[float, str]]) -> set[str]:
    return {host for _, host in events}
