"""Runs on a host, as root, sent over SSH: compares the host with its manifest, or writes it. Prints one JSON object.

Asked with {"do": "look", "digest": ..., "checks": [...], "is_thorough": bool}, or with
{"do": "record", "address": ..., "digest": ..., "keep": [...], "roles": {...}}. Whatever goes wrong is an answer: there
is never a traceback, and what was not understood is said to be unknown, never in order.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import sys
from pathlib import Path
from typing import Any

from leptonctl.hosts.remote.attempts import run_check
from leptonctl.hosts.remote.compare import differences_of, tampered_packages
from leptonctl.hosts.remote.complete import COMPLETE
from leptonctl.hosts.remote.facts import about_host, gather

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
    answer: dict[str, Any] = {"manifest": state, "digest": digest, "facts": about_host(), "roles": {}}
    for name, role in roles.items():
        differences = [found for entry in role["entries"] for found in differences_of(entry, facts)]
        if request.get("is_thorough"):
            differences += tampered_packages(role["entries"])
        answer["roles"][name] = {
            "source": role["source"],
            "settings": role["settings"],
            "not_observed": role["not_observed"],
            "differences": differences,
        }
    answer["checks"] = [failed for check in request.get("checks", []) for failed in run_check(check)]
    return answer


def record(request: dict[str, Any]) -> dict[str, Any]:
    """Complete the entries of roles that just ran, and write the manifest. Refused where something is not there."""
    _, _, manifest = read_manifest(request.get("digest"))
    roles = {name: role for name, role in manifest.get("roles", {}).items() if name in request["keep"]}
    entries = [entry for role in request["roles"].values() for entry in role["entries"]]
    facts = gather(entries)
    refused: list[str] = []
    for name, role in request["roles"].items():
        for entry in role["entries"]:
            problem = COMPLETE[entry["kind"]](entry, facts)
            if problem:
                refused.append(f"{name}: {problem}")
        roles[name] = role
    if refused:
        return {"refused": refused}
    text = json.dumps({"schema": SCHEMA, "address": request["address"], "roles": roles}, sort_keys=True) + "\n"
    write_private(MANIFEST, text)
    return {"digest": hashlib.sha256(text.encode()).hexdigest()}


def read_manifest(digest: str | None) -> tuple[str, str | None, dict[str, Any]]:
    """Give the manifest, and whether it is the one that the controller wrote: `trusted`, `untrusted` or `missing`.

    One that is not trusted is not looked into: whoever forged it must not decide what is compared.
    """
    try:
        text = MANIFEST.read_bytes()
    except OSError:
        return "missing", None, {}
    found = hashlib.sha256(text).hexdigest()
    if not digest or found != digest:
        return "untrusted", found, {}
    return "trusted", found, json.loads(text)


def write_private(path: Path, text: str) -> None:
    """Write a file for root alone, whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(str(temporary), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink()
        raise
