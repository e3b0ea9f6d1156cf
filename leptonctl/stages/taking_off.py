"""Taking off: what `down` does to machines that were there before. It removes roles, and leaves the machine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from leptonctl.errors import ConfigurationFailed, Problem
from leptonctl.hosts.configure import configure
from leptonctl.hosts.probe import look, record
from leptonctl.hosts.target import Leaving
from leptonctl.planning.observed import Reach
from leptonctl.planning.removal import gone_roles
from leptonctl.record.known import read_known, write_known
from leptonctl.stages.configuring import FORKS
from leptonctl.stages.looking import targets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leptonctl.hosts.configured import HostConfigured
    from leptonctl.hosts.target import Target
    from leptonctl.planning.desired import Desired
    from leptonctl.planning.observed import HostLook, Observed
    from leptonctl.planning.removal import GoneRole
    from leptonctl.record.known import KnownHost
    from leptonctl.record.run import Run
    from leptonctl.session import Session

_AGAIN = "run `leptonctl up`, then `leptonctl down` again"


@dataclass(frozen=True, slots=True)
class RoleTaker:
    """Takes every role that can go off the hosts of a location. `observed` says how they are reached."""

    session: Session
    want: Desired
    observed: Observed
    run: Run
    delete_data: frozenset[str]

    def take_off(self, location: str) -> tuple[GoneRole, ...]:
        """Take them off, and give those that went, each once.

        Raises ConfigurationFailed with a problem for each host that could not be asked or on which a role stays.
        """
        aims = {
            aim.address: replace(aim, roles=())
            for aim in targets(self.session, self.observed, self.want)
            if aim.location == location
        }
        known = read_known(self.session.state_dir, [location])
        looks = look(list(aims.values()), digests={name: host.digest for name, host in known.items()})
        found = (_problem(address, seen, known.get(address)) for address, seen in looks.items())
        problems = [problem for problem in found if problem is not None]
        going = {
            address: tuple(role for role in gone_roles(address, seen.gone_roles, self.delete_data) if role.is_removed)
            for address, seen in looks.items()
        }
        busy = [_leaving(aims[address], roles, looks[address]) for address, roles in going.items() if roles]
        done = self._configure(location, busy) if busy else {}
        problems += [_failed(address, host) for address, host in done.items() if host.failure is not None]
        problems += self._record(location, busy, done, known)
        if problems:
            raise ConfigurationFailed(
                f"roles could not be taken off {len({problem.where for problem in problems})} hosts",
                hint=_AGAIN,
                problems=tuple(problems),
            )
        return tuple({role.name: role for roles in going.values() for role in roles}.values())

    def _configure(self, location: str, busy: Sequence[Target]) -> Mapping[str, HostConfigured]:
        folder = self.run.folder / f"roles-{location.replace('/', '-')}"
        return configure(busy, folder=folder, report=self.session.report, secrets={}, forks=FORKS).hosts

    def _record(
        self, location: str, busy: Sequence[Target], done: Mapping[str, HostConfigured], known: dict[str, KnownHost]
    ) -> list[Problem]:
        """Have the roles that went taken out of the manifests, and keep their digests: the hosts stay."""
        changed = [aim for aim in busy if done[aim.address].removed]
        digests = {address: host.digest for address, host in known.items()}
        recorded = record(changed, done, digests=digests)
        problems = []
        for address, found in recorded.items():
            if found.digest is None:
                problems.append(_problem_of(address, f"its manifest could not be written: {found.problem}"))
            else:
                known[address] = replace(known[address], digest=found.digest)
        if changed:
            write_known(self.session.state_dir, location, known)
        return problems


def _leaving(aim: Target, roles: tuple[GoneRole, ...], seen: HostLook) -> Target:
    names = {role.name for role in roles}
    staying = tuple(name for name in seen.gone_roles if name not in names)
    return replace(aim, leaving=tuple(Leaving(role.name, role.deleted, staying) for role in roles))


def _problem(address: str, seen: HostLook, known: KnownHost | None) -> Problem | None:
    """Why nobody can tell which roles a host has; None where its answer tells."""
    if seen.reach != Reach.OK:
        return _problem_of(address, f"{seen.detail}: its roles are still there")
    if seen.manifest_digest != (known.digest if known is not None else None):
        return _problem_of(address, "its manifest is not the one that leptonctl wrote last: its roles are still there")
    return None


def _failed(address: str, host: HostConfigured) -> Problem:
    failure = host.failure
    said = f"task '{failure.task}' failed: {failure.message}" if failure is not None else "failed"
    return Problem(rule=(failure.role if failure else None) or "configure", where=address, message=said, hint=_AGAIN)


def _problem_of(address: str, message: str) -> Problem:
    return Problem(rule="roles_left", where=address, message=message, hint=_AGAIN)
