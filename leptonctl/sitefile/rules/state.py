"""Rules on the state: a bucket has a form, a region, and one way to seal what is secret in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.sitefile.aws import REGION
from leptonctl.sitefile.findings import Finding
from leptonctl.sitefile.state import ACCOUNT, KMS_KEY
from leptonctl.sitefile.words import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.sitefile.model import Site
    from leptonctl.sitefile.state import State

_PATH = ("state",)


def check_state(site: Site) -> Iterator[Finding]:
    """The `state` section."""
    state = site.state
    if not state.model_fields_set:
        return
    if all(location.platform != "aws" for location in site.locations().values()):
        message = "no location of this site is on aws, and only those have a state"
        yield Finding("unused-setting", _PATH, message, "remove the section", at="key")
        return
    yield from _check_forms(state)
    if state.passphrase is not None and state.kms_key is not None:
        message = "secrets are sealed with a passphrase or with a KMS key, not with both"
        yield Finding("cannot-combine", (*_PATH, "passphrase"), message, "remove one of the two", at="key")
    if state.region is None and (state.url is not None or state.kms_key is not None):
        what = "bucket" if state.url is not None else "KMS key"
        message, hint = f"the state's {what} needs its region", "write one such as `region: eu-central-1`"
        yield Finding("missing-state-region", _PATH, message, hint, at="key")
    if state.url is not None and state.passphrase is None and state.kms_key is None:
        message = "a state that is shared needs a way to seal the secrets in it"
        hint = "write `kms_key: alias/NAME`, or a reference such as `passphrase: env:STATE_PASSPHRASE`"
        yield Finding("missing-state-key", _PATH, message, hint, at="key")


def _check_forms(state: State) -> Iterator[Finding]:
    if state.url is not None and state.bucket is None:
        message, hint = f"{quoted(state.url)} is not a bucket", "write one such as s3://example-state/teams/vision"
        yield Finding("bad-value", (*_PATH, "url"), message, hint)
    forms = (
        ("region", state.region, REGION, "an AWS region", "eu-central-1"),
        ("account", state.account, ACCOUNT, "the number of an AWS account", "123456789012, in quotes"),
        ("kms_key", state.kms_key, KMS_KEY, "a KMS key", "alias/leptonctl-state"),
    )
    for key, value, form, what, example in forms:
        if value is not None and not form.fullmatch(value):
            message = f"{quoted(value)} is not {what}"
            yield Finding("bad-value", (*_PATH, key), message, f"write one such as {example}")
