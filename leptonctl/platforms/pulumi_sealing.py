"""What seals the secrets in the states: a passphrase, which only the engine's process is told, or a KMS key."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from leptonctl.errors import Refused
from leptonctl.hosts.secrets import resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leptonctl.platforms.pulumi_state import Deployment
    from leptonctl.sitefile.state import State

PASSPHRASE = "PULUMI_CONFIG_PASSPHRASE"  # noqa: S105 - the name of a variable
PASSPHRASE_FILE = "PULUMI_CONFIG_PASSPHRASE_FILE"  # noqa: S105 - the same


@dataclass(frozen=True, slots=True)
class Sealing:
    """`provider` is the engine's word for it, `variables` what its process needs to know. `source` is for people."""

    provider: str
    source: str
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)

    def passphrase(self, environ: Mapping[str, str]) -> str:
        """The passphrase itself, as the engine finds it: told, or in its own variables."""
        told = {**environ, **self.variables}
        return told.get(PASSPHRASE) or Path(told[PASSPHRASE_FILE]).read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Sealed:
    """How the engine has sealed the secrets of one state, as the state itself says it."""

    provider: str
    salt: str | None = None
    encrypted_key: str | None = None


def sealing_of(state: State, *, site_dir: Path, made: Path, environ: Mapping[str, str]) -> Sealing:
    """What the site file says; without it, the passphrase in the file `made`, which is made where it is not there.

    Raises `PreflightFailed` where a reference leads nowhere.
    """
    if state.kms_key is not None:
        return Sealing(kms_url(state.kms_key, state.region or ""), f"the KMS key {state.kms_key}")
    if state.passphrase is not None:
        value = resolve({state.passphrase: "state.passphrase"}, site_dir=site_dir, environ=environ)
        return Sealing("passphrase", "state.passphrase", {PASSPHRASE: value[state.passphrase]})
    named = next((name for name in (PASSPHRASE, PASSPHRASE_FILE) if environ.get(name)), None)
    if named is not None:
        return Sealing("passphrase", named)
    return made_passphrase(made)


def made_passphrase(path: Path) -> Sealing:
    """A passphrase in a file of its own (0600), which is made where it is not there."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(32))
    return Sealing("passphrase", str(path), {PASSPHRASE_FILE: str(path)})


def kms_url(key: str, region: str) -> str:
    """A KMS key as the engine wants it; an ARN stands where a path would."""
    return f"awskms://{'/' if key.startswith('arn:') else ''}{key}?region={region}"


def sealed(state: Deployment) -> Sealed | None:
    """How the secrets of a state are sealed; None where it does not say."""
    told = state["deployment"].get("secrets_providers") or {}
    inner = told.get("state") or {}
    if told.get("type") == "cloud":
        return Sealed(str(inner.get("url")), encrypted_key=inner.get("encryptedkey"))
    return Sealed("passphrase", salt=inner.get("salt")) if told.get("type") == "passphrase" else None


def refuse_other(location: str, state: Deployment, wanted: Sealing) -> None:
    """Raise `Refused` where a state is sealed in another way than the site file says.

    The engine would open it, and seal it again in its own way, without a word.
    """
    found = sealed(state)
    if found is not None and found.provider != wanted.provider:
        raise Refused(
            f"{location}: the secrets in its state are sealed with {found.provider}, and the site file says "
            f"{wanted.provider}",
            hint="put the former key back into the `state` section; docs/state.md says how to change it",
        )
