"""The project's own files: locks, scripts, and nothing in them that belongs to one machine."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# Checkouts and tools of whoever wrote it, and addresses of package indexes.
OF_ONE_MACHINE = re.compile(
    r"(?<![\w.$}{])/work/(main|shared)|pyenv/|[\w.-]*(pypi|pythonhosted)\.org|--(extra-)?index-url|"
    + re.escape(f"{ROOT}/")
)
# Homes stand in tests too, where they are those of test hosts; elsewhere only the place of root's SSH keys is right.
HOME = re.compile(r"(?<![\w.$}{])/(home/\w+|root/(?!\.ssh))[/\w.]")
BINARY = {".png", ".svg", ".ico", ".woff2", ".gz"}


def tracked() -> list[Path]:
    """The files of the checkout, also those that are not added yet."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def pinned(lock: str) -> dict[str, str]:
    text = (ROOT / "requirements" / lock).read_text()
    return dict(re.findall(r"^([a-z0-9.-]+)==([^ \\]+)", text, re.MULTILINE))


def normal(requirement: str) -> str:
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name is not None, requirement
    return re.sub(r"[-_.]+", "-", name.group()).lower()


def test_no_file_names_a_package_index_or_a_path_of_one_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {hit.group()}"
        for path in tracked()
        if path.suffix not in BINARY and path != Path(__file__)
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1)
        if (hit := OF_ONE_MACHINE.search(line) or (ROOT / "tests" not in path.parents and HOME.search(line)))
    ]
    assert found == []


def test_the_locks_hold_every_dependency_of_pyproject() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    run = {normal(requirement) for requirement in project["project"]["dependencies"]}
    groups = {normal(one) for group in project["dependency-groups"].values() for one in group if isinstance(one, str)}
    assert run - pinned("base.txt").keys() == set()
    assert (run | groups) - pinned("dev.txt").keys() == set()


def test_what_is_run_is_what_was_tested() -> None:
    assert pinned("base.txt").items() <= pinned("aws.txt").items() <= pinned("dev.txt").items()


@pytest.mark.parametrize("lock", ["aws.txt", "base.txt", "dev.txt"])
def test_every_pinned_package_has_hashes(lock: str) -> None:
    packages = re.split(r"^(?=[a-z0-9])", (ROOT / "requirements" / lock).read_text(), flags=re.MULTILINE)[1:]
    assert packages
    assert [package.split()[0] for package in packages if "--hash=sha256:" not in package] == []


def test_scripts_can_be_run() -> None:
    scripts = [*ROOT.glob("scripts/*.sh"), ROOT / ".ci" / "run"]
    assert [script.name for script in scripts if not script.stat().st_mode & 0o100] == []


def test_every_make_target_is_explained() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert phony is not None
    explained = re.findall(r"^([a-z-]+):.*## .+", makefile, re.MULTILINE)
    assert sorted(phony.group(1).split()) == sorted(explained)
