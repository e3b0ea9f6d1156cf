"""What the role storage_ceph says of a cluster's health, from answers of real clusters."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from leptonctl.assets import asset

PROGRAM = asset("playbooks", "roles", "storage_ceph", "files", "ceph_health.py")


def reason(message: str, *details: str, severity: str = "HEALTH_WARN", muted: bool = False) -> dict[str, Any]:
    return {
        "severity": severity,
        "summary": {"message": message, "count": 1},
        "detail": [{"message": detail} for detail in details],
        "muted": muted,
    }


@pytest.fixture(scope="module")
def program() -> Any:
    spec = importlib.util.spec_from_file_location("ceph_health", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_cluster_that_is_well_is_said_in_one_word(program: Any) -> None:
    assert program.verdict({"status": "HEALTH_OK", "checks": {}}) == "HEALTH_OK"


def test_each_reason_is_said_and_clocks_that_differ_with_whose_they_are(program: Any) -> None:
    skew = reason(
        "clock skew detected on mon.core.store-3", "mon.core.store-3 clock skew 4.9s > max 0.05s (latency 0s)"
    )
    health = {"status": "HEALTH_WARN", "checks": {"MON_CLOCK_SKEW": skew, "OSD_DOWN": reason("1 osds down", "osd.2")}}
    assert program.verdict(health) == (
        "HEALTH_WARN; MON_CLOCK_SKEW: clock skew detected on mon.core.store-3"
        " (mon.core.store-3 clock skew 4.9s > max 0.05s (latency 0s)); OSD_DOWN: 1 osds down"
    )


def test_an_error_comes_before_warnings_and_a_muted_reason_is_not_told(program: Any) -> None:
    checks = {
        "A": reason("warns"),
        "B": reason("is muted", muted=True),
        "PG_DAMAGED": reason("2 pgs inconsistent", severity="HEALTH_ERR"),
    }
    assert program.verdict({"status": "HEALTH_ERR", "checks": checks}) == (
        "HEALTH_ERR; PG_DAMAGED: 2 pgs inconsistent; A: warns"
    )


def test_what_does_not_fit_is_counted(program: Any) -> None:
    checks = {f"REASON_{number}": reason("x" * 60) for number in range(9)}
    said = program.verdict({"status": "HEALTH_WARN", "checks": checks})
    assert said.startswith("HEALTH_WARN; REASON_0: xxx")
    assert said.endswith("; and 6 more: `ceph health detail`")
    assert len(said) <= program.LENGTH_AT_MOST
