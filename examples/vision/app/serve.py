"""Serves the model: POST /predict with {"image": [64 numbers from 0 to 1]} gives {"digit": ..., "replica": ...}.

Usage: serve.py MODEL PORT NAME. GET /ready answers as soon as it serves.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from network import SIZE, answer


class Predict(BaseHTTPRequestHandler):
    """One connection, kept open from request to request."""

    protocol_version = "HTTP/1.1"
    # An answer is one small packet: it is not held back for a second one.
    disable_nagle_algorithm = True
    wbufsize = -1
    weights: dict[str, np.ndarray]
    name: str

    def do_GET(self) -> None:
        """Whether it serves."""
        self._say(200 if self.path == "/ready" else 404, {"replica": self.name})

    def do_POST(self) -> None:
        """One image."""
        try:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            image = np.asarray(asked["image"], dtype=np.float32).reshape(1, SIZE, SIZE)
        except (ValueError, KeyError, TypeError):
            self._say(400, {"error": f"send an image of {SIZE * SIZE} numbers"})
            return
        self._say(200, {"digit": int(answer(self.weights, image).argmax()), "replica": self.name})

    def _say(self, status: int, content: dict[str, object]) -> None:
        text = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_arguments: object) -> None:
        """Nothing: a line for each request would be most of the work."""


if __name__ == "__main__":
    model, port, Predict.name = sys.argv[1:]
    with np.load(Path(model)) as found:
        Predict.weights = dict(found)
    ThreadingHTTPServer(("0.0.0.0", int(port)), Predict).serve_forever()  # noqa: S104 - it is there to be asked
