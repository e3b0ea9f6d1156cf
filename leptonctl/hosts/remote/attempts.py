"""Tries the services: the live checks of `verify`. Nothing is left behind by them."""

from __future__ import annotations

import fnmatch
import json
import secrets
import socket
import time
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any

from leptonctl.hosts.remote.facts import packages_of, run, units_of

if TYPE_CHECKING:
    from collections.abc import Callable

Check = dict[str, Any]
TEXT_LIMIT = 300


def run_check(check: Check) -> list[dict[str, str]]:
    """Carry out one check; give what failed, with the role and the check's title, or nothing."""
    attempt = ATTEMPTS.get(check["kind"])
    if attempt is None:
        failure: str | None = "the check is not understood"
    else:
        try:
            failure = attempt(check)
        except (OSError, ValueError, KeyError) as error:
            failure = str(error)
    if failure is None:
        return []
    return [{"role": check["role"], "item": check["title"], "message": "{}: no: {}".format(check["title"], failure)}]


def try_unit(check: Check) -> str | None:
    """Ask systemd whether the unit is active and enabled."""
    found = next(iter(units_of([check["name"]]).values()), {})
    states = [found.get("ActiveState", "unknown"), found.get("UnitFileState", "unknown")]
    is_fine = states[0] == "active" and states[1] in ("enabled", "static", "enabled-runtime")
    return None if is_fine else "it is {} and {}".format(states[0], states[1] or "not installed")


def try_port(check: Check) -> str | None:
    """Connect."""
    try:
        socket.create_connection(("127.0.0.1", check["port"]), timeout=5).close()
    except OSError as error:
        return "connection to 127.0.0.1:%d: %s" % (check["port"], error.strerror or error)
    return None


def try_package(check: Check) -> str | None:
    """Ask dpkg."""
    found = packages_of([check["name"]]).get(check["name"])
    if found is None or found["status"] != "installed":
        return "it is not installed"
    if check["version"] and not fnmatch.fnmatchcase(found["version"], check["version"]):
        return "it is {}".format(found["version"])
    return None


def try_command(check: Check) -> str | None:
    """Run the program."""
    argv = [argument.replace("{unique}", secrets.token_hex(6)) for argument in check["argv"]]
    status, out, err = run(argv, check["limit_s"])
    if status == 0 and check["expect"] in out:
        return None
    said = " ".join((err or out).split())[-TEXT_LIMIT:]
    return "exit %d: %s" % (status, said or "it said nothing")


def try_prometheus_targets(check: Check) -> str | None:
    """Ask Prometheus for its targets until all are up or the time is over."""
    end = time.monotonic() + check["wait_s"]
    while True:
        failure = targets_that_are_down(check)
        if failure is None or time.monotonic() > end:
            return failure
        time.sleep(1)


def targets_that_are_down(check: Check) -> str | None:
    """Name the hosts that Prometheus does not know, could not scrape (with its reason), or does not hear of."""
    heard = 'count by (host) (count_over_time(up{job="hosts"}[%ds]))' % check["wait_s"]
    try:
        targets = ask_prometheus(check, "targets", state="active")["activeTargets"]
        series = ask_prometheus(check, "query", query=heard)["result"] if check["senders"] else []
    except OSError as error:
        return f"Prometheus does not answer: {error}"
    found: dict[str, list[dict[str, Any]]] = {}
    for target in targets:
        found.setdefault(target["labels"].get("host"), []).append(target)
    failures = [f"{host} is not a target" for host in check["hosts"] if host not in found]
    failures += [
        "{} is {} ({})".format(host, target["health"], target.get("lastError") or "not scraped yet")
        for host in check["hosts"]
        for target in found.get(host, ())
        if target["health"] != "up"
    ]
    there = {one["metric"].get("host") for one in series}
    failures += [f"{host} sends nothing" for host in check["senders"] if host not in there]
    return "; ".join(failures)[:TEXT_LIMIT] or None


def ask_prometheus(check: Check, path: str, **asked: str) -> Any:  # noqa: ANN401 - as many shapes as there are questions
    """What its API gives for a question."""
    url = "http://127.0.0.1:%d/api/v1/%s?%s" % (check["port"], path, urllib.parse.urlencode(asked))
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - http to loopback
        return json.load(answer)["data"]


ATTEMPTS: dict[str, Callable[[Check], str | None]] = {
    "unit": try_unit,
    "port": try_port,
    "package": try_package,
    "command": try_command,
    "prometheus_targets": try_prometheus_targets,
}
