"""Looks at hosts: one round trip each, all at once. The program that is sent lies in `remote`; nothing is installed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from leptonctl.hosts.checks import checks_for
from leptonctl.hosts.checks.kinds import as_json
from leptonctl.hosts.gate_records import gate_record_of
from leptonctl.hosts.manifest import plain_settings, role_entries, role_source
from leptonctl.hosts.secrets import secret_values
from leptonctl.hosts.sent import answer_of, ask, request_of
from leptonctl.planning.observed import Difference, HostLook, Reach, RoleLook, RoleState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leptonctl.hosts.checks.kinds import Check
    from leptonctl.hosts.configured import HostConfigured
    from leptonctl.hosts.reach import Reply, Request
    from leptonctl.hosts.target import Target
    from leptonctl.planning.desired import DesiredRole

LOOK_LIMIT_S = 60.0
THOROUGH_LIMIT_S = 300.0
# In order of need.
_MODULES = (
    *("facts", "private_file", "gate_record", "attempts", "roots", "compare_accounts", "compare", "complete"),
    *("secret_digests", "host_side"),
)
_NO_SECRETS: Mapping[str, str] = {}


class Checks(StrEnum):
    """Which live checks a look tries."""

    QUICK = "quick"
    """Only the few that belong to every look."""
    OWN = "own"
    """Those of `verify` too, without any that asks other hosts."""
    ALL = "all"
    """All of `verify`."""

    def has(self, check: Check) -> bool:
        """Whether this one is tried."""
        if getattr(check, "is_quick", False):
            return True
        return self is Checks.ALL or (self is Checks.OWN and not check.asks_others)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of writing a host's manifest: its digest, or why it could not be written."""

    digest: str | None
    problem: str | None = None


def look(
    targets: Sequence[Target],
    *,
    digests: Mapping[str, str],
    checks: Checks = Checks.QUICK,
    secrets: Mapping[str, str] = _NO_SECRETS,
) -> dict[str, HostLook]:
    """Compare every target with its manifest, and give the answers by host address.

    `digests` has the manifest that each host should have; another one is not trusted. `secrets` maps reference to
    value, as far as they are known: one that is another value than at the last run is a changed setting. Never raises
    for a host: what could not be asked is an answer.
    """
    requests = look_requests(targets, digests=digests, checks=checks, secrets=secrets)
    is_thorough = checks is not Checks.QUICK
    replies = ask(requests, limit_s=THOROUGH_LIMIT_S if is_thorough else LOOK_LIMIT_S)
    return {target.address: _host_look(target, replies[target.address], is_thorough=is_thorough) for target in targets}


def look_requests(
    targets: Sequence[Target],
    *,
    digests: Mapping[str, str],
    checks: Checks = Checks.QUICK,
    secrets: Mapping[str, str] = _NO_SECRETS,
) -> list[Request]:
    """What `look` sends, one request a target, in their order."""
    return [
        request_of(
            target,
            _MODULES,
            {
                "do": "look",
                "address": target.address,
                "digest": digests.get(target.address),
                "checks": [
                    {**as_json(check), "title": check.title, "role": role.name}
                    for role in target.roles
                    for check in checks_for(role)
                    if checks.has(check)
                ],
                "is_thorough": checks is not Checks.QUICK,
                "secrets": {role.name: secret_values(role, secrets) for role in target.roles},
            },
        )
        for target in targets
    ]


def record(
    targets: Sequence[Target],
    done: Mapping[str, HostConfigured],
    *,
    digests: Mapping[str, str],
    secrets: Mapping[str, str] = _NO_SECRETS,
) -> dict[str, Recorded]:
    """Write the manifest of every target whose roles ran, from what Ansible reported of them.

    Roles that did not run this time keep their part of the manifest, those that were taken off lose it. Refused where a
    host is not as its roles asked. `secrets` maps reference to value: salted digests of them are kept on the host.
    """
    requests = [
        request_of(
            target,
            _MODULES,
            {
                "do": "record",
                "address": target.address,
                "digest": digests.get(target.address),
                "drop": list(done[target.address].removed),
                "roles": {
                    role.name: {
                        **_manifest_part(role, done[target.address], login=target.endpoint.user),
                        "secrets": secret_values(role, secrets),
                    }
                    for role in target.roles
                    if role.name in done[target.address].roles
                },
            },
        )
        for target in targets
    ]
    replies = ask(requests, limit_s=LOOK_LIMIT_S)
    return {target.address: _recorded(replies[target.address]) for target in targets}


def _manifest_part(role: DesiredRole, done: HostConfigured, *, login: str) -> dict[str, object]:
    found = role_entries(role, done.records.get(role.name, ()), login=login)
    return {
        "source": role_source(role.name),
        "settings": plain_settings(role),
        "entries": list(found.entries),
        "not_observed": list(found.not_observed),
    }


def _host_look(target: Target, reply: Reply, *, is_thorough: bool) -> HostLook:
    now = datetime.now(UTC)
    if reply.reach != Reach.OK:
        return HostLook(target.address, reply.reach, now, _unknown(target), reply.detail)
    answer, problem = answer_of(reply)
    if problem is not None:
        return HostLook(target.address, Reach.FAILED, now, _unknown(target), problem)
    return HostLook(
        address=target.address,
        reach=Reach.OK,
        looked_at=now,
        roles={role.name: _role_look(role, answer) for role in target.roles},
        checks=_failed_checks(answer) if is_thorough else None,
        gone_roles=tuple(sorted({*answer["roles"], *answer["named"]} - {role.name for role in target.roles})),
        manifest_digest=answer["digest"],
        facts=answer["facts"],
        gate=gate_record_of(answer["gate"]),
    )


def _failed_checks(answer: Mapping[str, Any]) -> tuple[Difference, ...]:
    return tuple(Difference(check["role"], check["item"], check["message"]) for check in answer["checks"])


def _unknown(target: Target) -> dict[str, RoleLook]:
    return {role.name: RoleLook(RoleState.UNKNOWN) for role in target.roles}


def _role_look(role: DesiredRole, answer: Mapping[str, Any]) -> RoleLook:
    part = answer["roles"].get(role.name)
    if part is None:
        # A host of which this controller holds a digest had a manifest: where it is gone, it is not trusted.
        is_first = answer["manifest"] != "untrusted"
        return RoleLook(RoleState.NEW if is_first else RoleState.NO_TRUSTED_MANIFEST)
    differences = tuple(Difference(role.name, found["item"], found["message"]) for found in part["differences"])
    settings = plain_settings(role)
    others = {name for name in {*settings, *part["settings"]} if settings.get(name) != part["settings"].get(name)}
    changed = tuple(sorted({*others, *part["changed_secrets"]}))
    if part["source"] != role_source(role.name):
        state = RoleState.ROLE_CHANGED
    elif changed:
        state = RoleState.SETTINGS_CHANGED
    else:
        state = RoleState.DIFFERS if differences else RoleState.IN_ORDER
    former = {name: part["settings"][name] for name in sorted(others) if name in part["settings"]}
    return RoleLook(state, differences, tuple(part["not_observed"]), changed, former)


def _recorded(reply: Reply) -> Recorded:
    answer, problem = answer_of(reply)
    if problem is not None:
        return Recorded(None, problem)
    if "refused" in answer:
        return Recorded(None, "; ".join(answer["refused"]))
    return Recorded(answer["digest"])
