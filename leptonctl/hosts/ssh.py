"""Runs one command on many hosts by SSH at once, host keys always checked; the only module that imports asyncssh.

The user's and the machine's ssh_config are not read: a site must mean the same on every operator's machine, so what a
host needs (user, port, key, jump host) stands in the site file. `openssh` holds the same rules for the `ssh` program.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from leptonctl.errors import InvalidSite
from leptonctl.hosts.openssh import jump_host, known_hosts_files
from leptonctl.hosts.reach import Reply, Request
from leptonctl.planning.observed import Endpoint, Reach

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import asyncssh


_ANSWER_LIMIT_BYTES = 64 * 1024 * 1024
_LOGIN_LIMIT_S = 30.0
# Put before the others, none left out: of asyncssh's ciphers these cost the least for each packet.
_CHEAP_CIPHERS = "^aes256-gcm@openssh.com,aes128-gcm@openssh.com"


def run_all(requests: Sequence[Request], *, limit: int = 64, timeout_s: float) -> dict[str, Reply]:
    """Every request's reply by its address; at most `limit` connections at once, `timeout_s` for each host.

    Never raises for a host. Ctrl-C closes every connection and is passed on as `KeyboardInterrupt`.
    """
    if not requests:
        return {}
    return asyncio.run(_run_all(requests, limit, timeout_s))


@dataclass(eq=False)
class _Stopped(Exception):
    """A connection that did not come about, with the answer for the host behind it."""

    reach: Reach
    detail: str
    presented: str | None = None
    expected: tuple[str, ...] = ()


@dataclass(slots=True)
class _Shared:
    """What the requests of one call share: key files, read once, and the connections to jump hosts."""

    timeout_s: float
    keys: dict[Path, asyncssh.SSHKey] = field(default_factory=dict)
    jumps: dict[Endpoint, asyncio.Task[asyncssh.SSHClientConnection]] = field(default_factory=dict)


async def _run_all(requests: Sequence[Request], limit: int, timeout_s: float) -> dict[str, Reply]:
    places = asyncio.Semaphore(limit)
    shared = _Shared(timeout_s)

    async def within_limit(request: Request) -> Reply:
        async with places:
            return await _run_one(request, shared)

    try:
        replies = await asyncio.gather(*(within_limit(request) for request in requests))
    finally:
        for task in shared.jumps.values():
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, _Stopped):
                (await task).abort()
    return {reply.address: reply for reply in replies}


async def _run_one(request: Request, shared: _Shared) -> Reply:
    connection: asyncssh.SSHClientConnection | None = None
    answer = Reply(request.address, Reach.FAILED)
    try:
        async with asyncio.timeout(shared.timeout_s):
            connection = await _connect(request.endpoint, shared)
            return await _execute(connection, request)
    except _Stopped as stopped:
        return replace(
            answer,
            reach=stopped.reach,
            detail=stopped.detail,
            presented_fingerprint=stopped.presented,
            expected_fingerprints=stopped.expected,
        )
    except TimeoutError:
        if connection is None:
            detail = f"{_place(request.endpoint)}: no answer within {shared.timeout_s:g} s"
            return replace(answer, reach=Reach.UNREACHABLE, detail=detail)
        return replace(answer, detail=f"logged in, but the command did not end within {shared.timeout_s:g} s")
    finally:
        if connection is not None:
            connection.abort()


async def _execute(connection: asyncssh.SSHClientConnection, request: Request) -> Reply:
    import asyncssh  # noqa: PLC0415 - heavy

    try:
        process = await connection.create_process(request.command, encoding=None)
        stdout, stderr, _ = await asyncio.gather(
            _read(process.stdout), _read(process.stderr), _write(process.stdin, request.stdin)
        )
        await process.wait_closed()
    except (OSError, asyncssh.Error) as error:
        return Reply(request.address, Reach.FAILED, detail=f"the connection broke while the command ran: {error}")
    if stdout is None or stderr is None:
        detail = f"the host's answer is longer than {_ANSWER_LIMIT_BYTES // 2**20} MiB"
        return Reply(request.address, Reach.FAILED, detail=detail)
    if process.returncode is None:
        return Reply(request.address, Reach.FAILED, detail="the connection ended before the command did")
    status = max(process.returncode, -1)
    return Reply(request.address, Reach.OK, exit_status=status, stdout=stdout, stderr=stderr)


async def _read(stream: asyncssh.SSHReader[bytes]) -> bytes | None:
    """All that comes, or None where it is more than any honest answer."""
    parts: list[bytes] = []
    size = 0
    while part := await stream.read(2**16):
        size += len(part)
        if size > _ANSWER_LIMIT_BYTES:
            return None
        parts.append(part)
    return b"".join(parts)


async def _write(stream: asyncssh.SSHWriter[bytes], text: bytes) -> None:
    # A command that does not read its input to the end is no failure: its exit status tells.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        stream.write(text)
        await stream.drain()
        stream.write_eof()


async def _connect(endpoint: Endpoint, shared: _Shared) -> asyncssh.SSHClientConnection:
    try:
        jump = jump_host(endpoint)
    except InvalidSite as problem:
        raise _Stopped(Reach.FAILED, problem.message) from None
    if jump is None:
        return await _open(endpoint, shared, tunnel=None)
    # Hundreds of hosts behind one jump host: a connection each would run into its MaxStartups.
    through = Endpoint(
        jump.hostname, jump.port, jump.user, endpoint.key, None, endpoint.jump_host_keys, endpoint.known_hosts
    )
    if through not in shared.jumps:
        shared.jumps[through] = asyncio.create_task(_open(through, shared, tunnel=None))
    try:
        tunnel = await asyncio.shield(shared.jumps[through])
    except _Stopped as stopped:
        detail = f"jump host {stopped.detail}"
        raise _Stopped(stopped.reach, detail, stopped.presented, stopped.expected) from None
    return await _open(endpoint, shared, tunnel=tunnel)


async def _open(
    endpoint: Endpoint, shared: _Shared, *, tunnel: asyncssh.SSHClientConnection | None
) -> asyncssh.SSHClientConnection:
    """A connection that is logged in, with its host key accepted; raises `_Stopped`."""
    import asyncssh  # noqa: PLC0415 - heavy

    trusted, known_hosts = _trusted(endpoint)
    presented: list[asyncssh.SSHKey] = []

    class Client(asyncssh.SSHClient):
        def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
            del host, addr, port
            presented.append(key)  # asyncssh asks only for keys that are not among the trusted ones
            return False

    # Ask first for the kinds of key that are known, then for any: a host whose key changed its kind still shows it.
    own = [algorithm.decode() for key in trusted for algorithm in key.sig_algorithms]
    try:
        return await asyncssh.connect(
            endpoint.hostname,
            endpoint.port,
            config=None,
            client_factory=Client,
            tunnel=tunnel if tunnel is not None else (),
            known_hosts=known_hosts,
            encryption_algs=_CHEAP_CIPHERS,
            server_host_key_algs=[*own, *(a for a in _host_key_algorithms() if a not in own)],
            username=endpoint.user,
            preferred_auth="publickey",
            x509_trusted_certs=None,
            login_timeout=_LOGIN_LIMIT_S,
            connect_timeout=shared.timeout_s,
            agent_forwarding=False,
            gss_auth=False,
            gss_kex=False,
            **_identity(endpoint, shared),
        )
    except asyncssh.HostKeyNotVerifiable as error:
        shown = presented[0].get_fingerprint() if presented else None
        raise _host_key_refused(endpoint, shown, tuple(key.get_fingerprint() for key in trusted), str(error)) from None
    except (OSError, ValueError, asyncssh.Error) as error:
        raise _not_logged_in(endpoint, error, shared.timeout_s) from None


def _host_key_refused(endpoint: Endpoint, shown: str | None, expected: tuple[str, ...], reason: str) -> _Stopped:
    place = _place(endpoint)
    if shown is None:  # revoked, or a certificate that nobody trusts
        return _Stopped(Reach.HOST_KEY_CHANGED, f"{place}: host key refused: {reason}", None, expected)
    if expected:
        detail = f"{place}: host key changed: it is {shown}, should be {' or '.join(expected)}"
        return _Stopped(Reach.HOST_KEY_CHANGED, detail, shown, expected)
    where = ", ".join(str(file) for file in known_hosts_files(endpoint)) or "there is no known_hosts file"
    return _Stopped(Reach.HOST_KEY_UNKNOWN, f"{place}: host key {shown} is not known ({where})", shown)


def _not_logged_in(endpoint: Endpoint, error: Exception, timeout_s: float) -> _Stopped:
    import asyncssh  # noqa: PLC0415 - heavy

    match error:
        case asyncssh.PermissionDenied():
            key = f"key {endpoint.key}" if endpoint.key else "the keys of the agent and of ~/.ssh"
            reach, reason = Reach.PERMISSION_DENIED, f"user {endpoint.user} refused with {key}"
        case TimeoutError():
            reach, reason = Reach.UNREACHABLE, f"no answer within {timeout_s:g} s"
        case asyncssh.ChannelOpenError():
            reach, reason = Reach.UNREACHABLE, f"not reached from the jump host: {error.reason}"
        case asyncssh.ConnectionLost():
            reach, reason = Reach.UNREACHABLE, "connection closed before the login"
        case OSError():
            reach, reason = Reach.UNREACHABLE, _reason(error)
        case _:
            reach, reason = Reach.FAILED, str(error)
    return _Stopped(reach, f"{_place(endpoint)}: {reason}")


def _trusted(endpoint: Endpoint) -> tuple[list[asyncssh.SSHKey], object]:
    """The host keys that are trusted, and the same as asyncssh's `known_hosts`; raises `_Stopped`."""
    import asyncssh  # noqa: PLC0415 - heavy

    try:
        if endpoint.host_keys:
            keys = [asyncssh.import_public_key(key) for key in endpoint.host_keys]
            return keys, (keys, [], [])
        files = [str(file) for file in known_hosts_files(endpoint)]
        if not files:
            return [], ([], [], [])
        known = asyncssh.read_known_hosts(files)
        port = endpoint.port if endpoint.port != 22 else None  # noqa: PLR2004 - as known_hosts files are written
        return list(known.match(endpoint.hostname, "", port)[0]), known
    except (OSError, ValueError, asyncssh.KeyImportError) as error:
        raise _Stopped(Reach.HOST_KEY_UNKNOWN, f"{_place(endpoint)}: host keys cannot be read: {error}") from None


