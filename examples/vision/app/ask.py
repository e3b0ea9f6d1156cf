"""Asks a model's /predict from a host, again and again, and prints as JSON how it went.

Usage: ask.py URL IMAGES COUNT AT_ONCE [SECONDS]   stops after COUNT requests, or after SECONDS where they are given
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
import urllib.parse
from pathlib import Path


class Client:
    """One connection that asks in turn; a request without an answer is lost, and never asked again."""

    def __init__(self, netloc: str, images: list[list[float]], labels: list[int]) -> None:
        self.netloc, self.images, self.labels = netloc, images, labels
        self.took_s: list[float] = []
        self.right = self.lost = 0
        self.replicas: dict[str, int] = {}

    def run(self, count: int, until: float) -> None:
        """Ask `count` times, or until a moment."""
        connection = http.client.HTTPConnection(self.netloc, timeout=30)
        for number in range(count):
            if time.monotonic() > until:
                break
            at = number % len(self.images)
            begun = time.monotonic()
            try:
                connection.request("POST", "/predict", json.dumps({"image": self.images[at]}))
                answer = connection.getresponse()
                said = json.loads(answer.read())
                is_answered = answer.status == http.client.OK
            except (OSError, http.client.HTTPException, ValueError):
                connection.close()
                is_answered = False
            if not is_answered:
                self.lost += 1
                continue
            self.took_s.append(time.monotonic() - begun)
            self.right += said["digit"] == self.labels[at]
            self.replicas[said["replica"]] = self.replicas.get(said["replica"], 0) + 1
        connection.close()


def main(url: str, images: str, count: str, at_once: str, seconds: str = "600") -> None:
    """Ask, and tell."""
    held = json.loads(Path(images).read_text())
    netloc = urllib.parse.urlsplit(url).netloc
    clients = [Client(netloc, held["images"], held["labels"]) for _ in range(int(at_once))]
    begun = time.monotonic()
    threads = [threading.Thread(target=one.run, args=(int(count), begun + float(seconds))) for one in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall = time.monotonic() - begun
    took = sorted(took for one in clients for took in one.took_s)
    replicas: dict[str, int] = {}
    for one in clients:
        for name, number in one.replicas.items():
            replicas[name] = replicas.get(name, 0) + number
    answered = len(took)
    told = {
        "answered": answered,
        "lost": sum(one.lost for one in clients),
        "right": sum(one.right for one in clients),
        "per_s": round(answered / wall, 1),
        "median_ms": round(took[answered // 2] * 1000, 2) if took else None,
        "p99_ms": round(took[answered * 99 // 100] * 1000, 2) if took else None,
        "replicas": replicas,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
