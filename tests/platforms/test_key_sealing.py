from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from leptonctl.errors import PlatformFailed, PreflightFailed
from leptonctl.platforms.aws_cloud import AwsCloud
from leptonctl.platforms.key_sealing import KmsSealer, PassphraseSealer
from tests.platforms.marks import REGION

SECRET = b"-----BEGIN OPENSSH PRIVATE KEY-----\n" + b"x" * 400
SEALER = PassphraseSealer("correct horse", "state.passphrase")


def test_what_a_passphrase_seals_opens_with_it_and_shows_nothing() -> None:
    first, second = SEALER.seal(SECRET, purpose="a"), SEALER.seal(SECRET, purpose="a")
    assert first != second
    assert "OPENSSH" not in first
    assert SEALER.opened(first, purpose="a") == SEALER.opened(second, purpose="a") == SECRET


def test_another_passphrase_another_purpose_and_a_damaged_box_do_not_open() -> None:
    sealed = SEALER.seal(SECRET, purpose="a")
    parts = json.loads(sealed)
    damaged = json.dumps({**parts, "box": parts["box"][:-8] + "AAAAAAA="})
    for sealer, text, purpose in (
        (PassphraseSealer("wrong", "state.passphrase"), sealed, "a"),
        (SEALER, sealed, "b"),
        (SEALER, damaged, "a"),
        (SEALER, "[]", "a"),
        (SEALER, "no JSON", "a"),
        (SEALER, "{}", "a"),
    ):
        with pytest.raises(PreflightFailed) as caught:
            sealer.opened(text, purpose=purpose)
        assert caught.value.message == (
            f"the {purpose} does not open with the passphrase: that is another one, or the secret was damaged"
        )
        assert caught.value.hint == "it was taken from state.passphrase: put the right one there"


def test_what_a_kms_key_seals_opens_by_it_for_its_purpose_alone(ec2: Any) -> None:
    assert ec2
    key: str = boto3.client("kms", region_name=REGION).create_key()["KeyMetadata"]["Arn"]
    sealer = KmsSealer(AwsCloud(REGION), key)
    sealed = sealer.seal(SECRET, purpose="a")
    assert "OPENSSH" not in sealed
    assert sealer.opened(sealed, purpose="a") == SECRET
    with pytest.raises(PlatformFailed, match="InvalidCiphertext"):
        sealer.opened(sealed, purpose="b")
