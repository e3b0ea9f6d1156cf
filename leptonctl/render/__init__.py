"""Render: a result as text or JSON on stdout, an error on stderr. With `talk`, the only module that prints."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from leptonctl import __version__
from leptonctl.render.health import health_text, policy_text, xid_text
from leptonctl.render.text import literal
from leptonctl.result import Result

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console
    from rich.text import Text

    from leptonctl.errors import LeptonError, Problem
    from leptonctl.planning.plan import Plan
    from leptonctl.result import Answer, ChangeResult, HostResult, LocationResult, ProblemResult

_MARKS = {"create": "+", "update": "~", "replace": "!", "delete": "-", "keep": "=", "unknown": "?", "forbidden": "x"}
_COLOURS = {"create": "green", "update": "yellow", "replace": "red", "delete": "red", "keep": "dim", "unknown": "dim",
            "forbidden": "bold red"}  # fmt: skip
_ANSWER_COLOURS = {"yes": "green", "no": "red", "unknown": "yellow"}
_GONE = "not in the site file any more; what it did stays on the host"


def render(result: Result, output: str) -> None:
    """Print a result on stdout, whole: `json`, `sarif`, `markdown` or `text`."""
    if output == "json":
        _write(json.dumps(result.model_dump(mode="json", by_alias=True), indent=2))
    elif output == "sarif":
        _write(json.dumps(_sarif(()), indent=2))
    elif output == "markdown":
        _write(_markdown(result))
    elif result.verb == "validate":  # one plain line, without the time that rich takes to start
        data = result.data
        _write(literal(f"{data['file']} is valid: {data['locations']} locations, {data['hosts']} hosts"))
    else:
        _TEXTS.get(result.verb, _run_text)(_console(), result)


def render_error(verb: str, error: LeptonError, output: str) -> None:
    """Print an error: as text on stderr, or as a result on stdout."""
    from leptonctl.summary import error_problems  # noqa: PLC0415 - only on failure

    if output == "json":
        result = Result(verb=verb, exit_code=int(error.exit_code), problems=error_problems(error))
        _write(json.dumps(result.model_dump(mode="json", by_alias=True), indent=2))
    elif output == "sarif":
        _write(json.dumps(_sarif(error.problems), indent=2))
    elif error.problems and any(problem.file for problem in error.problems):
        from leptonctl.sitefile.report import as_text  # noqa: PLC0415 - only on failure

        sys.stderr.write(as_text(error.problems))
        sys.stderr.write(f"\n{literal(error.message)}\n")
    else:
        sys.stderr.write(f"leptonctl {verb}: {literal(error.message)}\n")
        for problem in error.problems:
            where = f"{problem.where}: " if problem.where and problem.where not in problem.message else ""
            sys.stderr.write(f"  {literal(where + problem.message)}\n")
            if problem.hint:
                sys.stderr.write(f"    {literal(problem.hint)}\n")
        if error.hint:
            sys.stderr.write(f"  {literal(error.hint)}\n")


def _sarif(problems: tuple[Problem, ...]) -> object:
    from leptonctl.sitefile.report import as_sarif  # noqa: PLC0415 - only for this output

    return as_sarif(problems, version=__version__)


def plan_text(plan: Plan) -> str:
    """A plan as text, for the question that `up` asks."""
    from leptonctl import summary  # noqa: PLC0415 - only for a question
    from leptonctl.rollout_summary import planned_rollout  # noqa: PLC0415 - only for a question

    console = _console()
    with console.capture() as captured:
        _plan_text(
            console,
            Result(
                verb="plan",
                site=plan.site,
                exit_code=0,
                locations=summary.planned_locations(plan),
                changes=summary.changes_of(plan),
                data={
                    "is_observed": plan.is_observed,
                    "rollouts": [planned_rollout(rollout) for rollout in plan.rollouts],
                },
            ),
        )
    return captured.get()


def _write(text: str) -> None:
    sys.stdout.write(text + "\n")


def _console() -> Console:
    from rich.console import Console  # noqa: PLC0415 - heavy

    # Without a terminal, lines are never folded: they are for grep and logs.
    width = None if sys.stdout.isatty() else 10_000
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=True, width=width)


def _plan_text(console: Console, result: Result) -> None:
    order = " -> ".join(", ".join(wave) for wave in result.data.get("waves", ()))
    console.print(f"site {result.site}" + (f": {order}" if order else ""), style="bold")
    if not result.data["is_observed"]:
        console.print("What is there was not looked at (--diff does), so it is unknown what would change.", style="dim")
    for location in result.locations:
        console.print(f"\n{location.address} ({location.platform})", style="bold")
        if location.detail:
            console.print(f"  not known: {literal(location.detail)}", style="yellow")
        _changes(console, (change for change in result.changes if change.location == location.address))
        for host in location.hosts:
            _planned_host(console, host, is_observed=result.data["is_observed"])
    named = {location.address for location in result.locations}
    gone = [change for change in result.changes if change.location not in named]
    if gone:
        console.print("\nnot in the site file any more", style="bold")
        _changes(console, gone)
    _rollouts(console, result)
    if result.data.get("estimate"):
        from leptonctl.estimate_summary import estimate_lines  # noqa: PLC0415 - only where there is one

        console.print("\n" + "\n".join(estimate_lines(result.data["estimate"])))
    _plan_counts(console, result)


def _changes(console: Console, changes: Iterable[ChangeResult]) -> None:
    for change in changes:
        reasons = f"  {literal(', '.join(change.reasons))}" if change.reasons else ""
        line = f"  {_MARKS[change.action]} {change.kind:<8} {change.address}{reasons}"
        console.print(line, style=_COLOURS[change.action])


def _planned_host(console: Console, host: HostResult, *, is_observed: bool) -> None:
    where = f" at {host.hostname}" if host.hostname else " (address not known yet)"
    console.print(f"    {host.address}{where}")
    if host.detail:
        console.print(f"      not known: {literal(host.detail)}", style="yellow")
    for role in host.roles:
        reasons = f": {literal('; '.join(role.reasons))}" if role.reasons and is_observed else ""
        state = role.state.replace("_", " ")
        console.print(f"      {role.name:<20} {state}{reasons}" if is_observed else f"      {role.name}")
    for name in host.gone_roles:
        console.print(f"      {name:<20} {_GONE}", style="dim")


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
    busy = sum(any(role.state != "in_order" for role in host.roles) for host in hosts)
    if not result.data["is_observed"]:
        total = sum(counts.values())
        console.print(f"\n{total} resources, {roles} roles on {len(hosts)} hosts", style="bold")
        return
    if all(action == "keep" or not count for action, count in counts.items()) and not roles:
        console.print("\nnothing to do: all is as the site file says", style="bold green")
        return
    changing = counts["update"] + counts["replace"]
    console.print(
        f"\n{counts['create']} to create, {changing} to change, {counts['delete']} to remove;"
        f" {roles} roles to run on {busy} hosts",
        style="bold",
    )


def _status_text(console: Console, result: Result) -> None:
    from rich.table import Table  # noqa: PLC0415 - heavy
    from rich.text import Text  # noqa: PLC0415 - heavy

    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for title in ("WHERE", "PLATFORM", "ADDRESS", "DEPLOYED", "REACHABLE", "IN SYNC"):
        table.add_column(title, no_wrap=True)
    for location in result.locations:
        rows: tuple[LocationResult | HostResult, ...] = (location, *location.hosts)
        for row in rows:
            is_host = row is not location
            table.add_row(
                Text(("  " if is_host else "") + row.address, style="" if is_host else "bold"),
                "" if is_host else location.platform,
                (getattr(row, "hostname", None) or "") if is_host else "",
                *(_answer_text(answer) for answer in (row.deployed, row.reachable, row.in_sync)),
            )
    console.print(table, soft_wrap=False)
    _problems(console, result)


def _answer_text(answer: Answer | None) -> Text | str:
    from rich.text import Text  # noqa: PLC0415 - heavy

    if answer is None:
        return ""
    details = [part for part in (literal(answer.detail or ""), _age(answer.age_s)) if part]
    return Text.assemble((answer.value, _ANSWER_COLOURS[answer.value]), f" ({', '.join(details)})" if details else "")


def _age(age_s: float | None) -> str:
    if age_s is None:
        return ""
    for unit, seconds in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if age_s >= seconds:
            return f"{age_s / seconds:.0f}{unit} ago"
    return f"{age_s:.0f}s ago"


def _problems(console: Console, result: Result) -> None:
    if result.problems:
        console.print()
    for problem in result.problems:
        _problem(console, problem)


def _problem(console: Console, problem: ProblemResult) -> None:
    where = f"{problem.where}: " if problem.where else ""
    console.print(f"{where}{problem.rule}: {literal(problem.message)}", style="red")
    if problem.hint:
        console.print(f"  {literal(problem.hint)}")


def _verify_text(console: Console, result: Result) -> None:
    for location in result.locations:
        for host in location.hosts:
            is_fine = host.status == "in_order"
            gone = f"  (still has {', '.join(host.gone_roles)}: {_GONE})" if host.gone_roles else ""
            roles = ", ".join(role.name for role in host.roles) + gone
            console.print(
                f"{'ok  ' if is_fine else 'NOT '} {host.address}  {roles}", style="green" if is_fine else "red"
            )
    _problems(console, result)
    count = len(result.problems)
    hosts = sum(len(location.hosts) for location in result.locations)
    if count:
        console.print(
            f"\n{count} {'difference' if count == 1 else 'differences'} found on {hosts} hosts", style="bold red"
        )
    else:
        console.print(f"\n{hosts} hosts are as planned", style="bold green")


def _markdown(result: Result) -> str:
    """A summary for a merge request or a job page: a headline, and a table of what differs."""
    if not result.problems:
        hosts = sum(len(location.hosts) for location in result.locations)
        return f"### {result.site}: no drift\n\n{hosts} hosts and their resources are as the site file says."
    rows = [
        f"| {_cell(problem.where or '')} | {_cell(problem.rule)} | {_cell(problem.message)} |"
        for problem in result.problems
    ]
    count = len(rows)
    headline = f"### {result.site}: {count} {'difference' if count == 1 else 'differences'}"
    return "\n".join([headline, "", "| where | what | difference |", "| --- | --- | --- |", *rows])


def _cell(text: str) -> str:
    """Text for a cell of a table: nothing in it may end the cell or start markup."""
    plain = literal(text).replace("\n", " ")
    return "".join(f"\\{mark}" if mark in "|<>`*_[]" else mark for mark in plain)


def _run_text(console: Console, result: Result) -> None:
    """What `up` and `down` came to."""
    for change in result.changes:
        if change.action != "keep" or change.is_data:
            _changes(console, [change])
    for location in result.locations:
        for host in location.hosts:
            count = "" if host.changed_count is None else f", {host.changed_count} tasks changed something"
            console.print(f"{host.status.replace('_', ' '):<12} {host.address}{count}")
            if host.detail:
                console.print(f"             {literal(host.detail)}", style="red")
        if location.detail and location.status != "in_order":
            console.print(f"{location.status:<12} {location.address}: {literal(location.detail)}", style="red")
    _problems(console, result)
    if "message" in result.data:
        console.print(f"\n{result.data['message']}", style="bold green" if result.ok else "bold red")
    if result.run:
        console.print(f"run folder: {result.run}", style="dim")


def _explain_text(console: Console, result: Result) -> None:
    for section in result.data["sections"]:
        console.print(section["title"], style="bold")
        width = max((len(row["name"]) for row in section["values"]), default=0)
        for row in section["values"]:
            value = json.dumps(row["value"], ensure_ascii=False)
            console.print(f"  {row['name']:<{width}}  {literal(value)}  ", end="")
            place = f"{result.data['file']}:{row['line']} {row['origin']}" if row["line"] else row["origin"]
            console.print(f"({place})", style="dim")


def _runs_text(console: Console, result: Result) -> None:
    for run in result.data["runs"]:
        ended = "not ended" if run["exit_code"] is None else f"exit {run['exit_code']}"
        took = "" if run["duration_s"] is None else f"{run['duration_s']:.0f} s"
        console.print(f"{run['id']}  {run['verb']:<6} {ended:<10} {took:>7}  {run['folder']}")
    if not result.data["runs"]:
        console.print("no runs yet")


def _doctor_text(console: Console, result: Result) -> None:
    for finding in result.data["findings"]:
        mark, colour = {True: ("ok", "green"), False: ("NOT", "red"), None: ("?", "yellow")}[finding["is_ok"]]
        console.print(f"{mark:<4}{finding['name']:<22} {literal(finding['found'])}", style=colour)
        if not finding["is_ok"] and finding["hint"]:
            console.print(f"    {literal(finding['hint'])}")


_TEXTS = {
    "explain": _explain_text,
    "explain-policy": policy_text,
    "explain-xid": xid_text,
    "health": health_text,
    "plan": _plan_text,
    "status": _status_text,
    "verify": _verify_text,
    "drift": _verify_text,
    "runs": _runs_text,
    "doctor": _doctor_text,
}
