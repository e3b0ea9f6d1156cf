"""The verbs that only read the site file or this machine; `ssh` and `inventory` also ask where a host is."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from leptonctl import __version__
from leptonctl.errors import ExitCode, PlatformFailed, UsageProblem
from leptonctl.result import Result
from leptonctl.sitefile.load import load_site
from leptonctl.sitefile.ranges import group_hosts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from leptonctl.planning.observed import Endpoint
    from leptonctl.session import Session
    from leptonctl.sitefile.settings import Resolved

_WORKS_WITH = ("ansible-core", "ansible-runner", "asyncssh", "pulumi", "pulumi-aws", "pydantic")


def validate(path: Path, *, environ: Mapping[str, str]) -> Result:
    """Read and check the site file. Raises InvalidSite with every problem."""
    # No session: what the hosts should have is not computed here, which is most of the time for a large file.
    site = load_site(path, environ=environ).site
    locations = site.locations().values()
    hosts = sum(len(group_hosts(name, group)) for location in locations for name, group in location.nodes.items())
    return Result(
        verb="validate",
        site=site.site,
        exit_code=ExitCode.DONE,
        data={"file": str(path), "locations": len(locations), "hosts": hosts},
    )


def explain(session: Session, address: str) -> Result:
    """Every value that holds at an address, each with where it was set. Raises UsageProblem for an unknown address."""
    from leptonctl.sitefile.explain import explain as explained  # noqa: PLC0415 - only this verb

    if "." in address and "/" not in address:
        return _explain_key(session, address)
    found = explained(session.loaded.site, address)
    sections = [_section(session, address, found.facts)]
    sections += [_section(session, role, settings) for role, settings in found.roles.items()]
    return Result(
        verb="explain",
        site=session.desired.site,
        exit_code=ExitCode.DONE,
        data={"address": address, "file": session.loaded.source.file, "sections": sections},
    )


def _explain_key(session: Session, path: str) -> Result:
    """One key: what it is, its value, and what changing it does."""
    from leptonctl.sitefile.explain_key import explain_key  # noqa: PLC0415 - only this verb
    from leptonctl.sitefile.settings import Resolved  # noqa: PLC0415 - only this verb

    found = explain_key(session.loaded.site, path)
    section = _section(session, path, {"value": Resolved(found.value, found.origin)})
    return Result(
        verb="explain",
        site=session.desired.site,
        exit_code=ExitCode.DONE,
        data={
            "address": path,
            "file": session.loaded.source.file,
            "sections": [section],
            "text": found.text,
            "on_edit": [one.as_json() for one in found.effects],
        },
    )


def permissions(session: Session | None) -> dict[str, Any]:
    """The AWS policy that allows what the site's locations and state need; without a site, what any may need."""
    from leptonctl.planning.aws_permissions import needed_actions, policy, whole_policy  # noqa: PLC0415 - only this verb
    from leptonctl.planning.aws_state_permissions import state_statements  # noqa: PLC0415

    if session is None:
        return whole_policy()
    locations = [one.aws for one in session.desired.locations if one.aws is not None]
    found = policy(needed_actions(locations) if locations else ())
    return {**found, "Statement": [*found["Statement"], *state_statements(session.loaded.site.state)]}


def _section(session: Session, title: str, values: Mapping[str, Resolved]) -> dict[str, object]:
    """Named values with where each was set: `default`, or the path in the file and its line."""
    return {
        "title": title,
        "values": [
            {
                "name": name,
                "value": value.value,
                "origin": "default" if value.origin is None else ".".join(str(part) for part in value.origin),
                "line": None if value.origin is None else session.loaded.source.place(value.origin)[0],
            }
            for name, value in values.items()
        ],
    }


def ssh(session: Session, address: str, command: Sequence[str]) -> int:
    """Run ssh to one host, with its key and its host key checked; give ssh's own exit status."""
    import subprocess  # noqa: PLC0415 - only this verb
    import tempfile  # noqa: PLC0415 - only this verb
    from pathlib import Path  # noqa: PLC0415 - only this verb

    from leptonctl.hosts.openssh import known_hosts_text, openssh_args  # noqa: PLC0415 - only this verb

    endpoint = endpoint_of(session, address)
    with tempfile.TemporaryDirectory(prefix="leptonctl-ssh-") as folder:
        known_hosts = Path(folder) / "known_hosts"
        known_hosts.write_text(known_hosts_text([endpoint]), encoding="utf-8")
        return subprocess.run(
            ["ssh", *openssh_args(endpoint, known_hosts), endpoint.hostname, *command], check=False
        ).returncode


def endpoint_of(session: Session, address: str) -> Endpoint:
    """How one host is reached now. Raises UsageProblem for an unknown address, PlatformFailed where it is not there."""
    from leptonctl.session import scope  # noqa: PLC0415 - not for validate, which needs no platforms

    location = scope(session.desired, (address,), is_before_look=True).locations[0]
    if location.address == address:
        hosts = ", ".join(host.address for host in location.hosts[:5])
        raise UsageProblem(f"'{address}' is a location, not a host", hint=f"its hosts: {hosts}")
    there = session.platform(location.platform).observe(location.address)
    if there is None or address not in there.endpoints:
        raise PlatformFailed(f"{address} is not running", hint="`leptonctl status` shows what is there")
    return there.endpoints[address]


def examine(*, with_engine: bool = False) -> Result:
    """Check this machine; with `with_engine`, get the pinned engine first where it is not in leptonctl's own folder.

    Raises PreflightFailed where the engine cannot be fetched.
    """
    if with_engine:
        from leptonctl.platforms.pulumi_install import install_engine  # noqa: PLC0415 - only this verb

        install_engine(os.environ)
    from leptonctl import doctor  # noqa: PLC0415 - only this verb

    findings = doctor.examine()
    is_fine = all(finding.is_ok is not False for finding in findings)
    code = ExitCode.DONE if is_fine else ExitCode.PREFLIGHT_FAILED
    return Result(verb="doctor", exit_code=code, data={"findings": [asdict(finding) for finding in findings]})


def version() -> Result:
    """Give the versions of leptonctl, of Python, and those of what it works with (null where it is not installed)."""
    from importlib.metadata import PackageNotFoundError  # noqa: PLC0415 - only this verb
    from importlib.metadata import version as package_version  # noqa: PLC0415 - only this verb

    found: dict[str, str | None] = {"leptonctl": __version__, "python": platform.python_version()}
    for name in _WORKS_WITH:
        try:
            found[name] = package_version(name)
        except PackageNotFoundError:
            found[name] = None
    return Result(verb="version", exit_code=ExitCode.DONE, data={"versions": found})
