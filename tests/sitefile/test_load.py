"""Loading: what a file may be, what a place is, and that nothing ends in a traceback."""

from __future__ import annotations

import contextlib
import os
import random
from pathlib import Path

import pytest

from leptonctl.errors import InvalidSite, Problem
from leptonctl.sitefile.load import load_site, load_text
from leptonctl.sitefile.textfile import SIZE_LIMIT

SITE = """site: demo
owner: ops@example.com
core:
  platform: local
  nodes:
    box: {count: 2, roles: [base]}
"""


def problems_of(text: str, environ: dict[str, str] | None = None) -> tuple[Problem, ...]:
    with pytest.raises(InvalidSite) as caught:
        load_text(text, file="site.yaml", environ=environ or {})
    return caught.value.problems


def problem_at(path: Path) -> Problem:
    with pytest.raises(InvalidSite) as caught:
        load_site(path, environ={})
    (problem,) = caught.value.problems
    return problem


def test_a_missing_file_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    assert problem_at(path) == Problem(
        "unreadable", "there is no such file", "write a first one with `leptonctl init`", file=str(path)
    )


def test_a_path_through_a_file_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert problem_at(tmp_path / "file" / "site.yaml").message == "the file cannot be read: Not a directory"


def test_a_path_with_a_nul_is_a_problem() -> None:
    assert problem_at(Path("a\0b")).message == "the file cannot be read: embedded null byte"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(SITE)
    path.chmod(0)
    assert problem_at(path).message == "the file cannot be read: Permission denied"


def test_a_file_over_the_limit_is_a_problem_and_is_not_read_further(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    with path.open("wb") as file:
        file.truncate(SIZE_LIMIT + 1)
    problem = problem_at(path)
    assert (problem.rule, problem.message) == ("too-large", "the file is larger than 32 MiB")


def test_a_device_without_end_is_a_problem() -> None:
    assert problem_at(Path("/dev/zero")).rule == "too-large"


def test_places_count_from_one() -> None:
    source = load_text(SITE, file="site.yaml", environ={}).source
    assert source.place(("owner",)) == (2, 8)
    assert source.place(("owner",), key=True) == (2, 1)
    assert source.place(("core", "nodes", "box", "count"), key=True) == (6, 11)
    assert source.place(("core", "nodes", "box", "roles", 0)) == (6, 29)


def test_a_path_that_the_file_does_not_have_gets_the_nearest_place_above() -> None:
    source = load_text(SITE, file="site.yaml", environ={}).source
    assert source.place(("core", "nodes", "box", "machine", "cpus"), key=True) == (6, 5)
    assert source.place(("software", "base")) == (1, 1)


def test_places_count_characters_not_bytes() -> None:
    (problem,) = problems_of(SITE.replace("ops@example.com", "日本 ü # x").replace("count: 2", "cöunt: 2"))
    assert (problem.line, problem.column, problem.width) == (6, 11, 5)


def test_problems_come_in_the_order_of_the_file() -> None:
    problems = problems_of("regions: 1\nsoftware: 1\nsite: 1\nowner: 1\ncore: 1\n")
    assert [problem.line for problem in problems] == [1, 2, 3, 4, 5]


def test_the_value_of_a_variable_is_never_shown() -> None:
    environ = {"TOKEN": "T0K3N!", "NUMBER": "T0K3N!"}
    text = SITE.replace("site: demo", "site: ${TOKEN}").replace("count: 2", "count: '${NUMBER}'")
    problems = problems_of(text.replace("local", "${TOKEN}"), environ)
    assert len(problems) == 3
    assert "T0K3N" not in repr(problems)


def test_a_secret_that_is_written_out_is_never_shown() -> None:
    text = SITE.replace("[base]", "[base, monitoring_agent, monitoring_server]").replace("count: 2", "count: 1")
    problems = problems_of(text + "software: {monitoring_server: {webhook_url: https://T0K3N}}\n")
    assert [problem.rule for problem in problems] == ["secret-in-clear"]
    assert "T0K3N" not in repr(problems)


def test_another_mistake_on_the_line_of_a_secret_does_not_show_it() -> None:
    text = SITE.replace("[base]", "[base, monitoring_agent, monitoring_server]").replace("count: 2", "count: 1")
    mail = "{to: ops@example.com, sender: a@b, smarthost: m:25, usernme: x, password: T0K3N}"
    problems = problems_of(text + f"software: {{monitoring_server: {{mail: {mail}}}}}\n")
    assert [problem.rule for problem in problems] == ["unknown-key", "secret-in-clear"]
    assert "T0K3N" not in repr(problems)


@pytest.mark.parametrize("depth", [40, 1000, 200_000])
@pytest.mark.parametrize("unit", ["[", "{a: ", "- ", "? ", "a: &a [*a, ", "!!seq ["])
def test_deep_nesting_is_a_problem_and_no_traceback(unit: str, depth: int) -> None:
    assert problems_of(unit * depth)


def test_two_thousand_mistakes_are_all_told_each_once() -> None:
    groups = "".join(f"    box-{number}: {{count: 1, cout: 1}}\n" for number in range(2000))
    problems = problems_of(SITE + groups)
    assert len(problems) == len(set(problems)) == 2000


def test_damaged_files_give_problems_and_no_traceback(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    # The same damage each time: a failure can be repeated.
    chance = random.Random(7)  # noqa: S311 - nothing secret about it
    text = (Path(__file__).parents[1] / "sites/valid/all-local.yaml").read_text(encoding="utf-8")
    marks = "\t\n:-[]{}&*!|>'\"%@`#,?~$\\\x00\x1bé09 "
    for _ in range(300):
        damaged = list(text)
        for _ in range(chance.randrange(1, 6)):
            damaged[chance.randrange(len(damaged))] = chance.choice(marks)
        path.write_text("".join(damaged), encoding="utf-8")
        with contextlib.suppress(InvalidSite):  # some damage does no harm; anything else that is raised is a bug
            load_site(path, environ={})
