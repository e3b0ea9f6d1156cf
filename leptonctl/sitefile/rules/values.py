"""Rules on the values of role settings: what no pattern of the model can say well."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

from leptonctl.sitefile.findings import Finding
from leptonctl.sitefile.rules.forms import is_host_and_port, is_host_name, is_mail_address, url_flaw
from leptonctl.sitefile.rules.parts import sections
from leptonctl.sitefile.words import did_you_mean, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.sitefile.findings import Path
    from leptonctl.sitefile.model import Site
    from leptonctl.sitefile.software.host import Base
    from leptonctl.sitefile.software.monitoring import Mail

_TIMEZONE = re.compile(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+){0,2}")
_LOCALE = re.compile(r"(?:C|POSIX|[a-z]{2,3}_[A-Z]{2})(?:\.[A-Za-z0-9-]+)?(?:@[a-z]+)?")
_SYSCTL = re.compile(r"[a-z][a-z0-9_-]*(?:\.[A-Za-z0-9_-]+)+")
# Debian policy 5.6.12, with one star at the end for "and what follows".
_PROBE = re.compile(r"https?://[!-~]+|[A-Za-z0-9.\[\]:_-]+:[0-9]{1,5}")
_VERSION = re.compile(r"(?:[0-9]+:)?[0-9][A-Za-z0-9.+~-]*\*?")


def check_values(site: Site) -> Iterator[Finding]:
    """The values of every `software` section."""
    for path, software, _ in sections(site):
        if software.base:
            yield from _check_base(software.base, (*path, "base"))
        for role in (
            "gpu_driver",
            "fpga",
            "gpu_container_toolkit",
            "container_runtime",
            "monitoring_agent",
            "monitoring_server",
            "dashboards",
            "storage_ceph",
            "storage_nfs",
            "storage_object",
        ):
            version = getattr(getattr(software, role), "version", None)
            if version is not None and not _VERSION.fullmatch(version):
                message = f"{quoted(version)} is not a version of a Debian package"
                yield Finding("bad-version", (*path, role, "version"), message, 'write one such as "1.6.20*"')
        if software.container_runtime:
            place = (*path, "container_runtime", "registry_mirrors")
            yield from _check_mirrors(software.container_runtime.registry_mirrors, place)
        for index, probe in enumerate(software.monitoring_server.probes if software.monitoring_server else ()):
            if not _PROBE.fullmatch(probe):
                place = (*path, "monitoring_server", "probes", index)
                message = f"{quoted(probe)} is neither a URL nor a host with its port"
                yield Finding("bad-probe", place, message, "write http://HOST/PATH, https://HOST/PATH or HOST:PORT")
        if software.monitoring_server and software.monitoring_server.mail:
            yield from _check_mail(software.monitoring_server.mail, (*path, "monitoring_server", "mail"))


def _check_base(base: Base, path: Path) -> Iterator[Finding]:
    if "timezone" in base.model_fields_set and not _is_timezone(base.timezone):
        guess = did_you_mean(base.timezone, _timezones())
        message = f"{quoted(base.timezone)} is not a time zone{guess}"
        yield Finding("bad-timezone", (*path, "timezone"), message, "write an IANA name such as Europe/Berlin")
    if not _LOCALE.fullmatch(base.locale):
        message = f"{quoted(base.locale)} is not a locale"
        yield Finding("bad-locale", (*path, "locale"), message, "write one such as C.UTF-8 or de_DE.UTF-8")
    for name in base.sysctl:
        if not _SYSCTL.fullmatch(name):
            message = f"{quoted(name)} is not a kernel setting"
            yield Finding("bad-sysctl", (*path, "sysctl", name), message, "write one such as vm.swappiness", at="key")
    if base.apt_proxy is not None:
        yield from _check_url(base.apt_proxy, (*path, "apt_proxy"), "http://HOST:PORT", may_have_path=False)


def _check_mirrors(mirrors: dict[str, str], path: Path) -> Iterator[Finding]:
    for registry, url in mirrors.items():
        if not (is_host_name(registry) or is_host_and_port(registry)):
            message = f"{quoted(registry)} is not a registry"
            yield Finding("bad-registry", (*path, registry), message, "write its host, such as docker.io", at="key")
        yield from _check_url(url, (*path, registry), "https://HOST[:PORT][/PATH]", may_have_path=True)


def _check_url(url: str, path: Path, form: str, *, may_have_path: bool) -> Iterator[Finding]:
    flaw = url_flaw(url, may_have_path=may_have_path)
    if flaw is None:
        return
    # A login is a secret, and is not shown again.
    has_login = "@" in url
    shown = "this URL" if has_login else quoted(url)
    yield Finding("bad-url", path, f"{shown} {flaw}", f"write it as {form}", shows_line=not has_login)


def _check_mail(mail: Mail, path: Path) -> Iterator[Finding]:
    for key in ("to", "sender"):
        address = getattr(mail, key)
        if not is_mail_address(address):
            message = f"{quoted(address)} is not a mail address"
            yield Finding("bad-mail", (*path, key), message, "write one such as ops@example.com")
    if not is_host_and_port(mail.smarthost):
        message = f"{quoted(mail.smarthost)} is not a mail server"
        yield Finding("bad-smarthost", (*path, "smarthost"), message, "write it as HOST:PORT")
    if (mail.username is None) != (mail.password is None):
        given, lacking = ("password", "username") if mail.username is None else ("username", "password")
        message = f"a {given} without a {lacking}"
        yield Finding("mail-login", (*path, given), message, f"set {lacking} as well, or neither", at="key")


def _is_timezone(name: str) -> bool:
    """Whether this machine knows the zone; by its form alone where the machine knows none at all."""
    if not _TIMEZONE.fullmatch(name):
        return False
    known = _timezones()
    return not known or name in known


@cache
def _timezones() -> frozenset[str]:
    """The zones of this machine's tzdata; empty where it has none."""
    import zoneinfo  # noqa: PLC0415 - only where a time zone is set

    for directory in zoneinfo.TZPATH:
        # The list of names is one small file; walking the folder and opening each zone takes a hundred times longer.
        table = FilePath(directory, "tzdata.zi")
        if table.is_file():
            return _names(table)
    return frozenset(zoneinfo.available_timezones())


def _names(table: FilePath) -> frozenset[str]:
    """The zones (`Z NAME ...`) and links (`L TARGET NAME`) of a tzdata.zi file."""
    names: set[str] = set()
    for line in table.read_text(encoding="utf-8", errors="replace").splitlines():
        words = line.split(maxsplit=3)
        if len(words) > 1 and words[0] == "Z":
            names.add(words[1])
        elif len(words) > 2 and words[0] == "L":  # noqa: PLR2004 - L TARGET NAME
            names.add(words[2])
    return frozenset(names)
