"""Answers as text: what was asked before anything is made, explanations, runs, the doctor's findings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from leptonctl.render.text import literal

if TYPE_CHECKING:
    from rich.console import Console

    from leptonctl.result import Result

_CHECKED = {True: ("ok", "green"), False: ("NOT", "red"), None: ("?", "yellow")}


def checks_text(console: Console, result: Result) -> None:
    """What was asked before anything is made, and the answers."""
    checks = result.data.get("preflight") or ()
    if checks:
        console.print("\nbefore anything is made", style="bold")
    for check in checks:
        mark, colour = _CHECKED[check["is_ok"]]
        where = f"{check['where']}: " if check["where"] else ""
        console.print(f"  {mark:<4}{where}{literal(check['message'])}", style=colour)
        if check["hint"] and check["is_ok"] is not True:
            console.print(f"      {literal(check['hint'])}")


def publish_text(console: Console, result: Result) -> None:
    """What was published, and where."""
    for one in result.data["published"]:
        size = f"{one['bytes'] / 1e6:.1f} MB, SHA-256 {one['sha256'][:12]}"
        console.print(f"{one['box']}: state {one['serial']} ({size}) lies on {one['gateway']}")


def explain_text(console: Console, result: Result) -> None:
    """What holds in a place, and where it was set."""
    if "text" in result.data:
        console.print(literal(result.data["text"]))
    for section in result.data["sections"]:
        console.print(section["title"], style="bold")
        width = max((len(row["name"]) for row in section["values"]), default=0)
        for row in section["values"]:
            value = json.dumps(row["value"], ensure_ascii=False)
            console.print(f"  {row['name']:<{width}}  {literal(value)}  ", end="")
            place = f"{result.data['file']}:{row['line']} {row['origin']}" if row["line"] else row["origin"]
            console.print(f"({place})", style="dim")
    for does in result.data.get("on_edit", ()):
        case = f" ({does['when']})" if "when" in does else ""
        words = [
            f"{does['effect']}{case}",
            does.get("note"),
            f"instead: {does['instead']}" if "instead" in does else None,
        ]
        console.print(f"  changing it: {literal('; '.join(filter(None, words)))}")


def runs_text(console: Console, result: Result) -> None:
    """The runs of a site."""
    for run in result.data["runs"]:
        ended = "not ended" if run["exit_code"] is None else f"exit {run['exit_code']}"
        took = "" if run["duration_s"] is None else f"{run['duration_s']:.0f} s"
        console.print(f"{run['id']}  {run['verb']:<6} {ended:<10} {took:>7}  {run['folder']}")
    if not result.data["runs"]:
        console.print("no runs yet")


def doctor_text(console: Console, result: Result) -> None:
    """What this machine lacks."""
    for finding in result.data["findings"]:
        mark, colour = _CHECKED[finding["is_ok"]]
        console.print(f"{mark:<4}{finding['name']:<22} {literal(finding['found'])}", style=colour)
        if not finding["is_ok"] and finding["hint"]:
            console.print(f"    {literal(finding['hint'])}")


def drill_text(console: Console, result: Result) -> None:
    """What a drill showed, step by step."""
    console.print(f"drill {result.data['drill']} on {result.data['host']}", style="bold")
    for step in result.data["steps"]:
        mark, colour = _CHECKED[step["is_ok"]]
        console.print(f"{mark:<4}{step['name']:<22} {literal(step['seen'])}", style=colour)
