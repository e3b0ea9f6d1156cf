"""Secrets: finds the references among role settings, resolves them, and hides the values wherever text is written."""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import subprocess
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from leptonctl.errors import PreflightFailed, Problem
from leptonctl.sitefile.environment import EACH, secret_paths
from leptonctl.sitefile.software import SETTINGS

if TYPE_CHECKING:
    from leptonctl.hosts.target import Target
    from leptonctl.planning.desired import DesiredRole
    from leptonctl.sitefile.software import RoleName

HIDDEN = "[secret]"
COMMAND_LIMIT_S = 60
# Shorter values would be hidden inside ordinary words ("on", "100"), which tells more than it hides.
_SHORTEST_HIDDEN = 4
_Place = tuple[str, ...]
# Secrets that no site file has: they are made for a run.
_MADE_FOR_A_RUN: Mapping[str, tuple[_Place, ...]] = {
    "kubernetes": (("join", "token"), ("join", "certificate_key")),
    "storage_ceph": (("keys", EACH),),
}


@cache
def secret_places(role: RoleName) -> tuple[_Place, ...]:
    """Where the settings of a role can have secrets, as paths of keys: `(("webhook_url",), ("mail", "password"))`.

    `EACH` stands for every key of a mapping. Found from the model alone: the fields whose type is SecretRef. Those
    inside a list are not supported by any role.
    """
    return (*secret_paths(SETTINGS[role]), *_MADE_FOR_A_RUN.get(role, ()))


def secret_refs(roles: Iterable[DesiredRole]) -> dict[str, str]:
    """Every reference in the settings, once, with the first setting that has it (`monitoring_server.webhook_url`)."""
    found: dict[str, str] = {}
    for role in roles:
        for place, ref in _refs_of(role):
            found.setdefault(ref, ".".join((role.name, *place)))
    return found


def secret_values(role: DesiredRole, secrets: Mapping[str, str]) -> dict[str, str]:
    """The values that are known of a role's secrets, by the setting that has them (`mail.password`)."""
    return {".".join(place): secrets[ref] for place, ref in _refs_of(role) if ref in secrets}


