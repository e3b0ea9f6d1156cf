#!/usr/bin/python3
"""Says whether the tunnel to the region is up: `tunnel --check` prints `up`, or why it is not and exits 1.

WireGuard has no connections: it is up where both ends have agreed on keys in the last minutes, which they do every two
minutes while the box keeps the way open.
"""

import subprocess
import sys
import time

INTERFACE = "lepton"
# Keys are agreed on anew after 120 s, and thrown away after 180: https://www.wireguard.com/protocol/
FRESH_S = 180
WAIT_S = 15


def main() -> int:
    """Look until it is up or the time is over."""
    end = time.monotonic() + WAIT_S
    while True:
        problem = why_down()
        if problem is None:
            print("up")
            return 0
        if time.monotonic() > end:
            print(problem)
            return 1
        time.sleep(1)


def why_down() -> "str | None":
    """What is wrong with it, or nothing."""
    done = subprocess.run(
        ["wg", "show", INTERFACE, "latest-handshakes"], capture_output=True, text=True, check=False, timeout=10
    )
    if done.returncode != 0:
        return f"no interface {INTERFACE}: {done.stderr.strip()}"
    times = [int(line.split()[1]) for line in done.stdout.splitlines()]
    if not times or not max(times):
        return "the gateway has never answered"
    age = int(time.time()) - max(times)
    return f"the gateway has not answered for {age} s" if age > FRESH_S else None


if __name__ == "__main__":
    sys.exit(main())
