"""A fake API server for every cluster of a test: it keeps objects as they are put, each cluster's apart, and counts.

It takes a request only with a token of EKS's form. It has no schemas, defaults, controllers, versions of objects,
rights or namespaces that must exist first; nothing that is put here ever runs.
"""

from __future__ import annotations

import base64
import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.engine.double.kubernetes import CLUSTER_HEADER

_PREFIX = "Bearer k8s-aws-v1."


class FakeKubernetes:
    """The server, with `objects` by cluster and path, and `calls` by method."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.calls: Counter[str] = Counter()
        self._dead: set[str] = set()
        self._lock = threading.Lock()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                fake._answer(self)

            do_PUT = do_DELETE = do_GET  # noqa: N815

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def start(self) -> str:
        """Serve, and give the address."""
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        """End."""
        self._server.shutdown()
        self._server.server_close()

    @property
    def cluster(self) -> str:
        """The one cluster that there is."""
        (name,) = self.objects
        return name

    def paths(self) -> set[str]:
        """Where the objects of the one cluster are."""
        return set(self.objects[self.cluster])

    def unplug(self) -> None:
        """The one cluster answers no more; what was in it is lost."""
        self._dead.add(self.cluster)
        del self.objects[self.cluster]

    def forget(self) -> None:
        """Count from nothing."""
        self.calls.clear()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        cluster, length = request.headers[CLUSTER_HEADER], int(request.headers.get("Content-Length") or 0)
        body = request.rfile.read(length)
        if cluster in self._dead:
            request.close_connection = True
            return
        if not _is_token(request.headers.get("Authorization") or ""):
            request.send_error(401)
            return
        with self._lock:
            self.calls[request.command] += 1
            there = self.objects.setdefault(cluster, {})
            if request.command == "PUT":
                there[request.path] = json.loads(body)
            found = there.get(request.path)
            if request.command == "DELETE":
                there.pop(request.path, None)
        if found is None:
            request.send_error(404)
            return
        text = json.dumps(found).encode()
        request.send_response(200)
        request.send_header("Content-Length", str(len(text)))
        request.end_headers()
        request.wfile.write(text)


def _is_token(header: str) -> bool:
    if not header.startswith(_PREFIX):
        return False
    body = header.removeprefix(_PREFIX)
    url = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode()
    return "Action=GetCallerIdentity" in url and "x-k8s-aws-id" in url
