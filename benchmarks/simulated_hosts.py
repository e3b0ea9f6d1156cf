"""A simulation of many hosts in one process: SSH servers on loopback addresses that answer leptonctl's looks.

Started as `simulated_hosts.py FOLDER` by `simulated_site.py`, which wrote FOLDER. Each host has an address, a host key
and a folder of its own; the folder stands for its disk. Real are the SSH protocol, the login, the request that is
sent, the manifest, and the program that compares it with the files of the folder and words the answer. Not real: it
runs in this process instead of a Python of the host, its live checks count as passed, and there are no packages, units
or accounts, no shell, and no Ansible: any other command fails.

The line `counts` on stdin is answered with the connections since the last one, as JSON; the end of stdin ends it.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

from leptonctl.hosts.remote import host_side
from leptonctl.platforms.ssh_facts import LOOK_COMMAND

HOSTS = "hosts.json"
CLIENT_KEY = "client_key"
HOST_KEY = "ssh_host_ed25519_key"
MANIFEST = "manifest.json"
READY = "ready"
PROGRAM_COMMAND = "exec python3 -"
# The first that asyncssh and the sshd of Debian 12 have in common.
KEY_EXCHANGE = ["curve25519-sha256"]
# What `ssh_look.sh` prints on a host that fits; the clock is added.
LOOK_ANSWER = """\
os_id=debian
os_version=12
os_name=Debian GNU/Linux 12 (bookworm)
python=3.11
root=yes
init=systemd
cpus=8
memory_kib=67108864
clock_s={clock_s}
end=yes
"""


@dataclass
class Counts:
    """Connections that were accepted, by host address, and the most that were open at once."""

    by_host: Counter[str] = field(default_factory=Counter)
    open_now: int = 0
    most_at_once: int = 0

    def as_json(self) -> dict[str, object]:
        """The connections by host address, and the most that were open at once."""
        return {"by_host": dict(self.by_host), "most_at_once": self.most_at_once}

    def clear(self) -> None:
        """Begin anew."""
        self.by_host.clear()
        self.most_at_once = self.open_now


def answer(command: str, text: bytes, folder: Path) -> tuple[str, int]:
    """What a host with this folder prints for a command with this input, and its exit status."""
    if command == LOOK_COMMAND:
        return LOOK_ANSWER.format(clock_s=int(time.time())), 0
    if command != PROGRAM_COMMAND:
        return f"a simulated host cannot do this: {command}\n", 127
    request = sent_request(text)
    if request["do"] != "look":
        return f"a simulated host cannot do this: {request['do']}\n", 1
    # The checks are programs of the host: here they would be this machine's.
    request["checks"] = []
    host_side.MANIFEST = folder / MANIFEST
    return json.dumps({"schema": host_side.SCHEMA, **host_side.look(request)}) + "\n", 0


def sent_request(program: bytes) -> dict[str, Any]:
    """The request in the program that leptonctl sends: the last argument of its last line, `start('...', '{...}')`."""
    (call,) = ast.parse(program.decode().rpartition("\n\n")[2]).body
    request: dict[str, Any] = json.loads(ast.literal_eval(call.value.args[-1]))  # type: ignore[attr-defined]
    return request


async def serve(folder: Path, counts: Counts) -> None:
    """Start a server for each host of the folder's list."""
    plan = json.loads((folder / HOSTS).read_text(encoding="utf-8"))
    for host in plan["hosts"]:
        await start(folder / host["folder"], host["address"], (host["hostname"], plan["port"]), counts)


async def start(folder: Path, address: str, place: tuple[str, int], counts: Counts) -> None:
    """Start the server of one host."""

    class Server(asyncssh.SSHServer):
        def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
            del conn
            counts.by_host[address] += 1
            counts.open_now += 1
            counts.most_at_once = max(counts.most_at_once, counts.open_now)

        def connection_lost(self, exc: Exception | None) -> None:
            del exc
            counts.open_now -= 1

    async def run(process: asyncssh.SSHServerProcess[bytes]) -> None:
        with contextlib.suppress(asyncssh.Error, OSError):
            text, status = answer(process.command or "", await process.stdin.read(), folder)
            process.stdout.write(text.encode())
            process.exit(status)

    await asyncssh.listen(
        *place,
        server_factory=Server,
        server_host_keys=[str(folder / HOST_KEY)],
        authorized_client_keys=str(folder.parent / f"{CLIENT_KEY}.pub"),
        process_factory=run,
        encoding=None,
        kex_algs=KEY_EXCHANGE,
        reuse_address=True,
    )


async def main() -> None:
    """Serve until stdin ends."""
    counts = Counts()
    await serve(Path(sys.argv[1]), counts)
    print(READY, flush=True)
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while await lines.readline():
        print(json.dumps(counts.as_json()), flush=True)
        counts.clear()


if __name__ == "__main__":
    asyncio.run(main())
