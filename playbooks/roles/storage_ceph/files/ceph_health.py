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
# What a check of leptonctl shows at most.
LENGTH_AT_MOST = 290
# Which of its reasons need more than their own words: whose clock it is.
TOLD_WHOLE = ("MON_CLOCK_SKEW",)


def verdict(health: dict) -> str:
    """The status and its reasons, the most important first, as far as they fit on a line that is read whole."""
    checks = {code: check for code, check in health.get("checks", {}).items() if not check.get("muted")}
    found = health["status"]
    left = sorted(checks, key=lambda code: (checks[code]["severity"] != "HEALTH_ERR", code))
    while left:
        code = left[0]
        details = [" ".join(one["message"].split()) for one in checks[code].get("detail", ())]
        more = f" ({details[0]})" if code in TOLD_WHOLE and details else ""
        longer = f"{found}; {code}: {checks[code]['summary']['message']}{more}"
        rest = f"; and {len(left)} more: `ceph health detail`"
        if len(longer) > LENGTH_AT_MOST - len(rest):
            return (found + rest)[:LENGTH_AT_MOST]
        found = longer
        left.pop(0)
    return found


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
