"""The ssh platform: machines that exist. It looks at them before anything is done, and never makes or removes one."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from leptonctl.errors import LeptonError, PlatformFailed, PreflightFailed, Problem, Refused
from leptonctl.planning.observed import Endpoint, ObservedLocation, ObservedResource, Reach
from leptonctl.planning.resources import resource_changes
from leptonctl.platforms.one_by_one import look_one_by_one
from leptonctl.platforms.ssh_facts import LOOK_COMMAND, look_program, problems_of_facts, problems_of_reply, read_facts
from leptonctl.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leptonctl.planning.checks import Check
    from leptonctl.planning.desired import Connection, DesiredHost, DesiredLocation
    from leptonctl.planning.plan import Change
    from leptonctl.platforms.base import Context, PlatformLook
    from leptonctl.progress import Report

LOOK_LIMIT_S = 20.0
HOST_KEY_RULE = "ssh.host_key"


class SshPlatform:
    """Hosts that are there. It knows a location from the context, or since it was first asked about it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._locations = {one.address: one for one in context.locations if one.platform == "ssh"}
        self._in_order: set[tuple[str, Connection | None]] = set()

    def preflight(self, locations: tuple[DesiredLocation, ...]) -> tuple[Check, ...]:
        """Look at every host, all at once; touch nothing.

        Raises `Refused` where a host key is unknown or changed, else `PreflightFailed`; both name every problem of
        every host.
        """
        problems = self._look([host for location in locations for host in self._learn(location).hosts])
        if problems:
            raise _error(PreflightFailed, problems)
        return ()

    def preview(self, location: DesiredLocation) -> tuple[Change, ...]:
        """Nothing is ever made here: hosts are kept."""
        return resource_changes(location, self.observe(self._learn(location).address))

    def ensure(self, location: DesiredLocation, report: Report) -> ObservedLocation:
        """Look at the hosts that `preflight` has not seen in order. Raises `PlatformFailed` or `Refused`."""
        hosts = [host for host in self._learn(location).hosts if (host.address, host.connection) not in self._in_order]
        if hosts:
            report(Progress("connect", "started", location.address, f"looking at {len(hosts)} hosts"))
        problems = self._look(hosts)
        if problems:
            raise _error(PlatformFailed, problems)
        return self._observed(location)

    def look(self, locations: tuple[str, ...], *, closely: frozenset[str]) -> PlatformLook:
        """What is there now of these locations, and what has the site's mark besides; every look is as close."""
        del closely
        own = frozenset(one.address for one in self._context.locations if one.platform == "ssh")
        return look_one_by_one(self, locations, own=own)

    def observe(self, location: str) -> ObservedLocation | None:
        """The hosts of the site file and how each is reached; None for a location that has none on this platform."""
        known = self._locations.get(location)
        return None if known is None else self._observed(known)

    def destroy(self, location: str, *, delete_data: frozenset[str], report: Report) -> tuple[ObservedResource, ...]:
        """Remove nothing: these machines were there before."""
        del delete_data
        report(Progress("down", "step", location, "its hosts stay: leptonctl did not make them"))
        return ()

    def leftovers(self) -> tuple[ObservedResource, ...]:
        """Nothing: this platform makes nothing."""
        return ()

    def interrupt(self) -> None:
        """Nothing to do: it only looks."""

    def _learn(self, location: DesiredLocation) -> DesiredLocation:
        return self._locations.setdefault(location.address, location)

    def _observed(self, location: DesiredLocation) -> ObservedLocation:
        endpoints = {host.address: endpoint_of(host.connection, self._context.site_dir) for host in location.hosts}
        resources = tuple(
            ObservedResource("host", address, location.address, f"{way.hostname}:{way.port}", "given")
            for address, way in endpoints.items()
        )
        return ObservedLocation(location.address, resources, endpoints)

    def _look(self, hosts: Sequence[DesiredHost]) -> tuple[Problem, ...]:
        """Every problem of these hosts, in their order."""
        from leptonctl.hosts.reach import Request  # noqa: PLC0415 - with asyncssh, only when hosts are asked
        from leptonctl.hosts.ssh import run_all  # noqa: PLC0415 - the same

        program = look_program()
        requests = [
            Request(host.address, endpoint_of(host.connection, self._context.site_dir), LOOK_COMMAND, program)
            for host in hosts
        ]
        before = time.time()
        replies = run_all(requests, timeout_s=LOOK_LIMIT_S)
        after = time.time()
        problems: list[Problem] = []
        for host, request in zip(hosts, requests, strict=True):
            reply = replies[host.address]
            if reply.reach != Reach.OK:
                found = problems_of_reply(reply, request.endpoint, is_pinned=bool(request.endpoint.host_keys))
            else:
                found = problems_of_facts(host, read_facts(reply.stdout), asked_between=(before, after))
            if not found:
                self._in_order.add((host.address, host.connection))
            problems.extend(found)
        return tuple(problems)


def endpoint_of(connection: Connection | None, site_dir: Path) -> Endpoint:
    """The endpoint that a connection of the site file means; paths are relative to the file's folder."""
    if connection is None:
        raise PlatformFailed("a host of the ssh platform has no connection: this is a bug in leptonctl")
    return Endpoint(
        hostname=connection.hostname,
        port=connection.port or 22,
        user=connection.user or "root",
        key=_path(connection.key, site_dir),
        jump=connection.jump,
        host_keys=(connection.host_key,) if connection.host_key else (),
        known_hosts=_path(connection.known_hosts, site_dir),
    )


def _path(text: str | None, site_dir: Path) -> Path | None:
    return None if text is None else site_dir / Path(text).expanduser()


def _error(kind: type[LeptonError], problems: tuple[Problem, ...]) -> LeptonError:
    hosts = list(dict.fromkeys(problem.where for problem in problems))
    refused = [problem for problem in problems if problem.rule == HOST_KEY_RULE]
    first = refused[0] if refused else problems[0]
    more = len(problems) - 1
    others = f" (and {more} more problem{'s' if more > 1 else ''}; {len(hosts)} hosts in all)" if more else ""
    message = f"{first.where}: {first.message}{others}"
    return (Refused if refused else kind)(message, hint=first.hint, problems=problems)
