"""A session: one site file, read and checked, with its platforms and its place on disk. What every verb starts from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from leptonctl.errors import UsageProblem
from leptonctl.planning.desired import Desired, desired
from leptonctl.planning.scaling import is_of_scaling_group, with_observed_hosts
from leptonctl.platforms.base import Context, Platform
from leptonctl.platforms.registry import make_platform
from leptonctl.progress import Progress, Report, silent
from leptonctl.sitefile.load import Loaded, load_site

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from leptonctl.planning.desired import DesiredLocation
    from leptonctl.planning.observed import Observed
    from leptonctl.sitefile.model import PlatformName

LOCATIONS_AT_ONCE = 4


@dataclass(frozen=True)
class Session:
    """One verb's view of a site. `state_dir` holds what can be lost and rebuilt; only `up` and `down` make it."""

    loaded: Loaded
    desired: Desired
    state_dir: Path
    site_dir: Path
    report: Report = silent
    _platforms: dict[str, Platform] = field(default_factory=dict)

    def platform(self, name: PlatformName) -> Platform:
        """The platform of that name, made once."""
        if name not in self._platforms:
            self._platforms[name] = make_platform(name, self.context)
        return self._platforms[name]

    @property
    def context(self) -> Context:
        """What every platform is given."""
        return Context(
            site=self.desired.site,
            owner=self.desired.owner,
            site_dir=self.site_dir,
            state_dir=self.state_dir,
            locations=self.desired.locations,
            state=self.loaded.site.state,
        )

    def interrupt(self) -> None:
        """Ask every platform that was used to come to a safe end soon."""
        for platform in self._platforms.values():
            platform.interrupt()

    def reporting_to(self, keep: Report) -> Session:
        """The same session, whose progress is also kept by `keep` (the run folder)."""
        show = self.report

        def both(progress: Progress) -> None:
            keep(progress)
            show(progress)

        return replace(self, report=both)

    def knowing(self, observed: Observed) -> Session:
        """The same session, whose site has the hosts that its scaling groups have now."""
        return replace(self, desired=with_observed_hosts(self.desired, observed))

    def location(self, address: str) -> DesiredLocation:
        """The location of that address; it exists."""
        return next(location for location in self.desired.locations if location.address == address)


def open_session(
    path: Path, *, environ: Mapping[str, str], state_dir: Path | None = None, report: Report = silent
) -> Session:
    """Read and check the site file. Raises InvalidSite with all its problems.

    The state folder is `.leptonctl/SITE` beside the site file unless `state_dir` names another parent.
    """
    loaded = load_site(path, environ=environ)
    want = desired(loaded.site)
    site_dir = path.resolve().parent
    return Session(
        loaded=loaded,
        desired=want,
        # The engine works in a folder of its own: a path that is relative to ours means nothing there.
        state_dir=(state_dir or site_dir / ".leptonctl").resolve() / want.site,
        site_dir=site_dir,
        report=report,
    )


def scope(want: Desired, only: tuple[str, ...], *, is_before_look: bool = False) -> Desired:
    """The part of `want` that the addresses name (locations or hosts); all of it where none is given.

    A location that is named through one of its hosts stays whole in its machines; only the named hosts stay in it as
    hosts to look at and to configure. Raises UsageProblem for addresses that the site does not have; before the look,
    nobody knows which hosts a scaling group has.
    """
    if not only:
        return want
    known = {location.address for location in want.locations} | {
        host.address for location in want.locations for host in location.hosts
    }
    unknown = [address for address in only if address not in known]
    if is_before_look:
        unknown = [one for one in unknown if not any(is_of_scaling_group(place, one) for place in want.locations)]
    if unknown:
        import difflib  # noqa: PLC0415 - only when there is something to suggest

        close = difflib.get_close_matches(unknown[0], known, n=1)
        raise UsageProblem(
            f"site '{want.site}' has no location or host {', '.join(repr(address) for address in unknown)}",
            hint=f"did you mean '{close[0]}'?" if close else "`leptonctl plan` lists every address",
        )
    chosen = set(only)
    named = {place.address for place in want.locations for one in only if is_of_scaling_group(place, one)} | chosen
    locations = tuple(
        location
        if location.address in chosen
        else replace(location, hosts=tuple(host for host in location.hosts if host.address in chosen))
        for location in want.locations
    )
    return replace(
        want,
        locations=tuple(location for location in locations if location.address in named or location.hosts),
    )
