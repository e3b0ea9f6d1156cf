#!/usr/bin/python3
# Managed by leptonctl: the next run puts this file back.
"""Prints the health of the Ceph cluster that this host is a monitor of, on one line. Reads only.

`HEALTH_OK`, or `HEALTH_WARN` or `HEALTH_ERR` with every reason and its size, clocks that differ among them. Where the
monitors do not answer the health is not known: exit 2, with why.
"""

import json
import subprocess
import sys

LIMIT_S = 20
DETAILS = 3


def verdict(health: dict) -> str:
    """The status and its reasons: each with what Ceph says of it, and of the first few things that it is about."""
    reasons = []
    for code, check in sorted(health.get("checks", {}).items()):
        if check.get("muted"):
            continue
        details = [" ".join(one["message"].split()) for one in check.get("detail", ())[:DETAILS]]
        reasons.append(f"{code}: {check['summary']['message']}" + (f" ({'; '.join(details)})" if details else ""))
    return "; ".join([health["status"], *reasons])


if __name__ == "__main__":
    try:
        SAID = subprocess.run(
            ["ceph", "--connect-timeout", str(LIMIT_S), "health", "detail", "--format", "json"],
            text=True,
            capture_output=True,
            check=False,
            timeout=2 * LIMIT_S,
        )
        print(verdict(json.loads(SAID.stdout)))
    except (ValueError, KeyError, subprocess.TimeoutExpired):
        print("unknown: the monitors do not answer")
        sys.exit(2)