def _identity(endpoint: Endpoint, shared: _Shared) -> dict[str, object]:
    """Who logs in: the key of the site file alone, or the agent and ssh's default keys; raises `_Stopped`."""
    import asyncssh  # noqa: PLC0415 - heavy

    if endpoint.key is None:
        return {}
    try:
        if endpoint.key not in shared.keys:
            shared.keys[endpoint.key] = asyncssh.read_private_key(endpoint.key)
    except asyncssh.KeyEncryptionError:
        # Nobody can be asked for the passphrase of many hosts at once: that is what the agent is for.
        return {"client_keys": None, "agent_identities": [str(endpoint.key)]}
    except (OSError, asyncssh.KeyImportError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise _Stopped(Reach.PERMISSION_DENIED, f"{_place(endpoint)}: key {endpoint.key}: {reason}") from None
    return {"client_keys": [shared.keys[endpoint.key]], "agent_path": None}


def _host_key_algorithms() -> list[str]:
    from asyncssh.public_key import get_default_certificate_algs, get_default_public_key_algs  # noqa: PLC0415

    return [algorithm.decode() for algorithm in (*get_default_certificate_algs(), *get_default_public_key_algs())]


def _reason(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return "the name is not known to DNS"
    reasons = {
        errno.ECONNREFUSED: "connection refused",
        errno.EHOSTUNREACH: "no route to host",
        errno.ENETUNREACH: "no route to its network",
        errno.ETIMEDOUT: "no answer",
        errno.ECONNRESET: "connection closed before the login",
    }
    # Where a name has several addresses, asyncio puts their errors into one without a number.
    return reasons.get(error.errno or 0) or str(error.strerror or error)


def _place(endpoint: Endpoint) -> str:
    return f"{endpoint.hostname} port {endpoint.port}"
