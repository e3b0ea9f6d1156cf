"""Prints one line like pytest's own over several JUnit reports: `closing_line.py EXIT_STATUS REPORT...`."""

import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET


def main(exit_status: int, reports: list[Path]) -> None:
    """Sum the reports that are there; one that is missing is a part that did not run."""
    counted: Counter[str] = Counter()
    seconds = 0.0
    for report in filter(Path.exists, reports):
        for suite in ET.parse(report).iter("testsuite"):  # noqa: S314  pytest has just written it
            counted.update({kind: int(suite.get(kind, "0")) for kind in ("tests", "failures", "errors", "skipped")})
            seconds += float(suite.get("time", "0"))
    passed = counted["tests"] - counted["failures"] - counted["errors"] - counted["skipped"]
    parts = [f"{counted['failures']} failed"] if counted["failures"] else []
    parts.append(f"{passed} passed")
    parts.extend(f"{counted[kind]} {kind}" for kind in ("skipped", "errors") if counted[kind])
    parts.extend(f"{report.stem} part not run" for report in reports if not report.exists())
    parts.extend([f"exit status {exit_status}"] if exit_status else [])
    print(f"==== {', '.join(parts)} in {seconds:.2f}s ====")


if __name__ == "__main__":
    main(int(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
