"""Look: ask platforms and hosts what is there. Reads only; what could not be asked is said to be unknown."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from leptonctl.errors import LeptonError
from leptonctl.hosts.probe import Checks, look
from leptonctl.hosts.target import Target
from leptonctl.planning.derived import roles_by_host
from leptonctl.planning.diff import hostnames
from leptonctl.planning.elsewhere import elsewhere
from leptonctl.planning.observed import Observed, Reach
from leptonctl.platforms.base import PlatformLook
from leptonctl.platforms.registry import remembered
from leptonctl.record.known import read_known

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from leptonctl.planning.desired import Desired
    from leptonctl.planning.observed import HostLook, ObservedResource
    from leptonctl.session import Session
    from leptonctl.sitefile.model import PlatformName


NO_SECRETS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Looked:
    """One look at the whole site: the answers, and what carries its mark without standing in the site file.

    `asked` has, by host address, the targets that the answers of hosts are about.
    """

    observed: Observed
    strays: tuple[ObservedResource, ...] = ()
    asked: Mapping[str, Target] = field(default_factory=dict)

    def but_for(self, addresses: Collection[str]) -> Looked:
        """The same without the answers of these hosts: what was seen of them no longer holds."""
        looks = {address: seen for address, seen in self.observed.looks.items() if address not in addresses}
        return replace(self, observed=replace(self.observed, looks=looks))


def look_at_platforms(session: Session, *, closely: frozenset[str] = frozenset()) -> Looked:
    """Ask every platform of the site for its locations, at the same time, and for what left the site file.

    Of the locations in `closely` every property is compared, where the platform can.
    """
    asked: dict[PlatformName, list[str]] = {}
    for location in session.desired.locations:
        asked.setdefault(location.platform, []).append(location.address)
    names = tuple(dict.fromkeys((*asked, *remembered(session.context))))
    platforms = {name: session.platform(name) for name in names}

    def ask(name: PlatformName) -> PlatformLook:
        addresses = tuple(asked.get(name, ()))
        try:
            return platforms[name].look(addresses, closely=closely)
        except LeptonError as error:
            if addresses:
                raise
            # One that the site file does not name may well be absent; one that has states was there.
            return PlatformLook({}, {name: error.message} if name != "local" else {})

    with ThreadPoolExecutor(max_workers=len(names)) as pool:
        looks = list(pool.map(ask, names))
    strays = tuple(stray for look in looks for stray in look.strays)
    observed = Observed(
        locations={address: there for look in looks for address, there in look.locations.items()},
        unanswered={address: reason for look in looks for address, reason in look.unanswered.items()},
        elsewhere=elsewhere(
            session.desired.locations,
            strays=strays,
            unanswered={name: look.unanswered for name, look in zip(names, looks, strict=True)},
            configured=_configured(session),
        ),
    )
    return Looked(observed, strays)


def _configured(session: Session) -> dict[str, list[str]]:
    """The existing hosts (ssh) that this machine remembers to have configured, by location."""
    addresses = [location.address for location in session.desired.locations]
    known = {address: read_known(session.state_dir, [address]) for address in addresses}
    return {
        address: [name for name, host in hosts.items() if host.platform == "ssh"] for address, hosts in known.items()
    }


def targets(session: Session, observed: Observed, want: Desired) -> tuple[Target, ...]:
    """The hosts of `want` that can be reached now, with complete roles (derived settings from the whole site)."""
    roles = roles_by_host(session.desired, hostnames(observed))
    found: list[Target] = []
    for location in want.locations:
        there = observed.locations.get(location.address)
        if there is None:
            continue
        found.extend(
            Target(
                address=host.address,
                name=host.name,
                location=location.address,
                tier=location.tier,
                endpoint=there.endpoints[host.address],
                roles=roles[host.address],
            )
            for host in location.hosts
            if host.address in there.endpoints
        )
    return tuple(found)


def look_at_hosts(
    session: Session,
    looked: Looked,
    want: Desired,
    *,
    checks: Checks = Checks.QUICK,
    secrets: Mapping[str, str] = NO_SECRETS,
    before: Looked | None = None,
) -> Looked:
    """Probe every reachable host of `want`, all at once; one round trip a host.

    With `secrets`, one that changed behind its reference is noticed too. Hosts that were in order `before` and should
    be nothing else now are not asked again: at 1,000 hosts of which one is new, that is 999 connections less.
    """
    aims = {aim.address: aim for aim in targets(session, looked.observed, want)}
    settled = {} if before is None else _settled(before, aims)
    asked = [aim for aim in aims.values() if aim.address not in settled]
    looks = look(asked, digests=_digests(session, asked), checks=checks, secrets=secrets)
    found = replace(looked.observed, looks={**looked.observed.looks, **settled, **looks})
    return replace(looked, observed=found, asked={**looked.asked, **aims})


def answers(looked: Looked, address: str) -> bool:
    """Whether a host answered the look."""
    look = looked.observed.looks.get(address)
    return look is not None and look.reach == Reach.OK


def _settled(before: Looked, aims: Mapping[str, Target]) -> dict[str, HostLook]:
    """The earlier answers that still hold."""
    return {
        address: seen
        for address, seen in before.observed.looks.items()
        if seen.is_in_order and before.asked.get(address) == aims.get(address)
    }


def look_closely(session: Session, aims: Sequence[Target], *, secrets: Mapping[str, str]) -> dict[str, HostLook]:
    """Probe hosts with their live checks, without those that ask other hosts: these may be changed later."""
    return look(aims, digests=_digests(session, aims), checks=Checks.OWN, secrets=secrets)


def _digests(session: Session, aims: Iterable[Target]) -> dict[str, str]:
    """The manifest that each host should have, as far as this controller knows."""
    known = read_known(session.state_dir, sorted({aim.location for aim in aims}))
    return {address: host.digest for address, host in known.items()}
