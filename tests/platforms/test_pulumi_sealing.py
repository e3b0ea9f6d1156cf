from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from leptonctl.errors import PreflightFailed, Refused
from leptonctl.platforms.pulumi_sealing import Sealed, Sealing, kms_url, refuse_other, sealed, sealing_of
from leptonctl.sitefile.state import State

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KMS = "awskms://alias/state?region=eu-central-1"
REFERENCE = {"passphrase": "env:STATE"}
# As the real engine (3.260) writes it.
BY_KMS = {"type": "cloud", "state": {"url": KMS, "encryptedkey": "Y2Zh"}}
BY_PASSPHRASE = {"type": "passphrase", "state": {"salt": "v1:a:v1:b:c"}}


def sealing(folder: Path, environ: Mapping[str, str], **state: str) -> Sealing:
    return sealing_of(State(**state), site_dir=folder, made=folder / "pulumi" / "passphrase", environ=environ)


def state(providers: object) -> dict[str, Any]:
    return {"version": 3, "deployment": {"secrets_providers": providers}}


def test_without_a_word_in_the_site_file_a_passphrase_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    made = tmp_path / "pulumi" / "passphrase"
    assert sealing(tmp_path, {}).variables == {"PULUMI_CONFIG_PASSPHRASE_FILE": str(made)}
    text = made.read_text()
    assert sealing(tmp_path, {}).source == str(made)
    assert made.read_text() == text
    assert len(text) > 30
    assert made.stat().st_mode & 0o777 == 0o600


def test_a_passphrase_in_the_environment_is_left_to_the_engine(tmp_path: Path) -> None:
    found = sealing(tmp_path, {"PULUMI_CONFIG_PASSPHRASE_FILE": "/run/secrets/state"})
    assert (found.variables, found.source) == ({}, "PULUMI_CONFIG_PASSPHRASE_FILE")
    assert list(tmp_path.iterdir()) == []


def test_a_referenced_passphrase_goes_to_the_engine_alone_and_is_never_shown(tmp_path: Path) -> None:
    found = sealing(tmp_path, {"STATE": "correct horse"}, **REFERENCE)
    assert found.variables == {"PULUMI_CONFIG_PASSPHRASE": "correct horse"}
    assert "horse" not in repr(found)
    assert list(tmp_path.iterdir()) == []


def test_a_reference_that_leads_nowhere_is_told_by_its_place(tmp_path: Path) -> None:
    with pytest.raises(PreflightFailed) as caught:
        sealing(tmp_path, {}, **REFERENCE)
    assert caught.value.message == "secrets cannot be resolved: state.passphrase: env:STATE: it is not set"


@pytest.mark.parametrize(
    ("key", "url"),
    [
        ("alias/state", KMS),
        ("1234abcd-12ab-34cd-56ef-1234567890ab", "awskms://1234abcd-12ab-34cd-56ef-1234567890ab?region=eu-central-1"),
        (
            "arn:aws:kms:eu-central-1:123456789012:alias/state",
            "awskms:///arn:aws:kms:eu-central-1:123456789012:alias/state?region=eu-central-1",
        ),
    ],
)
def test_a_kms_key_is_named_as_the_engine_wants_it(tmp_path: Path, key: str, url: str) -> None:
    assert kms_url(key, "eu-central-1") == url
    found = sealing(tmp_path, {}, kms_key=key, region="eu-central-1")
    assert (found.provider, found.variables) == (url, {})


def test_a_state_says_how_it_is_sealed() -> None:
    assert sealed(state(BY_KMS)) == Sealed(KMS, encrypted_key="Y2Zh")
    assert sealed(state(BY_PASSPHRASE)) == Sealed("passphrase", salt="v1:a:v1:b:c")
    assert sealed(state(None)) is None


def test_a_state_that_is_sealed_otherwise_is_refused_and_never_sealed_anew() -> None:
    refuse_other("core", state(BY_KMS), Sealing(KMS, ""))
    refuse_other("core", state(None), Sealing(KMS, ""))
    with pytest.raises(Refused) as caught:
        refuse_other("core", state(BY_KMS), Sealing("passphrase", ""))
    assert caught.value.message == (
        f"core: the secrets in its state are sealed with {KMS}, and the site file says passphrase"
    )
