"""The command line as a stranger meets it: every way to end has its exit code, and never a traceback."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from leptonctl.assets import asset
from leptonctl.sitefile.samples import sample

LEPTONCTL = Path(sys.executable).with_name("leptonctl")
SITE = """site: tiny
owner: ops@example.com
core:
  platform: ssh
  nodes:
    box: {hosts: ["box-[1:2].example.com"]}
"""


def run(*arguments: str, cwd: Path | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(LEPTONCTL), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, **environ},
        stdin=subprocess.DEVNULL,
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


def result_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The one object on stdout, which keeps to its schema."""
    result: dict[str, Any] = json.loads(done.stdout)
    jsonschema.validate(result, json.loads(asset("templates", "result.schema.json").read_text()))
    assert (result["ok"], result["exit_code"]) == (done.returncode == 0, done.returncode)
    return result


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(SITE)
    return path


def test_help_lists_the_verbs_in_the_order_of_the_work() -> None:
    lines = run("--help").stdout.split("Commands:")[1].splitlines()
    verbs = [line.split()[0] for line in lines if line.strip()]
    assert " ".join(verbs) == (
        "init validate schema explain permissions plan up publish status verify health drift down "
        "ssh inventory cluster-token runs state drill doctor version completion"
    )


@pytest.mark.parametrize("verb", ["plan", "up", "status", "verify", "down", "validate", "explain"])
def test_a_file_that_is_not_there_is_told_by_every_verb(verb: str, tmp_path: Path) -> None:
    more = ["core"] if verb == "explain" else []
    done = run(verb, str(tmp_path / "none.yaml"), *more)
    assert done.returncode == 3
    assert done.stdout == ""
    assert f"{tmp_path}/none.yaml: there is no such file" in done.stderr


def test_a_usage_error_is_json_where_json_was_asked_for() -> None:
    done = run("plan", "--nonsense", "--output", "json")
    result = result_of(done)
    assert (done.returncode, result["verb"]) == (2, "plan")
    assert result["problems"][0]["message"].startswith("No such option")


def test_an_invalid_site_gives_its_problems_with_their_places(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(SITE.replace("hosts:", "hsots:"))
    done = run("validate", str(path), "--output", "json")
    (problem,) = result_of(done)["problems"]
    assert (done.returncode, problem["line"], problem["column"]) == (3, 6, 11)
    assert problem["message"] == "unknown key 'hsots' (did you mean 'hosts'?)"


def test_sarif_is_printed_for_a_valid_and_an_invalid_file(site: Path) -> None:
    fine = json.loads(run("validate", str(site), "--output", "sarif").stdout)
    assert (fine["version"], fine["runs"][0]["results"]) == ("2.1.0", [])
    site.write_text(SITE.replace("owner", "onwer"))
    bad = run("validate", str(site), "--output", "sarif")
    assert bad.returncode == 3
    assert json.loads(bad.stdout)["runs"][0]["results"][0]["ruleId"] == "unknown-key"


def test_without_a_terminal_nothing_is_asked_and_the_error_names_the_flag(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(SITE.replace("ssh", "local").replace('hosts: ["box-[1:2].example.com"]', "count: 1"))
    done = run("up", str(path), "--output", "json")
    (problem,) = result_of(done)["problems"]
    assert done.returncode == 2
    assert problem["message"] == "`leptonctl up` would change the site 'tiny' and there is no terminal to ask on"
    assert problem["hint"] == "pass --yes to go ahead without a question"


def test_without_podman_up_says_what_to_install_and_touches_nothing(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(SITE.replace("ssh", "local").replace('hosts: ["box-[1:2].example.com"]', "count: 1"))
    done = run("up", str(path), "--yes", "--output", "json", PATH=str(tmp_path))
    assert done.returncode == 9
    problem = result_of(done)["problems"][0]
    assert "podman" in problem["message"]
    assert "apt-get install" in problem["hint"]


def test_an_unknown_address_is_answered_with_the_nearest(site: Path) -> None:
    done = run("plan", str(site), "--only", "core/box-1.example.co", "--output", "json")
    (problem,) = result_of(done)["problems"]
    assert (done.returncode, problem["hint"]) == (2, "did you mean 'core/box-1.example.com'?")


def test_init_writes_a_valid_sample_and_never_overwrites(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    assert run("init", str(path)).returncode == 0
    assert path.read_text() == sample("demo")
    assert run("validate", str(path)).returncode == 0
    path.write_text("mine\n")
    done = run("init", str(path))
    assert (done.returncode, path.read_text()) == (2, "mine\n")
    assert f"{path} exists and is not overwritten" in done.stderr


def test_reading_verbs_write_nothing(site: Path) -> None:
    before = sorted(path.name for path in site.parent.iterdir())
    for verb in (("validate",), ("plan",), ("explain", "core"), ("runs",)):
        assert run(verb[0], str(site), *verb[1:]).returncode == 0
    assert sorted(path.name for path in site.parent.iterdir()) == before


def test_a_reader_that_goes_away_is_not_an_error(site: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", f"{LEPTONCTL} plan {site} | head -n 1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.splitlines()[0], done.stderr) == ("site tiny: core", "")


def test_an_unexpected_error_is_one_line_with_the_place_of_its_traceback(site: Path, tmp_path: Path) -> None:
    program = (
        "import sys, leptonctl.questions as q\n"
        "def broken(*a, **k): raise ZeroDivisionError('oh')\n"
        "q.validate = broken\n"
        "from leptonctl.__main__ import main\n"
        f"sys.argv = ['leptonctl', 'validate', {str(site)!r}]\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 1
    first, second = done.stderr.strip().splitlines()
    assert first == "leptonctl validate: this is a bug in leptonctl: ZeroDivisionError: oh"
    log = Path(second.split()[4].rstrip(";"))
    assert log.read_text().startswith("Traceback (most recent call last):")


def test_ten_thousand_hosts_are_planned_within_one_gib(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(SITE.replace("box-[1:2]", "box-[00001:10000]"))
    program = (
        "import resource, sys\n"
        "from leptonctl.__main__ import main\n"
        f"sys.argv = ['leptonctl', 'plan', {str(path)!r}, '--output', 'json']\n"
        "try: main()\n"
        "finally: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert len(json.loads(done.stdout)["locations"][0]["hosts"]) == 10_000
    assert int(done.stderr.split()[-1]) < 1024 * 1024


def test_the_version_tells_what_it_works_with() -> None:
    versions = result_of(run("version", "--output", "json"))["data"]["versions"]
    assert versions["ansible-core"].startswith("2.19.")
    assert run("version").stdout.strip() == versions["leptonctl"]


def test_completion_is_printed_for_each_shell() -> None:
    for shell in ("bash", "zsh", "fish"):
        done = run("completion", shell)
        assert (done.returncode, "_LEPTONCTL_COMPLETE" in done.stdout) == (0, True)
