"""A proxy in front of moto: counts calls by action, and adds what moto lacks or a test needs to go wrong.

It honours ClientToken (a call that is repeated gets the first answer), throttles or refuses the next calls of an
action, has no capacity for the machines that a test names, and drops replies after the call was made. It forwards
everything else as it is.
"""

from __future__ import annotations

import http.client
import threading
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qs, parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

_READING = ("Describe", "Get", "List", "Head", "AssumeRole", "Lookup")
_ERROR = (
    "<?xml version='1.0'?><Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
    "<RequestID>proxy</RequestID></Response>"
)


@dataclass
class Proxy:
    """What the proxy saw and what it is to do. `calls` counts by `service:Action`."""

    target: str
    calls: Counter[str] = field(default_factory=Counter)
    refusals: dict[str, list[str]] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)
    lacks: Callable[[dict[str, str]], bool] | None = None
    """Whether a RunInstances with these parameters finds no capacity; None: everything is there."""
    _answers: dict[tuple[str, str], tuple[int, list[tuple[str, str]], bytes]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _server: ThreadingHTTPServer | None = None

    def start(self) -> str:
        """Serve on a free port of the loopback and return the address."""
        handler = type("Handler", (_Handler,), {"proxy": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        """End serving."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def refuse(self, action: str, code: str, times: int = 1) -> None:
        """Answer the next calls of an action of the EC2 kind with this error, without making them."""
        self.refusals.setdefault(action, []).extend([code] * times)

    def drop_reply(self, action: str, times: int = 1) -> None:
        """Make the next calls of an action, and close the connection before the answer."""
        self.dropped[action] += times

    @property
    def changing(self) -> dict[str, int]:
        """The calls that change something, by action."""
        return {name: count for name, count in self.calls.items() if not name.partition(":")[2].startswith(_READING)}

    def forget(self) -> None:
        """Count from zero again."""
        self.calls.clear()

    def next_refusal(self, action: str) -> str | None:
        """The error that the next call of an action gets, if it gets one."""
        with self._lock:
            self.calls[action] += 1
            waiting = self.refusals.get(action.partition(":")[2])
            return waiting.pop(0) if waiting else None

    def is_dropped(self, action: str) -> bool:
        """Whether the answer to this call is lost."""
        with self._lock:
            name = action.partition(":")[2]
            if self.dropped[name] <= 0:
                return False
            self.dropped[name] -= 1
            return True

    def remembered(self, action: str, token: str, make: Any) -> tuple[int, list[tuple[str, str]], bytes]:
        """The answer to the first call with this token; calls without one are made each time."""
        if not token:
            answer: tuple[int, list[tuple[str, str]], bytes] = make()
            return answer
        with self._lock:
            if (action, token) not in self._answers:
                self._answers[action, token] = make()
            return self._answers[action, token]


class _Handler(BaseHTTPRequestHandler):
    proxy: ClassVar[Proxy]
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        action, token = _action(self.command, self.path, dict(self.headers.items()), body)
        refusal = self.proxy.next_refusal(action)
        lacks = self.proxy.lacks
        if lacks is not None and action == "ec2:RunInstances" and lacks(dict(parse_qsl(body.decode()))):
            refusal = refusal or "InsufficientInstanceCapacity"
        if refusal is not None:
            self._answer(400 if refusal != "RequestLimitExceeded" else 503, [("Content-Type", "text/xml")],
                         _ERROR.format(code=refusal, message="refused by the proxy").encode())  # fmt: skip
            return
        status, headers, answer = self.proxy.remembered(action, token, lambda: self._forward(body))
        if self.proxy.is_dropped(action):
            self.close_connection = True
            self.connection.close()
            return
        self._answer(status, headers, answer)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = _serve  # noqa: N815 - the names are the library's

    def _forward(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(urlsplit(self.proxy.target).netloc, timeout=60)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
            connection.request(self.command, self.path, body=body, headers=headers)
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()
        finally:
            connection.close()

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in {"connection", "transfer-encoding", "content-length"}:
                self.send_header(name, value)
        if self.command == "HEAD":
            length = next((value for name, value in headers if name.lower() == "content-length"), "0")
            self.send_header("Content-Length", length)
            self.end_headers()
            return
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _action(method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[str, str]:
    """`service:Action` of a call, and its ClientToken; services of the REST kind are told by method and path."""
    credential = headers.get("Authorization", "").partition("Credential=")[2].split("/")
    service = credential[3] if len(credential) > 3 else "unknown"
    target = next((value for name, value in headers.items() if name.lower() == "x-amz-target"), None)
    if target is not None:
        return f"{service}:{target.rpartition('.')[2]}", ""
    form = parse_qs(body.decode(errors="replace")) if method == "POST" else {}
    if "Action" in form:
        return f"{service}:{form['Action'][0]}", form.get("ClientToken", [""])[0]
    verb = {"GET": "Get", "HEAD": "Head"}.get(method, method.capitalize())
    return f"{service}:{verb} {urlsplit(path).path}", ""
