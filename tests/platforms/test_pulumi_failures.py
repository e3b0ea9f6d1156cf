"""What the engine says when it fails, in our words; what the real one said is in test_recorded.py."""

from __future__ import annotations

from dataclasses import replace

import pytest

from leptonctl.errors import PreflightFailed
from leptonctl.platforms.pulumi_failures import AGAIN, Attempt, failure_of, is_no_answer

ATTEMPT = Attempt(where="core", what="up", sealed_from="state.passphrase", is_interrupted=False)


def nobody() -> str:
    raise AssertionError("nobody is asked who holds the stack")


def test_without_a_word_of_a_resource_the_end_of_what_was_printed_is_told() -> None:
    failed = failure_of("a\nb\n\nc\nd\ne\n", ATTEMPT, nobody)
    assert failed.message == "core: the engine failed at up: b / c / d / e"
    assert failure_of(" \n", ATTEMPT, nobody).message == "core: the engine failed at up: it said nothing"


def test_a_wrong_passphrase_is_told_with_its_place() -> None:
    failed = failure_of("error: getting secrets manager: incorrect passphrase", ATTEMPT, nobody)
    assert isinstance(failed, PreflightFailed)
    assert failed.message == "core: the passphrase is not the one that the stack's secrets were encrypted with"
    assert failed.hint == "it was taken from state.passphrase: put the right one there"


def test_what_was_refused_is_told_beside_what_got_no_answer() -> None:
    told = (
        ("box-1", "api error UnauthorizedOperation: not allowed"),
        ("network-zone", "Stream removed (Socket closed)"),
    )
    # A subnet and what ties it to its routes have one name.
    failed = failure_of("", replace(ATTEMPT, told=told, unanswered=("network-zone", "network-zone")), nobody)
    assert failed.message == (
        "core: the engine's plug-in for AWS got no answer while it was making network-zone, and nobody knows yet how "
        "that ended"
    )
    assert [(one.rule, one.message, one.hint) for one in failed.problems] == [
        ("no_answer", "network-zone: Stream removed (Socket closed)", AGAIN),
        (
            "engine",
            "box-1: api error UnauthorizedOperation: not allowed",
            "the credentials lack a permission for this; docs/aws.md has the policy that is enough",
        ),
    ]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("error reading from server: EOF", True),
        ("Stream removed (Socket closed)", True),
        ("read tcp 10.0.0.2:1->10.0.0.3:443: read: connection reset by peer", True),
        ("creating EC2 Instance: operation error EC2: RunInstances, context deadline exceeded", True),
        ("operation error EC2: RunInstances, api error UnauthorizedOperation: not allowed", False),
        ("connection refused", False),
    ],
)
def test_what_went_out_without_an_answer_may_have_been_done(message: str, *, expected: bool) -> None:
    assert is_no_answer(message) is expected