def resolve(refs: Mapping[str, str], *, site_dir: Path, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The secret behind each reference. `refs` maps reference to the setting that has it.

    A file is read, and a command run without a shell, relative to the site file's folder; one newline at the end is
    dropped. Raises PreflightFailed with all that cannot be resolved; no value ever stands in an error.
    """
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for ref, setting in refs.items():
        try:
            found[ref] = _resolve(ref, site_dir, environ)
        except _Unresolved as reason:
            kind = ref.partition(":")[0]
            shown = ref if kind != "exec" else f"exec:{ref[5:].split(maxsplit=1)[0]} ..."
            problems.append(
                Problem("secret", f"{setting}: {shown}: {reason}", hint=_HINTS[kind], where=setting),
            )
    if problems:
        problems.sort(key=lambda problem: problem.message)
        message = "; ".join(problem.message for problem in problems)
        raise PreflightFailed(f"secrets cannot be resolved: {message}", hint=problems[0].hint, problems=tuple(problems))
    return found


def with_secrets(target: Target, secrets: Mapping[str, str]) -> Target:
    """The target with every reference replaced by its value: for Ansible's memory only, never for a file."""
    return replace(target, roles=tuple(_role_with_secrets(role, secrets) for role in target.roles))


@dataclass(frozen=True, slots=True)
class Redactor:
    """Hides secrets in text: each value as it is, and as URLs, JSON, shells and base64 write it."""

    pattern: re.Pattern[str] | None

    @classmethod
    def of(cls, secrets: Iterable[str]) -> Redactor:
        """A redactor for these values. Values shorter than four characters are left alone."""
        forms = {form for secret in secrets if len(secret) >= _SHORTEST_HIDDEN for form in _forms(secret)}
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        return cls(re.compile("|".join(re.escape(form) for form in longest_first)) if forms else None)

    def __call__(self, text: str) -> str:
        """The text with `[secret]` in the place of each secret."""
        return self.pattern.sub(HIDDEN, text) if self.pattern else text

    def value(self, value: object) -> object:
        """A JSON value with every text in it redacted, keys too."""
        if self.pattern is None:
            return value
        if isinstance(value, str):
            return self(value)
        if isinstance(value, Mapping):
            return {self(str(key)): self.value(entry) for key, entry in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(entry) for entry in value]
        return value


class _Unresolved(Exception):
    """Why a reference has no value; never the value."""


_HINTS = {
    "env": "set the environment variable before you start leptonctl",
    "file": "the path is relative to the site file; the file must be readable and not empty",
    "exec": "run the command by hand in the site file's folder; it must exit 0 and print the secret",
}


def _resolve(ref: str, site_dir: Path, environ: Mapping[str, str]) -> str:
    kind, _, rest = ref.partition(":")
    text = {"env": _from_environment, "file": _from_file, "exec": _from_command}[kind](rest, site_dir, environ)
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise _Unresolved("it is empty")
    return text


def _from_environment(name: str, _: Path, environ: Mapping[str, str]) -> str:
    if name not in environ:
        raise _Unresolved("it is not set")
    return environ[name]


def _from_file(name: str, site_dir: Path, _: Mapping[str, str]) -> str:
    try:
        return (site_dir / Path(name).expanduser()).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise _Unresolved("it is not text") from None
    except OSError as error:
        raise _Unresolved(error.strerror or "it cannot be read") from None


def _from_command(command: str, site_dir: Path, environ: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(
            shlex.split(command),
            cwd=site_dir,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=COMMAND_LIMIT_S,
            check=False,
        )
        if done.returncode != 0:
            raise _Unresolved(f"it exits {done.returncode}")
        return done.stdout.decode()
    except subprocess.TimeoutExpired:
        raise _Unresolved(f"it does not end within {COMMAND_LIMIT_S} s") from None
    except UnicodeDecodeError:
        raise _Unresolved("what it prints is not text") from None
    except OSError as error:
        raise _Unresolved(error.strerror or "it cannot be started") from None
    except ValueError as error:
        raise _Unresolved(f"it cannot be read as a command: {error}") from None


def _refs_of(role: DesiredRole) -> Iterable[tuple[_Place, str]]:
    """Every reference in a role's settings, with the keys that lead to it."""
    for place in secret_places(role.name):
        yield from _refs_at(role.settings, place)


def _refs_at(settings: object, place: _Place) -> Iterable[tuple[_Place, str]]:
    if not place:
        yield from (((), settings),) if isinstance(settings, str) else ()
    elif isinstance(settings, Mapping):
        keys = settings if place[0] == EACH else (place[0],)
        for key in keys:
            yield from (((key, *rest), ref) for rest, ref in _refs_at(settings.get(key), place[1:]))


def _role_with_secrets(role: DesiredRole, secrets: Mapping[str, str]) -> DesiredRole:
    settings: object = role.settings
    for place, ref in _refs_of(role):
        settings = _replaced(settings, place, secrets[ref])
    return replace(role, settings=typing.cast("Mapping[str, object]", settings))


def _replaced(settings: object, place: _Place, value: str) -> object:
    if not place:
        return value
    inner = typing.cast("Mapping[str, object]", settings)
    return {**inner, place[0]: _replaced(inner[place[0]], place[1:], value)}


def _forms(secret: str) -> Iterable[str]:
    yield secret
    yield from (quote(secret, safe=""), quote(secret), quote_plus(secret), quote_plus(secret, safe="/:"))
    yield from (
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        json.dumps(json.dumps(secret))[3:-3],
    )
    yield from (shlex.quote(secret), repr(secret)[1:-1], secret.replace("'", "''"))
    yield from (line for line in secret.splitlines() if len(line) >= 2 * _SHORTEST_HIDDEN)
    raw = secret.encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(raw).decode().rstrip("=")
        # Inside a longer text the same bytes stand at one of three offsets; what depends on the neighbours is cut off.
        yield from (
            encode(b"\0" * shift + raw).decode().rstrip("=")[4:-2]
            for shift in (1, 2)
            if len(raw) >= 2 * _SHORTEST_HIDDEN
        )
