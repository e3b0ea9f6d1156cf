"""The health of accelerators as text: a line a host and GPU, and under it every finding with its figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leptonctl.render.text import literal

if TYPE_CHECKING:
    from rich.console import Console

    from leptonctl.result import Result

_COLOURS = {"healthy": "green", "degraded": "yellow", "unknown": "yellow", "failed": "red"}


def health_text(console: Console, result: Result) -> None:
    """Print the verdicts on locations, hosts and GPUs."""
    for location in result.data["locations"]:
        console.print(f"{location['address']}: {location['verdict']}", style=_COLOURS[location["verdict"]])
        for host in result.data["hosts"]:
            if host["address"].rpartition("/")[0] == location["address"]:
                _host(console, host)
        _decision(console, location)
    for problem in result.problems:
        if problem.rule == "health-unknown" and not _is_told(result, problem.where):
            console.print(f"  {literal(problem.message)}", style="yellow")


def warnings_text(console: Console, result: Result) -> None:
    """Print what `up` and `verify` found and let pass: degraded accelerators, and groups that are only reported on."""
    for host in result.data.get("health", ()):
        shown = [("degraded", text) for text in host["warnings"]]
        if host["is_shadow"]:
            shown += [("only reported, does not pass", text) for text in host["failing"]]
        for what, text in shown:
            console.print(f"{host['address']}: {what}: {literal(text)}", style="yellow")


def _is_told(result: Result, address: str | None) -> bool:
    return any(host["address"] == address for host in result.data["hosts"])


def _host(console: Console, host: dict[str, Any]) -> None:
    action = "" if host["action"] == "nothing" else f": {host['action']}"
    console.print(f"  {host['address']}  {host['verdict']}{action}", style=_COLOURS[host["verdict"]])
    for gpu in host["gpus"]:
        serial = f"  serial {literal(gpu['serial'])}" if gpu["serial"] else ""
        console.print(f"    {gpu['bus_id']}  {gpu['verdict']}{serial}", style="dim")
    for finding in host["findings"]:
        where = f"{finding['subject']}: " if finding["subject"] else ""
        text = f"{where}{finding['check']}: {finding['measured']} (should be: {finding['threshold']})"
        console.print(f"    {finding['verdict']}: {literal(text)}", style=_COLOURS[finding["verdict"]])
        console.print(f"      {finding['action']}; {literal(finding['source'])}", style="dim")


def _decision(console: Console, location: dict[str, Any]) -> None:
    if location["is_shadow"] and location["would"]:
        console.print(f"  only reported, would be out of service: {', '.join(location['would'])}")
    if location["out"]:
        console.print(f"  out of service: {', '.join(location['out'])}", style="red")
    if location["held"]:
        held = ", ".join(location["held"])
        console.print(f"  not taken out, because too many would be; decide yourself: {held}", style="red")


def xid_text(console: Console, result: Result) -> None:
    """Print what is known of an Xid."""
    data = result.data
    console.print(f"Xid {data['code']}: {data['name'] or 'no name is known'}", style="bold")
    console.print(f"  verdict  {data['verdict']}")
    console.print(f"  action   {data['action']}")
    console.print(f"  source   {literal(data['source'])}")
    for said in data["said"]:
        console.print(f"  said     {literal(said)}")
    if data["choice"]:
        console.print(f"  choice   {literal(data['choice'])}")
    console.print(f"  table    {data['table']}", style="dim")


def policy_text(console: Console, result: Result) -> None:
    """Print the thresholds with their sources."""
    console.print(f"health policy of {result.data['version']}", style="bold")
    width = max(len(row["name"]) for row in result.data["thresholds"])
    for row in result.data["thresholds"]:
        console.print(f"  {row['name']:<{width}}  {row['value']:>7}  ", end="")
        console.print(literal(row["source"]), style="dim")
