from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from leptonctl.errors import PlatformFailed, PreflightFailed
from leptonctl.platforms.podman import Podman, find_podman, last_lines

if TYPE_CHECKING:
    from pathlib import Path


def fake_podman(folder: Path, script: str) -> Podman:
    """A fake podman: it knows no command and only does what `script` says."""
    program = folder / "podman"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return Podman(str(program))


def test_a_missing_podman_is_a_preflight_failure_that_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PreflightFailed) as caught:
        find_podman()
    assert caught.value.message == "podman is not installed (looked for it on PATH)"
    assert caught.value.hint == "install it: sudo apt-get install --yes podman runc uidmap"


def test_what_podman_refuses_is_told_in_its_own_last_lines(tmp_path: Path) -> None:
    podman = fake_podman(tmp_path, "printf 'one\\ntwo\\n\\nError: no \\033[31msuch\\007 thing\\n' >&2; exit 125")
    with pytest.raises(PlatformFailed) as caught:
        podman.text("rm", "a b")
    assert caught.value.message == "podman rm failed: one / two / no  [31msuch  thing"
    assert caught.value.hint == "run it by hand to see more: podman rm 'a b'"


def test_a_podman_that_hangs_is_given_up_on(tmp_path: Path) -> None:
    podman = fake_podman(tmp_path, "exec sleep 600")
    with pytest.raises(PlatformFailed) as caught:
        podman.text("info", timeout_s=0.2)
    assert caught.value.message == "podman info did not answer within 0.2 s"


def test_an_answer_that_is_not_understood_is_a_failure_and_never_nothing(tmp_path: Path) -> None:
    for answer in ("not json", '{"a": 1}', '[{"name": "x"}]', "[1]"):
        podman = fake_podman(tmp_path, f"printf '%s' '{answer}'")
        with pytest.raises(PlatformFailed, match="gave an answer that was not understood"):
            podman.networks()


def test_no_rows_are_an_answer(tmp_path: Path) -> None:
    assert fake_podman(tmp_path, "echo '[]'").networks() == ()


def test_a_secret_on_standard_input_is_not_part_of_the_hint(tmp_path: Path) -> None:
    podman = fake_podman(tmp_path, "cat >/dev/null; echo no >&2; exit 1")
    with pytest.raises(PlatformFailed) as caught:
        podman.text("cp", "-", "x:/", stdin=b"secret")
    assert caught.value.hint is None


def test_a_silent_failure_is_said_to_be_silent() -> None:
    assert last_lines(b"failed to connect to syslog: Initialization\n") == "it said nothing"


def test_a_very_long_line_is_cut() -> None:
    assert len(last_lines(b"x" * 10_000)) < 500
