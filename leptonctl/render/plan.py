"""A plan as text: every location with what changes there, the batches, what it costs, and counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.render.answers import checks_text
from leptonctl.render.text import literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from leptonctl.result import ChangeResult, HostResult, Result

_MARKS = {"create": "+", "update": "~", "replace": "!", "delete": "-", "keep": "=", "unknown": "?", "forbidden": "x"}
_COLOURS = {"create": "green", "update": "yellow", "replace": "red", "delete": "red", "keep": "dim", "unknown": "dim",
            "forbidden": "bold red"}  # fmt: skip


def print_plan(console: Console, result: Result) -> None:
    """Print locations, resources, hosts and roles in order, the batches, what it costs, and counts."""
    order = " -> ".join(", ".join(wave) for wave in result.data.get("waves", ()))
    console.print(f"site {result.site}" + (f": {order}" if order else ""), style="bold")
    if not result.data["is_observed"]:
        console.print("What is there was not looked at (--diff does), so it is unknown what would change.", style="dim")
    for location in result.locations:
        console.print(f"\n{location.address} ({location.platform})", style="bold")
        if location.detail:
            console.print(f"  not known: {literal(location.detail)}", style="yellow")
        print_changes(console, (change for change in result.changes if change.location == location.address))
        for host in location.hosts:
            _planned_host(console, host, is_observed=result.data["is_observed"])
    named = {location.address for location in result.locations}
    gone = [change for change in result.changes if change.location not in named]
    if gone:
        console.print("\nnot in the site file any more", style="bold")
        print_changes(console, gone)
    _rollouts(console, result)
    if result.data.get("estimate"):
        from leptonctl.summaries.estimate import estimate_lines  # noqa: PLC0415 - only where there is one

        console.print("\n" + "\n".join(estimate_lines(result.data["estimate"])))
    checks_text(console, result)
    _plan_counts(console, result)


def print_changes(console: Console, changes: Iterable[ChangeResult]) -> None:
    """Print resource changes, one a line with its reasons."""
    for change in changes:
        reasons = f"  {literal(', '.join(change.reasons))}" if change.reasons else ""
        line = f"  {_MARKS[change.action]} {change.kind:<8} {change.address}{reasons}"
        console.print(line, style=_COLOURS[change.action])


def _planned_host(console: Console, host: HostResult, *, is_observed: bool) -> None:
    where = f" at {host.hostname}" if host.hostname else " (address not known yet)"
    console.print(f"    {host.address}{where}")
    if host.detail:
        unknown = "not known: " if host.status == "unreachable" else ""
        console.print(f"      {unknown}{literal(host.detail)}", style="yellow")
    for role in host.roles:
        reasons = f": {literal('; '.join(role.reasons))}" if role.reasons and is_observed else ""
        state = role.state.replace("_", " ")
        console.print(f"      {role.name:<20} {state}{reasons}" if is_observed else f"      {role.name}")
    for role in host.gone_roles:
        is_change = role.state == "to_remove"
        name = f"- {role.name}" if is_change else role.name
        console.print(f"      {name:<20} {literal('; '.join(role.reasons))}", style="red" if is_change else "dim")


def _rollouts(console: Console, result: Result) -> None:
    """The batches in which hosts change, where there are several, and why it would not begin."""
    for one in result.data.get("rollouts", ()):
        if len(one["batches"]) > 1 or one["cannot_begin"]:
            sizes = ", ".join(str(len(batch)) for batch in one["batches"])
            pause = f", each watched for {one['pause_s']} s" if one["pause_s"] else ""
            failed = f"at most {one['max_failed']} may fail"
            console.print(f"\n{one['name']}: {len(one['batches'])} batches: {sizes}{pause}; {failed}", style="bold")
        if one["cannot_begin"]:
            console.print(f"  will not begin: {literal(one['cannot_begin'])}", style="yellow")


def _plan_counts(console: Console, result: Result) -> None:
    counts = {action: sum(change.action == action for change in result.changes) for action in _MARKS}
    hosts = [host for location in result.locations for host in location.hosts]
    roles = sum(role.state != "in_order" for host in hosts for role in host.roles)
    gone = sum(role.state == "to_remove" for host in hosts for role in host.gone_roles)
    due = sum(host.status == "planned" and host.detail is not None for host in hosts)
    busy = sum(_is_busy(host) for host in hosts)
    if not result.data["is_observed"]:
        total = sum(counts.values())
        console.print(f"\n{total} resources, {roles} roles on {len(hosts)} hosts", style="bold")
        return
    if all(action == "keep" or not count for action, count in counts.items()) and not (roles or gone or due):
        console.print("\nnothing to do: all is as the site file says", style="bold green")
        return
    changing = counts["update"] + counts["replace"]
    console.print(
        f"\n{counts['create']} to create, {changing} to change, {counts['delete']} to remove;"
        f" {roles} roles to run{f', {gone} to take off,' if gone else ''} on {busy} hosts"
        + (f"; accelerators of {due} hosts to judge" if due else ""),
        style="bold",
    )


def _is_busy(host: HostResult) -> bool:
    return any(role.state != "in_order" for role in host.roles) or any(
        role.state == "to_remove" for role in host.gone_roles
    )
