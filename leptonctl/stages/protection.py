"""Protection: what `up` refuses to do until the operator names it. Everything here raises `Refused` (exit 7)."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from leptonctl.errors import Problem, Refused, UsageProblem
from leptonctl.planning.plan import Action
from leptonctl.planning.removal import ALL_DATA
from leptonctl.sitefile.software import ROLE_NEEDS

if TYPE_CHECKING:
    from pathlib import Path

    from leptonctl.planning.plan import Plan

PLAN_SCHEMA = "leptonctl.plan/1"


def write_plan(path: Path, plan: Plan) -> None:
    """Write a plan for `up --plan`. Raises UsageProblem where the file can't be written."""
    try:
        text = json.dumps({"schema": PLAN_SCHEMA, "digest": plan.digest, **asdict(plan)}, indent=1)
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageProblem(f"{path} cannot be written: {error.strerror}") from None


def refuse_stale(path: Path, plan: Plan) -> None:
    """Refuse to go on unless the plan in `path` is the one that would be done now.

    Raises UsageProblem where the file is not a plan.
    """
    try:
        shown = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageProblem(f"{path} cannot be read as a plan: {error}") from None
    if not isinstance(shown, dict) or shown.get("schema") != PLAN_SCHEMA:
        raise UsageProblem(f"{path} is not a plan of this leptonctl", hint="write one with `leptonctl plan --out FILE`")
    again = "look at a new one: `leptonctl plan --diff --out FILE`"
    if shown.get("site") != plan.site:
        raise Refused(f"{path} is a plan of the site '{shown.get('site')}', not of '{plan.site}'", hint=again)
    if shown.get("desired_digest") != plan.desired_digest:
        raise Refused(f"the site file (or --only) is not the one that {path} was made from", hint=again)
    if shown.get("is_observed") and shown.get("digest") != plan.digest:
        raise Refused(f"what is there has changed since {path} was made", hint=again)


def refuse_unknown_roles(names: tuple[str, ...]) -> None:
    """Raise UsageProblem for names that are no roles."""
    unknown = [name for name in names if name not in ROLE_NEEDS]
    if unknown:
        raise UsageProblem(
            f"there is no role {', '.join(repr(name) for name in unknown)}",
            hint=f"the roles are {', '.join(ROLE_NEEDS)}",
        )


def refuse_unknown_data(plan: Plan, named: frozenset[str]) -> None:
    """Raise UsageProblem for data that no role leaves behind: a name with a slip in it would keep what should go."""
    going = {
        f"{host.address}:{role.name}"
        for location in plan.locations
        for host in location.hosts
        for role in host.gone_roles
        if role.is_removed and role.deleted
    }
    unknown = sorted(named - going - {ALL_DATA})
    if unknown:
        raise UsageProblem(
            f"--delete-data {unknown[0]}: no role with data of that name is taken off a host",
            hint="name it as HOST:ROLE, as `plan --diff` shows it",
        )


def refuse_forbidden(plan: Plan) -> None:
    """Refuse edits that cannot be made to what is there; each problem says what to do instead."""
    problems = forbidden_problems(plan)
    if problems:
        count = "1 edit" if len(problems) == 1 else f"{len(problems)} edits"
        raise Refused(
            f"{count} of the site file cannot be made to what is there: nothing was touched",
            hint="undo what is named, or do what is said to do instead",
            problems=problems,
        )


def forbidden_problems(plan: Plan) -> tuple[Problem, ...]:
    """Each forbidden edit once, with its location and what to do instead."""
    found = dict.fromkeys((change.location, reason) for change in plan.forbidden for reason in change.reasons)
    return tuple(Problem(rule="forbidden_edit", where=location, message=reason) for location, reason in found)


def refuse_replacement(plan: Plan, named: frozenset[str]) -> None:
    """Refuse to make a host again unless its address, its location's or `all` is named."""
    lost = [
        change
        for change in plan.changes
        if change.action is Action.REPLACE and not {change.address, change.location, "all"} & named
    ]
    if lost:
        raise Refused(
            f"{len(lost)} hosts would be made again, and what is on their root disks lost",
            hint="name what may be replaced: --replace ADDRESS (a host, a location, or 'all')",
            problems=tuple(
                Problem(rule="replacement", where=change.address, message=", ".join(change.reasons)) for change in lost
            ),
        )
