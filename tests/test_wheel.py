"""The wheel works outside the checkout: it is built, installed into a throw-away venv, and used there."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from leptonctl import __version__

ROOT = Path(__file__).parent.parent
# One worker: the wheel is built once.


def run(command: Sequence[str | Path], *, cwd: Path) -> str:
    """What the command printed on stdout. PYTHONPATH and the like would let the checkout shine through."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LEPTONCTL_"))}
    done = subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as a release is, without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    run([sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder], cwd=ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of a venv that has the wheel, and sees the dependencies of this one but not its leptonctl."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, symlinks=True, with_pip=False)
    library = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    # A plain path in a .pth file: the .pth files in that folder, such as the one of the editable install, are not read.
    (library / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python")]
    run([*pip, "install", "--quiet", "--no-index", "--no-deps", "--ignore-installed", str(wheel)], cwd=folder)
    return folder / "bin"


def test_the_wheel_carries_every_playbook_template_and_stack(wheel: Path) -> None:
    listed = run(["git", "ls-files", "-co", "--exclude-standard", "playbooks", "templates", "stacks"], cwd=ROOT)
    wanted = {f"leptonctl/_assets/{name}" for name in listed.splitlines() if (ROOT / name).is_file()}
    assert wanted - set(zipfile.ZipFile(wheel).namelist()) == set()


def test_the_wheel_carries_every_file_of_the_package(wheel: Path) -> None:
    listed = run(["git", "ls-files", "-co", "--exclude-standard", "leptonctl"], cwd=ROOT)
    wanted = {name for name in listed.splitlines() if (ROOT / name).is_file()}
    assert wanted - set(zipfile.ZipFile(wheel).namelist()) == set()


def test_what_is_executable_in_the_checkout_is_executable_when_installed(installed: Path) -> None:
    # git keeps the bit, and so has the wheel to: Ansible runs inventory.sh.
    assets = installed_package(installed) / "_assets"
    # What a demo left beside its site file is its operator's, and stays out of the wheel.
    files = [path.relative_to(ROOT) for path in (ROOT / "templates").rglob("*") if path.is_file()]
    scripts = [path for path in files if ".leptonctl" not in path.parts]
    wrong = [str(path) for path in scripts if mode(assets / path) != mode(ROOT / path)]
    assert wrong == []
    assert [path for path in assets.rglob("*") if ".leptonctl" in path.parts] == []


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o111


def installed_package(bin_folder: Path) -> Path:
    program = "import leptonctl; print(leptonctl.__path__[0])"
    return Path(run([bin_folder / "python", "-I", "-c", program], cwd=bin_folder).strip())


def test_the_installed_package_is_the_one_of_the_wheel(installed: Path) -> None:
    assert installed_package(installed).is_relative_to(installed.parent)


def test_the_installed_command_says_its_version(installed: Path, tmp_path: Path) -> None:
    assert __version__ in run([installed / "leptonctl", "version"], cwd=tmp_path)


@pytest.mark.parametrize("template", ["demo", "local", "aws", "bare-metal"])
def test_the_installed_command_writes_samples_that_it_finds_valid(
    installed: Path, tmp_path: Path, template: str
) -> None:
    run([installed / "leptonctl", "init", "--template", template, "site.yaml"], cwd=tmp_path)
    run([installed / "leptonctl", "validate", "site.yaml"], cwd=tmp_path)
    run([installed / "leptonctl", "plan", "site.yaml"], cwd=tmp_path)


def test_the_installed_package_finds_its_playbooks_and_templates(installed: Path, tmp_path: Path) -> None:
    program = (
        "from leptonctl.assets import asset\n"
        "print(asset('playbooks', 'site.yml').is_file(), asset('templates', 'demo.yaml').is_file())"
    )
    assert run([installed / "python", "-I", "-c", program], cwd=tmp_path).split() == ["True", "True"]
