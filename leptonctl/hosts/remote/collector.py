"""Runs on a host, as root, by a timer of the role `gpu_health`: reads its GPUs, judges them, and writes metrics.

It comes with the same judging modules that the controller has (`hosts.collector` puts them together), so that a rule is
written once. What is declared, and the policy, come in a file that the role writes.
"""

from __future__ import annotations

import http.client
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
# Where NVIDIA's DCGM exporter serves, unless it was told otherwise.
DCGM = ("127.0.0.1", 9400)
DCGM_METRICS = METRICS.with_name("leptonctl_dcgm.prom")
DCGM_LIMIT = 4 * 1024 * 1024


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
    pass_on_dcgm()
    sys.stdout.write(f"{health.verdict}: {health.reason}\n")
    return 0


def pass_on_dcgm() -> None:
    """Leave what the DCGM exporter says for the node exporter, where it is installed: no port has to be opened for it.

    Where it does not answer the last of it is taken away, so that old values are not taken for new ones.
    """
    text = served_by_dcgm()
    if text:
        replace(DCGM_METRICS, text)
    else:
        DCGM_METRICS.unlink(missing_ok=True)


def served_by_dcgm() -> str:
    """Give the metrics of DCGM alone: those of the exporter itself would be taken for the node exporter's."""
    connection = http.client.HTTPConnection(*DCGM, timeout=5)
    try:
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        text = answer.read(DCGM_LIMIT).decode(errors="replace") if answer.status == http.client.OK else ""
    except (OSError, http.client.HTTPException):
        return ""
    finally:
        connection.close()
    lines = [line for line in text.splitlines() if line.startswith(("DCGM_", "# HELP DCGM_", "# TYPE DCGM_"))]
    return "".join(f"{line}\n" for line in lines)


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
