"""Gets the pinned engine with the SDK's own installer into leptonctl's own folder, whole or not at all.

The installer is the vendor's script, fetched over TLS; it fetches the archive over TLS too and unpacks it. Neither has
a signature that the SDK looks at. What is checked here is that the program runs and says the pinned version.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError

from leptonctl.errors import PreflightFailed
from leptonctl.platforms.pulumi import EXTRA_HINT
from leptonctl.platforms.pulumi_engine import ENGINE_VARIABLE, PINNED, find_engine, own_folder, put_hint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from leptonctl.platforms.pulumi_engine import Engine

_NETWORK_LIMIT_S = 30


def install_engine(environ: Mapping[str, str]) -> Engine:
    """The pinned engine in leptonctl's own folder; fetched where another one, or none, is there.

    Raises `PreflightFailed` with what to put where when it cannot be fetched; what was there before then stays.
    """
    own = own_folder(environ)
    found = _engine_in(own, environ)
    if found is not None and found.version == PINNED:
        return found
    own.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".engine-", dir=own.parent) as folder_name:
        new = Path(folder_name) / "engine"
        _fetch(new, environ)
        made = _engine_in(new, environ)
        if made is None or made.version != PINNED:
            said = f"says it is version {made.version}" if made else "does not run"
            raise PreflightFailed(
                f"the engine that was fetched {said}, and {PINNED} was asked for; it was thrown away",
                hint=put_hint(environ, "then run this again"),
            )
        if own.exists():
            own.rename(Path(folder_name) / "former")
        new.rename(own)
    return find_engine({**environ, ENGINE_VARIABLE: str(own / "bin" / "pulumi")})


def _engine_in(folder: Path, environ: Mapping[str, str]) -> Engine | None:
    try:
        return find_engine({**environ, ENGINE_VARIABLE: str(folder / "bin" / "pulumi")})
    except PreflightFailed:
        return None


def _fetch(folder: Path, environ: Mapping[str, str]) -> None:
    try:
        from pulumi.automation import PulumiCommand  # noqa: PLC0415 - only this verb
        from pulumi.automation.errors import InvalidVersionError  # noqa: PLC0415 - the same
        from semver import VersionInfo  # noqa: PLC0415 - the same; it is the SDK's own
    except ImportError as missing:
        raise PreflightFailed(f"the library `{missing.name}` is missing", hint=EXTRA_HINT) from missing
    try:
        with _network_limit():
            PulumiCommand.install(root=str(folder), version=VersionInfo.parse(PINNED))
    except InvalidVersionError:
        # Which one it is instead is found out, and told, by its own look.
        return
    except (OSError, URLError, subprocess.CalledProcessError) as failed:
        shutil.rmtree(folder, ignore_errors=True)
        said = getattr(failed, "output", None)
        why = said.decode(errors="replace").strip().splitlines()[-1:] if isinstance(said, bytes) else []
        raise PreflightFailed(
            f"pulumi {PINNED} could not be fetched: {why[0] if why else failed}",
            hint=put_hint(environ, "then run this again"),
        ) from failed


@contextmanager
def _network_limit() -> Iterator[None]:
    """The SDK sets no limit of its own: without this, a network that swallows everything is waited for for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_NETWORK_LIMIT_S)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
