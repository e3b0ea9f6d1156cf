"""Runs on a host, as root, sent over SSH: compares the host with its manifest, or writes it. Prints one JSON object.

Asked with {"do": "look", "address": ..., "digest": ..., "checks": [...], "is_thorough": bool, "secrets": {...}}, or
with {"do": "record", "address": ..., "digest": ..., "drop": [...], "roles": {...}}. Whatever goes wrong is an answer:
there is never a traceback, and what was not understood is said to be unknown, never in order.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from leptonctl.hosts.remote.attempts import run_check
from leptonctl.hosts.remote.compare import differences_in, tampered_packages
from leptonctl.hosts.remote.complete import complete
from leptonctl.hosts.remote.facts import about_host, gather
from leptonctl.hosts.remote.gate_record import read_gate_record
from leptonctl.hosts.remote.private_file import write_private
from leptonctl.hosts.remote.secret_digests import changed_secrets, digests_of

SCHEMA = 1
MANIFEST = Path("/var/lib/leptonctl/manifest.json")


def main(request: dict[str, Any]) -> int:
    """Do what the request says and print the answer."""
    try:
        answer = {"look": look, "record": record}[request["do"]](request)
    except Exception as error:  # noqa: BLE001 - on a host in any state, whatever goes wrong is an answer
        answer = {"error": f"{type(error).__name__}: {error}"}
    sys.stdout.write(json.dumps({"schema": SCHEMA, **answer}) + "\n")
    return 0


def look(request: dict[str, Any]) -> dict[str, Any]:
    """Compare the host with its manifest, item by item, and carry out the checks that were sent."""
    state, digest, manifest = read_manifest(request.get("digest"))
    roles = manifest.get("roles", {})
    facts = gather([entry for role in roles.values() for entry in role["entries"]])
    answer: dict[str, Any] = {"manifest": state, "digest": digest, "facts": about_host(), "roles": {}, "checks": []}
    answer["named"] = named_roles(request.get("address")) if state == "untrusted" else []
    answer["gate"] = read_gate_record()
    checks = request.get("checks", [])
    for name, role in roles.items():
        differences = differences_in(role["entries"], facts)
        items = {found["item"] for found in differences}
        for check in checks:
            if check["role"] == name and check.get("is_quick") and not items & set(check.get("rests_on", ())):
                differences += run_check(check)
        if request.get("is_thorough"):
            differences += tampered_packages(name, role["entries"])
        answer["roles"][name] = {
            "source": role["source"],
            "settings": role["settings"],
            "not_observed": role["not_observed"],
            "differences": differences,
            "changed_secrets": changed_secrets(role.get("secrets", {}), request.get("secrets", {}).get(name, {})),
        }
    if request.get("is_thorough"):
        rest = (check for check in checks if not check.get("is_quick") or check["role"] not in roles)
        answer["checks"] = [failed for check in rest for failed in run_check(check)]
    return answer


def record(request: dict[str, Any]) -> dict[str, Any]:
    """Complete the entries of roles that just ran, and write the manifest. Refused where the host is not as asked."""
    state, _, manifest = read_manifest(request.get("digest"))
    former = manifest.get("roles", {})
    roles = {name: role for name, role in former.items() if name not in request["drop"]}
    facts = gather([entry for role in request["roles"].values() for entry in role["entries"]])
    refused: list[str] = []
    for name, role in request["roles"].items():
        before = {identity(entry): entry for entry in former.get(name, {}).get("entries", ())}
        if state == "untrusted" and not request.get("digest"):
            before.update(roots_left_behind(name))
        is_first = state == "missing" or (state == "trusted" and name not in former)
        for entry in role["entries"]:
            problems = complete(entry, before.get(identity(entry)), facts, is_first)
            refused.extend(f"{name}: {problem}" for problem in problems)
        role["secrets"] = digests_of(role.get("secrets", {}), former.get(name, {}).get("secrets", {}))
        roles[name] = role
    if refused:
        return {"refused": refused}
    text = json.dumps({"schema": SCHEMA, "address": request["address"], "roles": roles}, sort_keys=True) + "\n"
    write_private(MANIFEST, text)
    return {"digest": hashlib.sha256(text.encode()).hexdigest()}


def roots_left_behind(role: str) -> dict[tuple[str, ...], dict[str, Any]]:
    """Give who was accepted as root when another controller, or this one before it lost its record, first came here.

    A controller that knows no digest cannot tell a right manifest from a forged one. It takes this one thing from it,
    because the only other choice is to accept whoever is there now.
    """
    try:
        entries = json.loads(MANIFEST.read_bytes())["roles"][role]["entries"]
        roots = next(entry for entry in entries if entry["kind"] == "roots")
        accepted = {
            "members": [str(name) for name in roots["accepted"]["members"]],
            "accounts": [str(name) for name in roots["accepted"]["accounts"]],
            "files": {str(path): str(digest) for path, digest in roots["accepted"]["files"].items()},
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, StopIteration):
        return {}
    return {identity(roots): {"accepted": accepted}}


def named_roles(address: str | None) -> list[str]:
    """Give the roles that another's manifest of this host names: a pull's, or a controller's that lost its record.

    Nothing but the names is taken from it. Without them a role that left the site file would stay there unseen.
    """
    try:
        manifest = json.loads(MANIFEST.read_bytes())
        return sorted(map(str, manifest["roles"])) if manifest["address"] == address else []
    except (OSError, ValueError, KeyError, TypeError):
        return []


def identity(entry: dict[str, Any]) -> tuple[str, ...]:
    """Give what tells an entry from all others that may have a past."""
    return entry["kind"], entry.get("path") or entry["name"]


def read_manifest(digest: str | None) -> tuple[str, str | None, dict[str, Any]]:
    """Give the manifest, and whether it is the one that the controller wrote: `trusted`, `untrusted` or `missing`.

    One that is not trusted is not looked into: whoever forged it must not decide what is compared. One that the
    controller wrote and that is gone is not trusted either; `missing` is only where there never was one.
    """
    try:
        text = MANIFEST.read_bytes()
    except OSError as error:
        return "missing" if not digest and isinstance(error, FileNotFoundError) else "untrusted", None, {}
    found = hashlib.sha256(text).hexdigest()
    if not digest or found != digest:
        return "untrusted", found, {}
    return "trusted", found, json.loads(text)
