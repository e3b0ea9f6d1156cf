"""Which alert a verdict raises, as the role has it."""

from __future__ import annotations

import re

import pytest
import yaml

from leptonctl.assets import asset
from leptonctl.health.alerts import ALERTS, Alert, alert_for
from leptonctl.health.verdict import Verdict


def test_the_alerts_are_those_of_the_role() -> None:
    text = (asset("playbooks", "roles") / "gpu_health" / "monitoring" / "alerts.yml").read_text()
    found = {
        Verdict(verdict[1]): Alert(rule["alert"], int(rule["for"].removesuffix("m")))
        for group in yaml.safe_load(text)["groups"]
        for rule in group["rules"]
        if (verdict := re.search(r'verdict="(\w+)"', rule["expr"]))
    }
    assert found == dict(ALERTS)


@pytest.mark.parametrize(
    ("verdict", "roles", "others", "text"),
    [
        (
            Verdict.FAILED,
            ("gpu_health",),
            ("monitoring_server",),
            "GpuHealthFailed would be raised, once the fault lay there for 1 minute",
        ),
        (
            Verdict.UNKNOWN,
            ("gpu_health",),
            ("monitoring_server",),
            "GpuHealthUnknown would be raised, once the fault lay there for 5 minutes",
        ),
        (
            Verdict.FAILED,
            ("base",),
            ("monitoring_server",),
            "GpuHealthFailed would be raised, but the host has no role gpu_health: nobody collects its verdict",
        ),
        (
            Verdict.DEGRADED,
            ("gpu_health",),
            ("base",),
            "GpuHealthDegraded would be raised, but no host of the site has the role monitoring_server",
        ),
        (Verdict.HEALTHY, (), (), "none: the host passes"),
    ],
)
def test_it_is_told_which_alert_is_raised_or_why_nobody_is_told(
    verdict: Verdict, roles: tuple[str, ...], others: tuple[str, ...], text: str
) -> None:
    seen, is_told = alert_for(verdict, roles=roles, is_watched="monitoring_server" in others)
    assert (seen, is_told) == (text, True if "once" in text else None)
