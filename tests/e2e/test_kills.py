"""`up` is killed at several points; the next `up` goes on, and nothing is there twice."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.local_site import LEPTONCTL, Site, processes_with

pytestmark = pytest.mark.hosts

TEXT = """
core:
  platform: local
  nodes:
    control: {count: 1, roles: [base]}
edges:
  shop:
    platform: local
    parent: west
    nodes:
      box: {count: 1, roles: [base]}
regions:
  west: {platform: local}
"""
HOSTS = {"core/control-1", "edges/shop/box-1"}


def has_a_container(site: Site) -> bool:
    return bool(site.podman("ps", "--all", "--quiet").split())


# Each point is a condition on what the run said so far (its events) and on what is there.
POINTS: dict[str, Callable[[Site, str], bool]] = {
    "a network or container is there": lambda site, _events: bool(site.objects()),
    "a container is there": lambda site, _events: has_a_container(site),
    "the first role runs": lambda _site, events: '"stage": "configure"' in events,
    "packages are installed": lambda _site, events: "Install the packages of all roles" in events,
    "the middle of a role": lambda _site, events: "Settings, kernel, limits, log and updates" in events,
}


def events_of(site: Site, known: set[Path]) -> str:
    """The events of the run that began last."""
    runs = site.file.parent / ".leptonctl" / site.name / "runs"
    new = sorted(set(runs.glob("*-up-*")) - known)
    return (new[-1] / "events.jsonl").read_text() if new and (new[-1] / "events.jsonl").exists() else ""


def up_until(site: Site, point: Callable[[Site, str], bool], number: signal.Signals) -> int:
    """Start `up`, wait for the point, send the signal once, and give how it ended."""
    runs = site.file.parent / ".leptonctl" / site.name / "runs"
    known = set(runs.glob("*-up-*"))
    process = subprocess.Popen(
        [str(LEPTONCTL), "up", str(site.file), "--yes"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    limit = time.monotonic() + 300
    while not (
        set(runs.glob("*-up-*/run.json")) - {run / "run.json" for run in known} and point(site, events_of(site, known))
    ):
        assert process.poll() is None, "up ended before the point was reached"
        assert time.monotonic() < limit, "the point was not reached"
        time.sleep(0.05)
    os.kill(process.pid, number)
    return process.wait(timeout=120)


@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGINT, marks=pytest.mark.matrix), signal.SIGKILL], ids=lambda number: number.name
)
def test_the_next_up_goes_on_and_nothing_is_there_twice(
    make_site: Callable[[str, str], Site], number: signal.Signals
) -> None:
    site = make_site(f"killed-{number.name.lower()}", TEXT)
    for point in POINTS.values():
        ended = up_until(site, point, number)
        assert ended == (130 if number is signal.SIGINT else -signal.SIGKILL)
        # Nothing that was started for the site outlives the run for long.
        limit = time.monotonic() + 30
        while leftover := [process for process in processes_with(f"/{site.name}/") if process != os.getpid()]:
            assert time.monotonic() < limit, f"still running: {leftover}"
            time.sleep(0.1)
    done = site.up()
    assert (done.exit_code, done.problems()) == (0, [])
    expected = sorted(site.container(host) for host in HOSTS)
    assert sorted(site.podman("ps", "--all", "--format", "{{.Names}}").split()) == expected
    assert sorted(site.podman("ps", "--format", "{{.Names}}").split()) == expected
    assert len(site.podman("network", "ls", "--format", "{{.Name}}").split()) == 3
    assert site.run("verify").exit_code == 0
    assert site.up().result["data"]["message"] == "nothing to do: all is as the site file says"
    down = site.run("down", "--yes")
    assert (down.exit_code, site.objects()) == (0, [])


def test_a_site_is_removed_without_its_run_folder_and_half_made(make_site: Callable[[str, str], Site]) -> None:
    import shutil  # noqa: PLC0415 - only here

    site = make_site("lost", TEXT)
    up_until(site, POINTS["a container is there"], signal.SIGKILL)
    shutil.rmtree(site.file.parent / ".leptonctl")
    down = site.run("down", "--yes")
    assert (down.exit_code, down.problems(), site.objects()) == (0, [], [])


def test_two_runs_at_once_are_kept_apart(make_site: Callable[[str, str], Site]) -> None:
    site = make_site("twice", TEXT)
    process = subprocess.Popen(
        [str(LEPTONCTL), "up", str(site.file), "--yes"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        limit = time.monotonic() + 60
        while not site.objects():
            assert time.monotonic() < limit
            time.sleep(0.05)
        second = site.up()
        assert second.exit_code == 8
        text = second.problems()[0][1]
        assert "core is locked by run " in text
        assert f"pid {process.pid} on " in text
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=120)
    assert process.returncode == 130
