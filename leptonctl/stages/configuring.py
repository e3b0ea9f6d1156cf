"""Configure: run the roles that differ on the hosts of one batch, and have what they ensure written down there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from leptonctl.hosts.configure import configure
from leptonctl.hosts.openssh import known_hosts_text
from leptonctl.hosts.probe import record
from leptonctl.hosts.secrets import resolve, secret_refs
from leptonctl.hosts.target import Leaving, by_address
from leptonctl.planning.observed import Reach, RoleState
from leptonctl.planning.scaling import every_role
from leptonctl.progress import Progress
from leptonctl.record.known import KnownHost, read_known, write_known
from leptonctl.stages.ceph_joining import with_keys
from leptonctl.stages.clustering import prepare
from leptonctl.stages.looking import targets
from leptonctl.stages.tunnelling import exchange_keys

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from leptonctl.hosts.configured import HostConfigured
    from leptonctl.hosts.target import Target
    from leptonctl.planning.desired import Desired
    from leptonctl.planning.observed import HostLook, Observed
    from leptonctl.planning.plan import Plan
    from leptonctl.planning.removal import GoneRole
    from leptonctl.record.run import Run
    from leptonctl.session import Session
    from leptonctl.stages.applying import Applied
    from leptonctl.stages.gate import Gate

FORKS = 10


@dataclass(frozen=True, slots=True)
class Selection:
    """The targets that have to be changed, with only the roles to run; and the hosts that should be and can't be.

    `fresh` are those of the targets that no role ever ran on. `partial` are the hosts on which other roles differ that
    were not asked for: they are not complete after this run, and nobody can say yet how their accelerators are.
    """

    targets: Mapping[str, Target]
    barred: frozenset[str]
    fresh: frozenset[str] = frozenset()
    partial: frozenset[str] = frozenset()

    @property
    def changing(self) -> frozenset[str]:
        """The hosts that are not complete: roles run on them now, or had to and were not asked for."""
        return self.partial | self.targets.keys()

    def without(self, out: AbstractSet[str]) -> Selection:
        """The same without hosts that are out of service: nothing runs on them, and they do not count as failed."""
        targets = {address: target for address, target in self.targets.items() if address not in out}
        return replace(self, targets=targets, barred=self.barred - out, fresh=self.fresh - out)


@dataclass(frozen=True, slots=True)
class Job:
    """What is worked on: what has to be changed, and all targets by address with all of their roles.

    `everyone` has also those that are not looked at: some hosts need something of others.
    """

    run: Run
    chosen: Selection
    complete: Mapping[str, Target]
    secrets: Mapping[str, str]
    gate: Gate
    everyone: Mapping[str, Target] = field(default_factory=dict)


def job(  # noqa: PLR0913, PLR0917 - each is one thing that the work needs
    session: Session,
    observed: Observed,
    run: Run,
    chosen: Selection,
    complete: Sequence[Target],
    secrets: Mapping[str, str],
    gate: Gate,
) -> Job:
    """What is worked on, with all other hosts of the site that are there."""
    everyone = targets(session, observed, session.desired)
    return Job(run, chosen, by_address(complete), secrets, gate, by_address(everyone))


def select(
    plan: Plan, complete: Sequence[Target], observed: Observed, *, forced: bool, names: tuple[str, ...]
) -> Selection:
    """The targets with only those roles that have to run or go: planned to, or found to differ since; none, no target.

    `forced` runs every role; `names`, where given, leaves out all other roles.
    """
    going = {host.address: host.gone_roles for location in plan.locations for host in location.hosts}
    planned = {
        (host.address, name)
        for location in plan.locations
        for host in location.hosts
        for name in host.changing_roles
        if not names or name in names
    }
    found: dict[str, Target] = {}
    partial: set[str] = set()
    for target in complete:
        look = observed.looks.get(target.address)

        def differs(role: str, target: Target = target, look: object = look) -> bool:
            state = observed.looks[target.address].roles.get(role) if look is not None else None
            return state is None or state.state != RoleState.IN_ORDER or (target.address, role) in planned

        differing = {role.name for role in target.roles if differs(role.name)}
        roles = tuple(role for role in target.roles if forced or role.name in differing)
        if names:
            roles = tuple(role for role in roles if role.name in names)
            partial |= {target.address} if differing - set(names) else set()
        leaving = _leaving(target, going.get(target.address, ()), look, names)
        # A host that did not answer, or with another host key, gets nothing: the look has said why.
        is_open = look is None or look.reach == Reach.OK
        if (roles or leaving) and is_open:
            found[target.address] = replace(target, roles=roles, leaving=leaving)
    fresh = frozenset(address for address in found if _is_fresh(observed.looks.get(address)))
    barred = frozenset({address for address, _ in planned} - found.keys())
    return Selection(found, barred, fresh, frozenset(partial))


def _leaving(
    target: Target, going: tuple[GoneRole, ...], look: HostLook | None, names: tuple[str, ...]
) -> tuple[Leaving, ...]:
    """The roles to take off: planned to, and still there."""
    staying = tuple(role.name for role in target.roles)
    return tuple(
        Leaving(role.name, role.deleted, staying)
        for role in going
        if role.is_removed and (not names or role.name in names) and look is not None and role.name in look.gone_roles
    )


def _is_fresh(look: HostLook | None) -> bool:
    is_new = look is not None and not look.gone_roles
    return look is None or (is_new and all(role.state == RoleState.NEW for role in look.roles.values()))


def configure_batch(
    session: Session, job: Job, batch: Sequence[str], applied: Applied, *, stop: threading.Event, number: int
) -> frozenset[str]:
    """Run Ansible once over the hosts, have their manifests written, and give those that failed.

    Hosts of a cluster are emptied before, and the ends of tunnels have told each other their public keys.
    """
    ready = prepare(session, [job.chosen.targets[address] for address in batch], job.complete)
    ready = with_keys(session, ready, job.complete)
    applied.unproven.update(ready.failed)
    if not ready.targets:
        return frozenset(ready.failed)
    done = configure(
        exchange_keys(session, ready.targets, {**job.everyone, **job.complete}),
        folder=job.run.folder / f"configure-{number}",
        report=session.report,
        secrets={**job.secrets, **ready.secrets},
        forks=FORKS,
        is_cancelled=stop.is_set,
    )
    applied.hosts.update(done.hosts)
    _record(session, job, done.hosts, applied)
    for address, host in done.hosts.items():
        if host.failure is None:
            done_roles = [*(f"{name} taken off" for name in host.removed), *host.roles]
            message = f"{', '.join(done_roles)}: {host.changed_count} tasks changed something"
            session.report(Progress("configure", "done", address, message))
    return frozenset(ready.failed) | frozenset(
        address for address, host in done.hosts.items() if host.failure is not None or address in applied.unrecorded
    )


def _record(session: Session, job: Job, done: Mapping[str, HostConfigured], applied: Applied) -> None:
    """Have the manifests written of the hosts on which roles ran to their end, and keep their digests."""
    ran = [job.complete[address] for address, host in done.items() if host.roles or host.removed]
    locations = sorted({target.location for target in ran})
    known = read_known(session.state_dir, locations)
    digests = {address: host.digest for address, host in known.items()}
    recorded = record(ran, done, digests=digests, secrets=job.secrets)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    for address, found in recorded.items():
        if found.digest is None:
            applied.unrecorded[address] = found.problem or "no reason given"
        else:
            platform = session.location(job.complete[address].location).platform
            known[address] = KnownHost(found.digest, now, platform)
    for location in locations:
        own = {target.address for target in job.complete.values() if target.location == location}
        stored = read_known(session.state_dir, [location])
        write_known(session.state_dir, location, {**stored, **{name: known[name] for name in own & set(known)}})


def keep_known_hosts(session: Session, complete: Sequence[Target]) -> None:
    """Keep the pinned host keys where `leptonctl inventory` points to, for the operator's own playbooks."""
    text = known_hosts_text(target.endpoint for target in complete)
    (session.state_dir / "known_hosts").write_text(text, encoding="utf-8")


def resolve_secrets(session: Session, want: Desired) -> dict[str, str]:
    """Resolve every secret that the roles refer to. Raises PreflightFailed with all that can't be."""
    roles = {id(role): role for role in every_role(want)}
    return resolve(secret_refs(roles.values()), site_dir=session.site_dir)
