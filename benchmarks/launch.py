"""Runs one command and writes what it used, as one JSON object, to the file descriptor that it is given.

Started by `harness.py` as `python -I -S launch.py FD COMMAND...`. A process of its own because Linux counts the memory
of the process that forks into the peak of the child: from here the floor is 10 MiB, whatever the harness holds.
"""

import json
import os
import sys
import time


def main() -> None:
    """Run the command; wall and CPU time in seconds, peak memory of its largest process in KiB."""
    report_fd, command = int(sys.argv[1]), sys.argv[2:]
    os.set_inheritable(report_fd, False)  # noqa: FBT003  the library's own signature
    began = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(pid, 0)
    report = {
        "wall_s": time.perf_counter() - began,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_kib": usage.ru_maxrss,
        "exit_status": os.waitstatus_to_exitcode(status),
    }
    os.write(report_fd, json.dumps(report).encode())


main()
