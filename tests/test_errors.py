"""One exit code over the failures of several locations."""

from __future__ import annotations

import pytest

from leptonctl.errors import ExitCode, LeptonError, Locked, PlatformFailed, PreflightFailed, Refused, exit_code_over


@pytest.mark.parametrize(
    ("errors", "code"),
    [
        ([Locked("a")], ExitCode.LOCKED),
        ([Locked("a"), Locked("b")], ExitCode.LOCKED),
        ([Locked("a"), PlatformFailed("b")], ExitCode.PLATFORM_FAILED),
        ([PreflightFailed("a"), PlatformFailed("b")], ExitCode.PLATFORM_FAILED),
        ([PlatformFailed("a"), Refused("b"), Locked("c")], ExitCode.REFUSED),
    ],
)
def test_what_all_agree_on_is_the_code_and_a_refusal_says_more_than_any_other(
    errors: list[LeptonError], code: ExitCode
) -> None:
    assert exit_code_over(errors) == code
