"""The documentation says what the program does: generated pages are current, examples work, nothing is fetched."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
import yaml

import reference
from leptonctl.cli import cli
from leptonctl.sitefile.load import load_text

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
# Pages written by hand; README and the text after `make demo` name commands too.
PAGES = sorted([*DOCS.glob("*.md"), ROOT / "README.md", ROOT / "scripts" / "demo_next.txt"])
PIPELINES = sorted((ROOT / "templates" / "ci").glob("*.yml"))
# In code, in an indented block or in a step of a pipeline; in prose leptonctl is the name of the program.
COMMAND = re.compile(r"(?:\.venv/bin/|`|^ {4,}|^ *- (?:run: )?)leptonctl((?: [^\s`|&>;#]+)+)", re.MULTILINE)


def site_examples() -> list[tuple[str, str]]:
    """Every block of YAML in the documentation that is a whole site file, with its place."""
    found = []
    for page in [*DOCS.glob("*.md"), ROOT / "README.md"]:
        text = page.read_text()
        for block in re.finditer(r"^```yaml\n(site:.*?)^```", text, re.MULTILINE | re.DOTALL):
            line = text.count("\n", 0, block.start()) + 2
            found.append((f"{page.name}:{line}", block.group(1)))
    return found


def commands_named(text: str) -> list[list[str]]:
    """Each `leptonctl VERB ...` that a text names, in words."""
    return [shlex.split(hit.group(1)) for hit in COMMAND.finditer(text)]


@pytest.mark.parametrize("name", ["site-file.md", "commands.md", "exit-codes.md", "results.md", "roles.md"])
def test_the_generated_pages_are_current(name: str) -> None:
    """Where this fails, run `make docs`."""
    assert (DOCS / "reference" / name).read_text() == reference.pages()[name]


def test_every_generated_page_is_tested_and_in_the_menu() -> None:
    written = {page.name for page in (DOCS / "reference").iterdir()}
    assert written == reference.pages().keys()
    menu = (ROOT / "mkdocs.yml").read_text()
    assert [name for name in written if f"reference/{name}" not in menu] == []


@pytest.mark.parametrize(("place", "text"), site_examples())
def test_a_site_file_in_the_documentation_is_valid(place: str, text: str) -> None:
    load_text(text, file=place, environ={})


def test_every_test_that_the_documentation_names_is_there() -> None:
    named = [
        (page.name, path, test)
        for page in DOCS.glob("*.md")
        for path, test in re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", page.read_text())
    ]
    assert named
    for page, path, test in named:
        assert not test or f"def {test}(" in (ROOT / path).read_text(), (page, path, test)
        assert (ROOT / path).is_file(), (page, path)


def test_there_are_examples_of_site_files() -> None:
    assert len(site_examples()) >= 3


@pytest.mark.parametrize("page", [*PAGES, *PIPELINES], ids=lambda page: page.name)
def test_a_command_that_is_named_exists_with_its_options(page: Path) -> None:
    wrong = []
    for words in commands_named(page.read_text()):
        command = cli.commands.get(words[0])
        if command is None:
            wrong.append(f"no such command: leptonctl {words[0]}")
            continue
        if isinstance(command, click.Group) and len(words) > 1:
            command = command.commands[words[1]]
        context = click.Context(command, info_name=words[0], **command.context_settings)
        known = {option for one in command.get_params(context) for option in (*one.opts, *one.secondary_opts)}
        wrong += [
            f"leptonctl {words[0]} has no {word}" for word in words if word[0] == "-" and word not in known | {"--"}
        ]
    assert wrong == []


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_a_module_that_is_named_exists(page: Path) -> None:
    names = set(re.findall(r"`([a-z_/]+(?:\.py|/))`", page.read_text()))
    missing = [name for name in names if not (ROOT / name).exists() and not (ROOT / "leptonctl" / name).exists()]
    assert missing == []


def test_the_pages_build_without_warning_and_fetch_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    fetched = re.compile(r"<(?:script|img|iframe)[^>]+src=\"(?:https?:)?//|<link[^>]+href=\"(?:https?:)?//")
    assert [page.name for page in tmp_path.rglob("*.html") if fetched.search(page.read_text())] == []


@pytest.mark.parametrize("pipeline", PIPELINES, ids=lambda path: path.name)
def test_a_sample_pipeline_is_yaml_with_pinned_actions_and_no_secret_in_it(pipeline: Path) -> None:
    text = pipeline.read_text()
    assert isinstance(yaml.safe_load(text), dict)
    uses = re.findall(r"uses: *(\S+)", text)
    assert [one for one in uses if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", one)] == []
    assert "PRIVATE KEY" not in text


def test_there_are_sample_pipelines() -> None:
    assert [path.name for path in PIPELINES] == ["github-actions.yml", "gitlab-ci.yml"]
