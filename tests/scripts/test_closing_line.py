"""The closing line of `make test` sums the parts up, and hides none that did not run."""

from pathlib import Path

import pytest

import closing_line


def report(folder: Path, name: str, **counts: float) -> Path:
    given = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0, "time": 0.0, **counts}
    attributes = " ".join(f'{key}="{value}"' for key, value in given.items())
    path = folder / f"{name}.xml"
    path.write_text(f"<testsuites><testsuite {attributes}/></testsuites>")
    return path


def test_all_passed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    quick = report(tmp_path, "quick", tests=300, time=20.5)
    hosts = report(tmp_path, "hosts", tests=40, skipped=1, time=300)
    closing_line.main(0, [quick, hosts])
    assert capsys.readouterr().out == "==== 339 passed, 1 skipped in 320.50s ====\n"


def test_what_failed_comes_first_and_what_did_not_run_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quick = report(tmp_path, "quick", tests=10, failures=2, errors=1, time=3)
    closing_line.main(1, [quick, tmp_path / "hosts.xml"])
    assert (
        capsys.readouterr().out
        == "==== 2 failed, 7 passed, 1 errors, hosts part not run, exit status 1 in 3.00s ====\n"
    )
