"""Runs on a host, as root, by a timer of the role `gpu_health`: reads its GPUs, judges them, and writes metrics.

It comes with the same judging modules that the controller has (`hosts.collector` puts them together), so that a rule is
written once. What is declared, and the policy, come in a file that the role writes.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from leptonctl.health.answer import reading_of
from leptonctl.health.judge import judge
from leptonctl.health.metrics import metrics_text
from leptonctl.health.policy import default_policy
from leptonctl.health.readings import Declared
from leptonctl.hosts.remote.accelerators import read_host

SETTINGS = Path("/etc/leptonctl/gpu_health.json")
METRICS = Path("/var/lib/prometheus/node-exporter/leptonctl_gpu_health.prom")


def main(_request: dict[str, Any]) -> int:
    """Read, judge, and put the metrics in the place of the last ones."""
    try:
        settings = json.loads(SETTINGS.read_text())
        declared = settings["declared"]
    except (OSError, ValueError, KeyError) as error:
        sys.stderr.write(f"{SETTINGS}: it does not say what to judge by: {error}\n")
        return 1
    policy = default_policy().overridden(settings["policy"])
    asked = {"vendor": declared["vendor"], "with_links": declared["links"] is not None}
    reading = reading_of(read_host({"look_back_s": policy["look_back_s"], **asked}))
    lists = {"serials": tuple(declared["serials"]), "ethernet": tuple(map(tuple, declared["ethernet"]))}
    health = judge(reading, Declared(**{**declared, **lists}), policy)
    replace(METRICS, metrics_text(health, reading))
    sys.stdout.write(f"{health.verdict}: {health.reason}\n")
    return 0


def replace(path: Path, text: str) -> None:
    """Put a file in its place, whole: the exporter may read at any moment."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text)
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
