"""Reads `dcgmi diag --run N --json`, of DCGM 3 (`DCGM GPU Diagnostic`) and DCGM 4 (`DCGM Diagnostic`)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from leptonctl.health.readings import BurnReading, BurnResult
from leptonctl.health.smi import NotUnderstood

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROGRAM = "dcgmi diag"
# What DCGM looks at before it puts a load on anything: libraries, settings, permissions.
SOFTWARE = "Deployment"
_ROOTS = ("DCGM Diagnostic", "DCGM GPU Diagnostic")
_STATUSES: Mapping[str, Literal["pass", "fail", "warn", "skip"]] = {
    "pass": "pass",
    "fail": "fail",
    "warn": "warn",
    "skip": "skip",
    "skipped": "skip",
    "not run": "skip",
    "not_run": "skip",
}


def read_diag(text: str) -> BurnReading:
    """Every result of every test; `gpu` is DCGM's number of a GPU, None where a result is about all of them.

    Raises NotUnderstood where it is empty, no such JSON, has no result, or one with a status that is not known.
    """
    # dcgmi warns in plain lines before the JSON.
    begin = text.find("{")
    try:
        whole = json.loads(text[begin:]) if begin >= 0 else None
    except ValueError as odd:
        raise NotUnderstood(f"dcgmi's answer is no whole JSON: {odd}") from odd
    root = next((whole[name] for name in _ROOTS if name in whole), None) if isinstance(whole, dict) else None
    if not isinstance(root, dict):
        raise NotUnderstood(f"dcgmi's answer is no diagnostic: {text.strip()[:200]!r}")
    if "runtime_error" in root:
        raise NotUnderstood(f"dcgmi could not run the diagnostic: {str(root['runtime_error'])[:200]}")
    try:
        results = tuple(_results(root))
    except (KeyError, TypeError, ValueError, AttributeError) as odd:
        raise NotUnderstood(f"dcgmi's answer has another shape: {odd!r}") from odd
    if not results:
        raise NotUnderstood("dcgmi's answer has no result of any test")
    return BurnReading(program=PROGRAM, results=results)


def _results(root: dict[str, Any]) -> Iterator[BurnResult]:
    for category in root["test_categories"]:
        # DCGM 3.1 writes null between the tests of a category.
        for test in filter(None, category["tests"]):
            for one in test["results"]:
                status = _STATUSES.get(str(one["status"]).lower())
                if status is None:
                    raise NotUnderstood(f"dcgmi: the test {test['name']!r} has the status {one['status']!r}")
                yield BurnResult(
                    test=str(test["name"]),
                    is_load=category["category"] != SOFTWARE and str(test["name"]).lower() != "software",
                    status=status,
                    gpu=_gpu(one),
                    text="; ".join(_text(warning) for warning in _listed(one.get("warnings"))),
                )


def _gpu(result: dict[str, Any]) -> int | None:
    if result.get("entity_group") not in {None, "GPU"}:
        return None
    found = str(result.get("entity_id", result.get("gpu_ids", "")))
    return int(found) if found.isdecimal() else None


def _listed(found: object) -> list[Any]:
    return found if isinstance(found, list) else [found] if found else []


def _text(warning: object) -> str:
    return str(warning["warning"]) if isinstance(warning, dict) and "warning" in warning else str(warning)
