"""Rules on hardening: ranges are ranges, times are times, and nobody locks himself out as far as the file can tell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from leptonctl.sitefile.findings import Finding
from leptonctl.sitefile.rules.forms import is_ip_address
from leptonctl.sitefile.rules.parts import groups, sections, spoken
from leptonctl.sitefile.settings import resolve
from leptonctl.sitefile.words import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.sitefile.findings import Path
    from leptonctl.sitefile.model import Location, NodeGroup, Site
    from leptonctl.sitefile.software.hardening import Hardening

_RANGES = ("ssh_from", "operators", "translated_from")
_TIERS = ("core", "region", "edge")
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def check_hardening(site: Site) -> Iterator[Finding]:
    """Every section's values, then whether each group can still be reached by the one who runs leptonctl."""
    for path, software, _ in sections(site):
        if software.hardening is not None:
            yield from _check_ranges(software.hardening, (*path, "hardening"))
            yield from _check_times(software.hardening, (*path, "hardening", "reboot_at"))
    for path, location, name, group in groups(site):
        if "hardening" in group.roles:
            yield from _check_way_in(site, path, location, name, group)


def _check_ranges(section: Hardening, path: Path) -> Iterator[Finding]:
    for key in _RANGES:
        for index, text in enumerate(getattr(section, key)):
            if not _is_range(text):
                message = f"{quoted(text)} is not a range of addresses"
                hint = "write it as 192.0.2.0/24 or 2001:db8::/32"
                yield Finding("bad-network", (*path, key, index), message, hint)


def _check_times(section: Hardening, path: Path) -> Iterator[Finding]:
    for tier, time in section.reboot_at.items():
        if tier not in _TIERS:
            hint = f"the tiers are {', '.join(_TIERS)}"
            yield Finding("bad-time", (*path, tier), f"{quoted(tier)} is no tier", hint, "key")
        elif not _TIME.fullmatch(time):
            yield Finding("bad-time", (*path, tier), f"{quoted(time)} is not a time of day", "write it as 03:30")


def _check_way_in(site: Site, path: Path, location: Location, name: str, group: NodeGroup) -> Iterator[Finding]:
    """Who comes to these hosts has to be in `ssh_from`, where the file says from where that is."""
    settings = resolve(site, spoken(path[:-2]), name, "hardening")
    ranges, origin = settings["ssh_from"].value, settings["ssh_from"].origin
    if not settings["firewall"].value or not isinstance(ranges, (list, tuple)) or not ranges or origin is None:
        return
    if not all(_is_range(str(text)) for text in ranges):
        return
    for source, what in _ways_in(location, group):
        if not any(_contains(str(text), source) for text in ranges):
            message = (
                f"the hosts of {spoken(path[:-2])}/{name} are reached from {source} ({what}), which this leaves out"
            )
            yield Finding("cut-off", origin, message, f"add {source}, or a range that it is in")


def _ways_in(location: Location, group: NodeGroup) -> Iterator[tuple[str, str]]:
    """The addresses from which leptonctl comes, as far as the file tells, each with what it is."""
    if location.platform == "local" and location.network.cidr and _is_range(location.network.cidr):
        from ipaddress import ip_network  # noqa: PLC0415 - slow to import, and few sites need it

        yield (
            str(next(ip_network(location.network.cidr, strict=False).hosts())),
            "this machine in the network of the location",
        )
    jump = (group.ssh.jump or location.ssh.jump) if location.platform == "ssh" else None
    if jump is not None:
        host = jump.rpartition("@")[2].partition(":")[0]
        if is_ip_address(host):
            yield host, "its jump host"


def _is_range(text: str) -> bool:
    from ipaddress import ip_network  # noqa: PLC0415 - as above

    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def _contains(text: str, address: str) -> bool:
    from ipaddress import ip_address, ip_network  # noqa: PLC0415 - as above

    return ip_address(address) in ip_network(text)
