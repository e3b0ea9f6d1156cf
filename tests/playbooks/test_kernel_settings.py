"""The program that puts kernel settings in force, on files of a folder of the test's own."""

import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

from leptonctl.assets import asset

Run = Callable[[str], tuple[int, list[str]]]


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    for name in ("etc", "usr", "proc/net/core"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "etc" / "60-leptonctl.conf").write_text("# ours\nnet.core.somaxconn = 4096\n-net.none = 1\n")
    (tmp_path / "proc" / "net" / "core" / "somaxconn").write_text("4096\n")
    return tmp_path / "etc"


@pytest.fixture
def run(etc: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    program = runpy.run_path(str(asset("playbooks", "roles", "base", "files", "kernel_settings.py")))
    program["main"].__globals__.update(
        SETTINGS=etc / "60-leptonctl.conf", ROOT=etc.parent / "proc", FOLDERS=[etc, etc.parent / "usr"]
    )

    def ask(mode: str) -> tuple[int, list[str]]:
        status: int = program["main"](mode)
        return status, capsys.readouterr().out.splitlines()

    return ask


def test_settings_that_are_in_force_are_in_order(run: Run) -> None:
    assert run("--check") == (0, ["in order"])


def test_a_missing_file_is_told_in_one_line(run: Run, etc: Path) -> None:
    (etc / "60-leptonctl.conf").unlink()
    for mode in ("--check", "--apply"):
        assert run(mode) == (1, [f"{etc}/60-leptonctl.conf: No such file or directory"])


def test_a_value_that_was_changed_is_told_and_put_back(run: Run, etc: Path) -> None:
    live = etc.parent / "proc" / "net" / "core" / "somaxconn"
    live.write_text("128\n")
    assert run("--check") == (1, ["net.core.somaxconn: is 128, should be 4096"])
    assert run("--apply")[1][0] == "net.core.somaxconn: 128 -> 4096"
    assert live.read_text() == "4096"


def test_a_later_file_may_not_put_another_value_in_the_place_of_ours(run: Run, etc: Path) -> None:
    (etc / "10-early.conf").write_text("net.core.somaxconn = 1\n")
    (etc / "99-same.conf").write_text("net.core.somaxconn=4096\nvm.other = 1\n")
    (etc / "99-x.conf").write_text("vm.other = 2\n-net/core/somaxconn = 128\n")
    packed = etc.parent / "usr" / "zz.conf"
    packed.write_text("net.core.somaxconn = 256\n")
    assert run("--check") == (
        1,
        [
            f"net/core/somaxconn: {etc}/99-x.conf puts 128 in its place at the next start",
            f"net.core.somaxconn: {packed} puts 256 in its place at the next start",
        ],
    )
    assert run("--apply")[1][-1] == "in order"
    assert run("--check") == (0, ["in order"])
    assert (etc / "99-x.conf").read_text() == "vm.other = 2\n# Taken out by leptonctl: -net/core/somaxconn = 128\n"
    # What a package brought stays as it is packed: the file of the same name in /etc hides it.
    assert packed.read_text() == "net.core.somaxconn = 256\n"
    assert (etc / "zz.conf").read_text() == "# Taken out by leptonctl: net.core.somaxconn = 256\n"
