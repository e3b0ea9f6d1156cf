"""Whether the operator may do what the stacks need, asked by simulation: nothing is done to find out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.errors import LeptonError
from leptonctl.planning.aws_permissions import needed_actions
from leptonctl.planning.checks import Check

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from leptonctl.planning.aws_types import LocationArgs
    from leptonctl.platforms.aws_cloud import AwsCloud

# Of AWS, for one call.
_ACTIONS_AT_ONCE = 100
_SHOWN = 5


def permission_checks(home: AwsCloud, who: str, locations: Sequence[LocationArgs]) -> tuple[Check, ...]:
    """One check for all actions; unknown where the simulation itself is not allowed."""
    actions = needed_actions(locations)
    if who.endswith(":root"):
        return (Check(rule="aws_permissions", message="the account's root user may do everything", is_ok=True),)
    try:
        denied = sorted(_denied(home, _principal(home, who), actions))
    except LeptonError as error:
        message = f"whether you may do the {len(actions)} actions that are needed could not be asked: {error.message}"
        return (Check(rule="aws_permissions", message=message, is_ok=None, hint=error.hint),)
    if not denied:
        message = f"you may do all {len(actions)} actions that are needed"
        return (Check(rule="aws_permissions", message=message, is_ok=True),)
    shown = ", ".join(denied[:_SHOWN]) + (f" and {len(denied) - _SHOWN} more" if len(denied) > _SHOWN else "")
    return (
        Check(
            rule="aws_permissions",
            message=f"you may not do {len(denied)} of {len(actions)} actions that are needed: {shown}",
            is_ok=False,
            hint="`leptonctl permissions SITE` prints the policy to ask for",
        ),
    )


def _denied(home: AwsCloud, principal: str, actions: Sequence[str]) -> Iterator[str]:
    for start in range(0, len(actions), _ACTIONS_AT_ONCE):
        names = list(actions[start : start + _ACTIONS_AT_ONCE])
        for page in home.pages("iam", "simulate_principal_policy", PolicySourceArn=principal, ActionNames=names):
            for one in page["EvaluationResults"]:
                # What depends on a value that was not given (a role that is handed on) is not denied by it.
                if one["EvalDecision"] != "allowed" and not one.get("MissingContextValues"):
                    yield one["EvalActionName"]


def _principal(home: AwsCloud, who: str) -> str:
    """Whose policies count: the role behind a session, with its path, which the session's name does not have."""
    _, mark, rest = who.partition(":assumed-role/")
    if not mark:
        return who
    answer: str = home.call("iam", "get_role", RoleName=rest.partition("/")[0])["Role"]["Arn"]
    return answer
