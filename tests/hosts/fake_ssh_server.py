"""A fake SSH server on loopback ports: answers a command with its own input. It has no shell, no files and no PAM."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import asyncssh

T = TypeVar("T")

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path


def write_key(path: Path, kind: str = "ssh-ed25519") -> str:
    """Make a private key file and give its public line without a comment."""
    key = asyncssh.generate_private_key(kind)
    path.write_bytes(key.export_private_key())
    path.chmod(0o600)
    return " ".join(key.export_public_key().decode().split()[:2])


def fingerprint(public_key: str) -> str:
    """`SHA256:...` of a public key line."""
    return asyncssh.import_public_key(public_key).get_fingerprint()


@dataclass
class FakeSshServers:
    """Servers that run in a thread of their own until `close`. `inputs` is all that any of them was sent."""

    folder: Path
    authorized: str
    inputs: list[bytes] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Start the thread."""
        self._loop = asyncio.new_event_loop()
        self._pool = ThreadPoolExecutor(thread_name_prefix="fake")
        self._loop.set_default_executor(self._pool)
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._open: list[asyncio.Server | asyncssh.SSHAcceptor] = []

    def start(self, host_key: Path) -> int:
        """Start a server with this host key and give its port."""
        return self._do(self._start(host_key))

    def start_mute(self) -> int:
        """Start a server that accepts connections and never says anything."""
        return self._do(self._start_mute())

    def close(self) -> None:
        """Stop every server and the thread."""
        for server in self._open:
            self._loop.call_soon_threadsafe(server.close)
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._pool.shutdown()
        self._loop.close()

    def _do(self, work: Coroutine[None, None, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=20)

    async def _start(self, host_key: Path) -> int:
        authorized = self.folder / "authorized_keys"
        authorized.write_text(self.authorized + "\n")
        servers = self

        class Server(asyncssh.SSHServer):
            def begin_auth(self, username: str) -> bool:
                servers.logins.append(username)
                return True

            def connection_requested(self, *_: object) -> bool:
                return True

        acceptor = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=Server,
            server_host_keys=[str(host_key)],
            authorized_client_keys=str(authorized),
            process_factory=self._answer,
            encoding=None,
        )
        self._open.append(acceptor)
        return acceptor.get_port()

    async def _start_mute(self) -> int:
        async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await reader.read()
            finally:  # the end of the server cancels this
                writer.close()

        server = await asyncio.start_server(wait, "127.0.0.1", 0)
        self._open.append(server)
        port: int = server.sockets[0].getsockname()[1]
        return port

    async def _answer(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        if process.command == "hang":
            await asyncio.Event().wait()
        text = await process.stdin.read()
        self.inputs.append(text)
        process.stdout.write(text)
        process.stderr.write((process.command or "").encode())
        process.exit(3 if process.command == "exit 3" else 0)

    async def _end(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
