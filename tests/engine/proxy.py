"""A proxy in front of moto: counts calls by action, and adds what moto lacks or a test needs to go wrong.

It honours ClientToken (a call that is repeated gets the first answer) and forwards everything else as it is. What else
happens to a call is said by disturbances, which a test adds: see `disturbances`.
"""

from __future__ import annotations

import http.client
import threading
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

from tests.engine.calls import Answer, Call, read_call
from tests.engine.disturbances import LostReply, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engine.disturbances import Disturbance

_READING = ("Describe", "Get", "List", "Head", "AssumeRole", "Lookup", "Simulate")


@dataclass
class Proxy:
    """What the proxy saw and what it is to do.

    `calls` counts by `service:Action`; `requests` are service, method and path with query, each once.
    """

    target: str
    calls: Counter[str] = field(default_factory=Counter)
    requests: set[tuple[str, str, str]] = field(default_factory=set)
    disturbances: list[Disturbance] = field(default_factory=list)
    _answers: dict[tuple[str, str], Answer] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _busy: dict[tuple[str, str], threading.Lock] = field(default_factory=dict)
    _server: ThreadingHTTPServer | None = None

    def start(self) -> str:
        """Serve on a free port of the loopback and return the address."""
        handler = type("Handler", (_Handler,), {"proxy": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        """End serving, and end every disturbance."""
        for one in self.disturbances:
            one.end()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def add(self, disturbance: Disturbance) -> None:
        """Let it act on every call from now on."""
        self.disturbances.append(disturbance)

    def refuse(self, action: str, code: str, times: int = 1) -> None:
        """Answer the next calls of an action with this error, without making them."""
        self.add(Refusal(action, code, times))

    def drop_reply(self, action: str, times: int = 1) -> None:
        """Make the next calls of an action, and close the connection before the answer."""
        self.add(LostReply(action, times))

    @property
    def changing(self) -> dict[str, int]:
        """The calls that change something, by action."""
        return {name: count for name, count in self.calls.items() if not name.partition(":")[2].startswith(_READING)}

    def forget(self) -> None:
        """Count from zero again."""
        self.calls.clear()

    def answer(self, call: Call, forward: Callable[[], Answer]) -> Answer | None:
        """What the caller gets; None where the connection is closed instead."""
        with self._lock:
            self.calls[call.name] += 1
            disturbances = tuple(self.disturbances)
        for one in disturbances:
            if (refusal := one.before(call)) is not None:
                return refusal
        answer: Answer | None = self._made_once(call, forward)
        for one in disturbances:
            answer = one.after(call, answer) if answer is not None else None
        return answer

    def rewritten(self, call: Call, body: bytes) -> bytes:
        """The body with which a call is made."""
        for one in self.disturbances:
            body = one.rewritten(call, body)
        return body

    def _made_once(self, call: Call, forward: Callable[[], Answer]) -> Answer:
        """The answer to the first call with this token; calls without one are made each time."""
        if not call.token:
            return forward()
        key = (call.name, call.token)
        with self._lock:
            turn = self._busy.setdefault(key, threading.Lock())
        with turn:
            if key not in self._answers:
                answer = forward()
                if not answer.is_good:
                    return answer
                self._answers[key] = answer
            return self._answers[key]


class _Handler(BaseHTTPRequestHandler):
    proxy: ClassVar[Proxy]
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        call = read_call(self.command, self.path, dict(self.headers.items()), body)
        self.proxy.requests.add((call.service, self.command, self.path))
        answer = self.proxy.answer(call, lambda: self._forward(self.proxy.rewritten(call, body)))
        if answer is None:
            self.close_connection = True
            self.connection.close()
            return
        try:
            self._send(answer)
        except (BrokenPipeError, ConnectionResetError):
            # The caller was killed while it waited.
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = _serve  # noqa: N815 - the names are the library's

    def _forward(self, body: bytes) -> Answer:
        connection = http.client.HTTPConnection(urlsplit(self.proxy.target).netloc, timeout=60)
        try:
            own = {"connection", "content-length"}
            headers = {name: value for name, value in self.headers.items() if name.lower() not in own}
            connection.request(self.command, self.path, body=body, headers=headers)
            response = connection.getresponse()
            return Answer(response.status, tuple(response.getheaders()), response.read())
        finally:
            connection.close()

    def _send(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            if name.lower() not in {"connection", "transfer-encoding", "content-length"}:
                self.send_header(name, value)
        if self.command == "HEAD":
            length = next((value for name, value in answer.headers if name.lower() == "content-length"), "0")
            self.send_header("Content-Length", length)
            self.end_headers()
            return
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
