"""Render: a result as text or JSON on stdout, an error on stderr. With `talk`, the only module that prints."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from leptonctl import __version__
from leptonctl.render.answers import doctor_text, drill_text, explain_text, publish_text, runs_text
from leptonctl.render.health import health_text, policy_text, warnings_text, xid_text
from leptonctl.render.plan import print_changes, print_plan
from leptonctl.render.text import literal
from leptonctl.result import Result

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from leptonctl.errors import LeptonError, Problem
    from leptonctl.planning.estimate import Estimate
    from leptonctl.planning.plan import Plan
    from leptonctl.result import Answer, HostResult, LocationResult, ProblemResult

_ANSWER_COLOURS = {"yes": "green", "no": "red", "unknown": "yellow"}


def render(result: Result, output: str) -> None:
    """Print a result on stdout, whole: `json`, `sarif`, `markdown` or `text`."""
    if output == "json":
        _write(result.model_dump_json(by_alias=True, indent=2, ensure_ascii=True))
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
    from leptonctl.summaries import error_problems  # noqa: PLC0415 - only on failure

    if output == "json":
        result = Result(verb=verb, exit_code=int(error.exit_code), problems=error_problems(error))
        _write(result.model_dump_json(by_alias=True, indent=2, ensure_ascii=True))
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


def plan_text(plan: Plan, estimates: tuple[Estimate, ...] = ()) -> str:
    """A plan as text, with what its locations cost, for the question that `up` asks."""
    from leptonctl import summaries  # noqa: PLC0415 - only for a question
    from leptonctl.summaries.estimate import estimate_data  # noqa: PLC0415 - only for a question
    from leptonctl.summaries.rollout import planned_rollout  # noqa: PLC0415 - only for a question

    console = _console()
    with console.capture() as captured:
        print_plan(
            console,
            Result(
                verb="plan",
                site=plan.site,
                exit_code=0,
                locations=summaries.planned_locations(plan),
                changes=summaries.changes_of(plan),
                data={
                    "is_observed": plan.is_observed,
                    "rollouts": [planned_rollout(rollout) for rollout in plan.rollouts],
                    "estimate": estimate_data(estimates),
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


def _status_text(console: Console, result: Result) -> None:
    from rich.table import Table  # noqa: PLC0415 - heavy
    from rich.text import Text  # noqa: PLC0415 - heavy

    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    is_gated = any(host.in_service is not None for location in result.locations for host in location.hosts)
    titles = ("WHERE", "PLATFORM", "ADDRESS", "DEPLOYED", "REACHABLE", "IN SYNC", *(["IN SERVICE"] if is_gated else []))
    for title in titles:
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
                *([_answer_text(getattr(row, "in_service", None))] if is_gated else []),
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
    warnings_text(console, result)
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
            gone = "".join(f"  (still has {role.name}: {literal('; '.join(role.reasons))})" for role in host.gone_roles)
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
        if change.action != "keep" or change.is_data or change.reasons:
            print_changes(console, [change])
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


def _state_text(console: Console, result: Result) -> None:
    from leptonctl.state_text import state_lines  # noqa: PLC0415 - only these verbs

    for line in state_lines(result):
        console.print(literal(line))


_TEXTS = {
    "explain": explain_text,
    "explain-policy": policy_text,
    "explain-xid": xid_text,
    "health": health_text,
    "plan": print_plan,
    "status": _status_text,
    "verify": _verify_text,
    "drift": _verify_text,
    "publish": publish_text,
    "runs": runs_text,
    "doctor": doctor_text,
    "drill": drill_text,
    "state init": _state_text,
    "state show": _state_text,
    "state unlock": _state_text,
}
