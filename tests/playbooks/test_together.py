"""Our own actions, run by Ansible on this machine: several modules in one go are those modules, one by one."""

import json
import os
import runpy
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from leptonctl.assets import asset
from leptonctl.hosts.configure import _ansible_playbook

PLAY = Path(__file__).parent / "data" / "together" / "play.yml"


@dataclass(frozen=True)
class Ran:
    """What each step of the play gave, and the folder that it worked in."""

    folder: Path
    results: dict[str, Any]

    def parts(self, step: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.results[step]["parts"]
        return found


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder, private = tmp_path_factory.mktemp("work"), tmp_path_factory.mktemp("private")
    out = private / "out.json"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(private),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_CONFIG": str(asset("playbooks", "ansible.cfg")),
        "ANSIBLE_HOME": str(private / "ansible"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
    }
    extra = json.dumps({"folder": str(folder), "out": str(out), "ansible_remote_tmp": str(private / "remote")})
    command = [str(_ansible_playbook()), str(PLAY), "--extra-vars", extra]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return Ran(folder, json.loads(out.read_text()))


def test_every_part_is_done_with_its_rights_and_its_template_filled_in(ran: Ran) -> None:
    made = ran.folder / "made"
    assert (made / "text").read_text() == "# one\nword is one\n"
    assert (made / "program").read_text() == "#!/bin/sh\necho program\n"
    modes = {path.name: path.stat().st_mode & 0o777 for path in (made, made / "text", made / "program")}
    assert modes == {"made": 0o750, "text": 0o640, "program": 0o755}


def test_each_result_is_the_one_of_its_module(ran: Ran) -> None:
    directory, text, *_ = ran.parts("first")
    assert (directory["module"], directory["state"], directory["mode"]) == ("ansible.builtin.file", "directory", "0750")
    assert directory["invocation"]["module_args"]["path"] == f"{ran.folder}/made"
    assert (text["module"], text["part"], text["dest"]) == ("ansible.builtin.copy", "text", f"{ran.folder}/made/text")
    assert len(text["checksum"]) == 40


def test_a_part_that_waits_for_a_change_runs_only_after_it(ran: Ran) -> None:
    assert (ran.folder / "restarted").exists()
    assert "skipped" not in ran.parts("first")[3]
    assert ran.parts("second")[3]["skipped"] is True


def test_a_second_run_changes_nothing(ran: Ran) -> None:
    assert ran.results["first"]["changed"] is True
    assert (ran.results["second"]["changed"], [part["changed"] for part in ran.parts("second")]) == (False, [False] * 6)


def test_a_part_whose_condition_is_false_is_left_out(ran: Ran) -> None:
    assert not (ran.folder / "never").exists()
    assert len(ran.parts("first")) == 6


def test_what_a_command_prints_decides_whether_it_changed_something(ran: Ran) -> None:
    look, lost = ran.parts("first")[4:]
    assert (look["changed"], look["stdout"]) == (False, "b\na")
    assert (lost["changed"], lost["rc"], lost["failed"]) == (False, 3, False)


def test_check_mode_changes_nothing_and_says_what_would_change(ran: Ran) -> None:
    _, text, program, *_ = ran.parts("checked")
    assert (text["changed"], program["changed"]) == (True, False)
    assert "two" not in (ran.folder / "made" / "text").read_text()
    assert ran.parts("checked")[4]["stdout"] == "b\na", "a part that only looks runs all the same"


def test_the_first_part_that_fails_ends_it_and_says_why(ran: Ran) -> None:
    failed = ran.results["failed"]
    assert (failed["failed"], len(failed["parts"])) == (True, 2)
    assert failed["msg"] == "ansible.builtin.copy: failed to validate"
    assert not (ran.folder / "text").exists()


def test_a_module_that_cannot_be_a_part_is_refused_by_name(ran: Ran) -> None:
    assert ran.results["refused"]["msg"].endswith(
        "ansible.builtin.apt cannot be a part; these can: command, copy, dpkg_selections, file, find, systemd_service, "
        "template, wait_for"
    )


def test_a_part_is_done_once_for_each_value_and_not_at_all_where_there_is_none(ran: Ran) -> None:
    assert [(one["part"], one.get("dest")) for one in ran.parts("each")] == [
        ("copies", f"{ran.folder}/one"),
        ("copies", f"{ran.folder}/two"),
        ("", None),
    ]
    assert (ran.folder / "one").read_text() == (ran.folder / "made" / "program").read_text()
    assert (ran.folder / "two").read_text() == "other\n"
    assert (ran.folder / "copied").exists()


def test_lists_that_do_not_fit_each_other_are_refused(ran: Ran) -> None:
    assert ran.results["uneven"]["msg"].endswith("the lists of `each` have to be of one length: src, dest")


def test_packages_that_are_known_to_be_there_are_not_asked_for(ran: Ran) -> None:
    assert ran.results["packages"] == {"changed": False, "failed": False}, "apt would know none of these names"


def test_a_part_that_broke_says_why_down_to_the_first_cause() -> None:
    module = asset("playbooks", "collections", "ansible_collections", "leptonctl", "host", "plugins", "modules")
    why = runpy.run_path(str(module / "together.py"))["why"]
    said = (
        "Traceback (most recent call last):\n"
        '  File "basic.py", line 1780, in atomic_move\n'
        "OSError: [Errno 28] No space left on device: 'a' -> 'b'\n"
        "\nThe above exception was the direct cause of the following exception:\n\n"
        "Traceback (most recent call last):\n"
        "Exception: Failed to replace 'b' with 'a'.\n"
    )
    cause = "OSError: [Errno 28] No space left on device: 'a' -> 'b'"
    assert why(said) == f"Exception: Failed to replace 'b' with 'a', because of {cause}"
    assert (why(""), why("no Python\nhere\n")) == ("it said nothing", "here")
