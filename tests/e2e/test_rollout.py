"""A rollout over ten real hosts: where it stops, what stays untouched, how it goes on. The tests run in their order.

Of the issue's line, "two of ten hosts unreachable, one failing in the middle of a role, batch 20 %: the rollout stops
at the threshold, later batches are untouched, the next `up` touches only the three", two readings are tried. The third
failure comes in the middle: later batches are untouched, and left for the next `up` as well. Or it comes in the last
batch of a change to hosts that were in order: the next `up` touches the three and no other host.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.local_site import Answer, Site

pytestmark = pytest.mark.hosts

BOXES = [f"core/box-{number}" for number in range(1, 11)]
BEHIND = "regions/west/serve-1"
SOFTWARE = """
software:
  base: {security_updates: false}
"""
TEXT = """
rollout: {canary: 1, batch: 20%, max_failed: 20%}
core:
  platform: local
  nodes:
    box: {count: 10, roles: [base]}
regions:
  west:
    platform: local
    nodes:
      serve: {count: 1, roles: [base]}
"""
# What the role makes in its middle: a file in its place stops it there.
IN_THE_MIDDLE = "/etc/systemd/journald.conf.d"
MANIFEST = "/var/lib/leptonctl/manifest.json"


def want(site: Site, rollout: str, boxes: str = "") -> None:
    """Change how the rollout goes, and what the boxes are told beside their roles."""
    text = re.sub(r"(?m)^rollout: .*$", f"rollout: {{canary: 1, {rollout}}}", site.file.read_text())
    site.file.write_text(re.sub(r"(?m)^    box: .*$", f"    box: {{{boxes}count: 10, roles: [base]}}", text))


def break_role(site: Site, address: str) -> None:
    site.on(address, "sh", "-c", f"rm -rf {IN_THE_MIDDLE} && touch {IN_THE_MIDDLE}")


@pytest.fixture(scope="module")
def site(make_site: Callable[[str, str], Site]) -> Site:
    """Eleven machines with nothing on them, two of them unreachable and one on which the role will fail."""
    made = make_site("rollout", TEXT.replace("[base]", "[]"))
    assert made.up().exit_code == 0
    made.file.write_text(made.file.read_text().replace("[]", "[base]") + SOFTWARE)
    for address in ("core/box-9", "core/box-10"):
        made.on(address, "systemctl", "stop", "ssh")
    break_role(made, "core/box-4")
    return made


@pytest.fixture(scope="module")
def stopped(site: Site) -> Answer:
    return site.up()


def touched(answer: Answer) -> list[str]:
    """The hosts that Ansible was run on, by its own count."""
    return [address for address in (*BOXES, BEHIND) if answer.host(address)["changed_count"] is not None]


def told_to_ansible(answer: Answer) -> set[str]:
    """Every host that any event of the run is about, and every host of its inventories."""
    folders = list(Path(answer.result["run"]).glob("configure-*"))
    events = [json.loads(line) for folder in folders for line in (folder / "events.jsonl").read_text().splitlines()]
    inventories = [json.loads((folder / "inventory" / "inventory.json").read_text()) for folder in folders]
    return {event["host"] for event in events if "host" in event} | {
        host for inventory in inventories for host in inventory["_meta"]["hostvars"]
    }


def test_the_plan_shows_the_batches_and_who_cannot_be_asked(site: Site) -> None:
    planned = site.run("plan", "--diff")
    core, west = planned.result["data"]["rollouts"]
    assert core["batches"] == [BOXES[:1], BOXES[1:3], BOXES[3:5], BOXES[5:7], BOXES[7:8]]
    assert (core["not_asked"], core["max_failed"], core["cannot_begin"]) == (BOXES[8:], 2, None)
    assert west["batches"] == [[BEHIND]]
    text = site.run("plan", "--diff", output="text").stdout
    assert "\ncore: 5 batches: 1, 2, 2, 2, 1; at most 2 may fail\n" in text


def test_it_stops_at_the_threshold_and_says_what_was_done_and_what_was_not(stopped: Answer) -> None:
    assert stopped.exit_code == 5
    statuses = {address: stopped.host(address)["status"] for address in (*BOXES, BEHIND)}
    assert statuses == {
        **dict.fromkeys(["core/box-1", "core/box-2", "core/box-3", "core/box-5"], "changed"),
        "core/box-4": "failed",
        **dict.fromkeys(["core/box-6", "core/box-7", "core/box-8", BEHIND], "skipped"),
        **dict.fromkeys(["core/box-9", "core/box-10"], "unreachable"),
    }
    assert stopped.host("core/box-6")["detail"] == "not begun: the rollout stopped"
    assert stopped.host(BEHIND)["detail"] == "not begun: it waits for core"
    problems = {(problem["rule"], problem["where"]): problem for problem in stopped.result["problems"]}
    assert sorted(problems) == sorted(
        [
            ("rollout", "core"),
            ("base", "core/box-4"),
            ("unreachable", "core/box-9"),
            ("unreachable", "core/box-10"),
            ("not_begun", "regions/west"),
        ]
    )
    rollout = problems["rollout", "core"]
    assert rollout["message"] == (
        "stopped after batch 3 of 5: 3 of 10 hosts failed (2 of them could not be asked), at most 2 may;"
        " 4 done, 3 not begun"
    )
    assert rollout["hint"] == (
        "mend what failed, or raise rollout.max_failed; then `leptonctl up` goes on with what is left"
    )
    assert problems["base", "core/box-4"]["message"].startswith("task 'Settings, kernel, limits, log and updates' ")
    assert problems["not_begun", "regions/west"]["message"] == (
        "not begun: it waits for core, where the rollout stopped"
    )
    assert stopped.result["data"]["message"] == (
        "stopped: 4 of 11 hosts are as the site file says, 4 were not begun; `leptonctl up` again goes on with the rest"
    )


def test_later_batches_and_what_depends_on_them_are_untouched(site: Site, stopped: Answer) -> None:
    assert told_to_ansible(stopped) == set(BOXES[:5])
    for address in ("core/box-6", "core/box-7", "core/box-8", BEHIND):
        site.on(address, "test", "!", "-e", MANIFEST)
        site.on(address, "test", "!", "-e", f"{IN_THE_MIDDLE}/60-leptonctl.conf")


def test_the_next_up_goes_on_with_the_three_and_with_what_was_not_begun(site: Site, stopped: Answer) -> None:
    assert stopped.exit_code == 5
    site.on("core/box-4", "rm", IN_THE_MIDDLE)
    for address in ("core/box-9", "core/box-10"):
        site.on(address, "systemctl", "start", "ssh")
    # The same change, quicker: batches are tried elsewhere.
    want(site, "batch: 100%, max_failed: 20%")
    done = site.up()
    assert (done.exit_code, done.problems()) == (0, [])
    assert touched(done) == ["core/box-4", *BOXES[5:], BEHIND]
    assert told_to_ansible(done) == set(touched(done))
    assert site.up().result["data"]["message"] == "nothing to do: all is as the site file says"


@pytest.mark.matrix
def test_after_a_stop_in_the_last_batch_the_next_up_touches_only_the_three(site: Site, stopped: Answer) -> None:
    assert stopped.exit_code == 5
    for address in ("core/box-9", "core/box-10"):
        site.on(address, "systemctl", "stop", "ssh")
    break_role(site, "core/box-8")
    want(site, "batch: 20%, max_failed: 20%", "software: {base: {journal_max_mib: 256}}, ")
    failed = site.up()
    assert failed.exit_code == 5
    assert touched(failed) == BOXES[:8]
    (core,) = failed.result["data"]["rollouts"]
    assert (core["batches_begun"], core["failed"], core["not_begun"]) == (5, ["core/box-8"], [])
    assert core["stopped"] == "3 of 10 hosts failed (2 of them could not be asked), at most 2 may"
    three = ["core/box-8", "core/box-9", "core/box-10"]
    assert sorted(where for where, _ in failed.problems()) == sorted(three)
    site.on("core/box-8", "rm", IN_THE_MIDDLE)
    for address in ("core/box-9", "core/box-10"):
        site.on(address, "systemctl", "start", "ssh")
    done = site.up()
    assert (done.exit_code, done.problems()) == (0, [])
    assert touched(done) == three
    assert told_to_ansible(done) == set(three)


def test_what_breaks_while_a_batch_is_watched_stops_the_rollout(site: Site, stopped: Answer) -> None:
    assert stopped.exit_code == 5
    text = site.file.read_text()
    want(site, "batch: 20%, pause_s: 5, max_failed: 0", "software: {base: {journal_max_mib: 128}}, ")
    first, second = BOXES[:2]
    broken: list[str] = []

    def react(line: str) -> None:
        if "watched for 5 s" in line and not broken:
            broken.append(site.on(first, "chmod", "0666", "/etc/default/locale"))

    failed = site.run_and_react("up", "--yes", "--roles", "base", "--only", first, "--only", second, react=react)
    assert (failed.exit_code, len(broken)) == (5, 1), failed.stderr
    (core,) = failed.result["data"]["rollouts"]
    assert (core["batches"], core["batches_begun"], core["failed"], core["not_begun"]) == (
        [[first], [second]],
        1,
        [first],
        [second],
    )
    assert failed.host(first)["detail"] == "/etc/default/locale: mode 0666, should be 0644"
    assert core["stopped"] == "the canary core/box-1 failed"
    assert told_to_ansible(failed) == {first}
    # With the former text in force again, the one that it began with is the only one that differs.
    site.file.write_text(text)
    done = site.up()
    assert (done.exit_code, done.problems()) == (0, [])
    assert touched(done) == [first]


def test_the_role_of_every_host_that_left_the_site_file_is_named_and_stays(site: Site, stopped: Answer) -> None:
    assert stopped.exit_code == 5
    text = site.file.read_text()
    site.file.write_text(text.replace("serve: {count: 1, roles: [base]}", "serve: {count: 1, roles: []}"))
    try:
        for verb in (("plan", "--diff"), ("status",), ("verify",)):
            (gone,) = site.run(*verb).host(BEHIND)["gone_roles"]
            assert (gone["name"], gone["state"]) == ("base", "stays"), verb
        assert "still has base" in site.run("status", output="text").stdout
        assert "(still has base: not in the site file any more" in site.run("verify", output="text").stdout
        assert site.up().result["data"]["message"] == "nothing to do: all is as the site file says"
    finally:
        site.file.write_text(text)
