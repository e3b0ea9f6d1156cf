"""Runs every benchmark and writes benchmarks/RESULTS.md: machine, versions, and what each one printed.

A benchmark is a script in benchmarks/ that has a `GOAL`. Exit status 1 where one missed its goal or could not run.
"""

import os
import platform
import re
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
LIBRARIES = ("ansible-core", "ansible-runner", "asyncssh", "click", "pydantic", "PyYAML", "ryaml")


def main() -> int:
    """Run all, in the order of their names."""
    sections, is_missed = [machine()], False
    for script in sorted(BENCHMARKS.glob("*.py")):
        if not re.search(r"^GOAL\b", script.read_text(), re.MULTILINE):
            continue
        print(f"== {script.stem}", flush=True)
        done = subprocess.run([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, check=False)
        print(done.stdout, flush=True)
        is_missed = is_missed or done.returncode != 0
        sections.append(f"## {script.stem}\n\n{outcome(done.stdout, done.returncode)}")
    (BENCHMARKS / "RESULTS.md").write_text("\n".join(sections))
    return int(is_missed)


def machine() -> str:
    """The head of the page: where and with what the figures were taken."""
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        "# Benchmark results\n\n"
        "Written by `make bench`. Times and memory are medians of interleaved runs; memory is that of the largest\n"
        "single process. Compare the ratios, not the seconds.\n\n"
        f"- Date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC\n"
        f"- Machine: {os.cpu_count()} CPUs ({cpu_model()}), {memory_gib:.0f} GiB, Linux {platform.release()}\n"
        f"- Python {platform.python_version()}, leptonctl {version('leptonctl')}, {libraries}\n"
    )


def cpu_model() -> str:
    """The processor's name as the kernel gives it."""
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found.group(1) if found else platform.machine()


def outcome(output: str, exit_status: int) -> str:
    """What a benchmark printed, its table as a table, with the verdict last."""
    word = {0: "goal met", 1: "GOAL MISSED"}.get(exit_status, f"FAILED with exit {exit_status}")
    *table, last = output.strip().splitlines() or ["nothing was printed"]
    return "\n".join([*table, "", f"`{last}`: {word}", ""])


if __name__ == "__main__":
    raise SystemExit(main())
