"""Rules on hosts: ranges that can be read, names that are names, nobody twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.sitefile.aws import largest_count
from leptonctl.sitefile.findings import Finding
from leptonctl.sitefile.model import Host
from leptonctl.sitefile.ranges import HOSTS_LIMIT, RangeError, expand
from leptonctl.sitefile.rules.forms import is_host_name, is_ip_address, is_public_key
from leptonctl.sitefile.rules.parts import groups, spoken
from leptonctl.sitefile.words import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.sitefile.findings import Path
    from leptonctl.sitefile.model import Location, NodeGroup, Site

_NAME_HINT = "use letters, digits and dashes, with dots between labels of at most 63 characters"
_RANGE_HINT = "write it as [001:400] or [1:400:2]: first, last, step, with ends of equal width"

_Endpoint = tuple[str | None, str, int]


def check_hosts(site: Site) -> Iterator[Finding]:
    """The listed hosts of every group."""
    total = 0
    addresses: dict[_Endpoint, Path] = {}
    names: set[str] = set()
    last_location: Path = ()
    for path, location, _, group in groups(site):
        if path[:-2] != last_location:
            last_location, names = path[:-2], set()
        total += largest_count(group)
        for index, entry in enumerate(group.hosts or ()):
            place = (*path, "hosts", index)
            if isinstance(entry, Host):
                yield from _check_mapping(entry, place)
                hosts = [entry.name]
            else:
                try:
                    hosts = expand(entry) if "[" in entry or "]" in entry else [entry]
                except RangeError as error:
                    yield Finding("bad-range", place, str(error), _RANGE_HINT)
                    continue
                bad = next((name for name in hosts if not is_host_name(name)), None)
                if bad is not None:
                    yield Finding("bad-host-name", place, f"{quoted(bad)} is not a host name", _NAME_HINT)
                    continue
            total += len(hosts)
            twice = _named_twice(hosts, place, names, spoken(last_location))
            if twice is not None:
                yield twice
                continue
            yield from _check_addresses(entry, hosts, _via(location, group), place, addresses)
    if total > HOSTS_LIMIT:
        message = f"the site has {total:,} hosts; at most {HOSTS_LIMIT:,} are read"
        yield Finding("too-many-hosts", ("site",), message, "split it into several sites")


def _check_mapping(host: Host, place: Path) -> Iterator[Finding]:
    if not is_host_name(host.name):
        hint = "write a range as text of its own, not in a mapping" if "[" in host.name else _NAME_HINT
        yield Finding("bad-host-name", (*place, "name"), f"{quoted(host.name)} is not a host name", hint)
    if host.address is not None and not (is_host_name(host.address) or is_ip_address(host.address)):
        message = f"{quoted(host.address)} is neither an IP address nor a host name"
        yield Finding("bad-host-name", (*place, "address"), message, "write one such as 10.80.1.7 or box-7.example.com")
    if host.host_key is not None and not is_public_key(host.host_key):
        message = f"{quoted(host.host_key)} is not a public host key"
        hint = "write the key's kind and body as `ssh-keyscan` prints them behind the name: ssh-ed25519 AAAA..."
        yield Finding("bad-host-key", (*place, "host_key"), message, hint, shows_line="PRIVATE" not in host.host_key)


def _named_twice(hosts: list[str], place: Path, names: set[str], location: str) -> Finding | None:
    """The first of the hosts that its location has already; a range may also name one twice by itself."""
    twice: str | None = None
    for host in hosts:
        name = host.lower()
        if name in names:
            twice = twice or host
        names.add(name)
    if twice is None:
        return None
    message = f"{location} has the host {quoted(twice)} already"
    return Finding("duplicate-host", place, message, "remove one of the two")


def _via(location: Location, group: NodeGroup) -> tuple[str | None, int]:
    """The jump host and port that hold for the group."""
    return group.ssh.jump or location.ssh.jump, group.ssh.port or location.ssh.port or 22


def _check_addresses(
    entry: str | Host, hosts: list[str], via: tuple[str | None, int], place: Path, addresses: dict[_Endpoint, Path]
) -> Iterator[Finding]:
    """The same address behind another jump host, or on another port, is another machine."""
    jump, port = via
    where = place
    if isinstance(entry, Host):
        hosts, port = [entry.address or entry.name], entry.port or port
        where = (*place, "address" if entry.address else "name")
    for address in hosts:
        first = addresses.setdefault((jump, address.lower(), port), place)
        if first is not place:
            message = f"{quoted(address)} is the address of a host of {spoken(first[:-4])} already"
            yield Finding("duplicate-address", where, message, "give each host its own address, or remove one")
            return
