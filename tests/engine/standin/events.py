"""The stand-in's event log: JSON texts, streamed to where the SDK listens."""

from __future__ import annotations

import json
import queue
import threading
import time
from typing import TYPE_CHECKING, Any

import grpc
from pulumi.runtime.proto import events_pb2, events_pb2_grpc

from tests.engine.standin.stack import masked

if TYPE_CHECKING:
    from collections.abc import Iterator


class EventLog:
    """Where events go; nowhere, where nobody asked for them."""

    def __init__(self, address: str | None) -> None:
        self._waiting: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._thread: threading.Thread | None = None
        if address:
            channel = grpc.insecure_channel(address.removeprefix("tcp://"))
            stub = events_pb2_grpc.EventsStub(channel)
            self._thread = threading.Thread(target=lambda: stub.StreamEvents(self._stream()), daemon=True)
            self._thread.start()
        self.tell("preludeEvent", config={})

    def tell(self, kind: str, **content: Any) -> None:
        """One event."""
        self._waiting.put({"timestamp": int(time.time()), kind: content})

    def step(
        self,
        kind: str,
        operation: str,
        resource: dict[str, Any],
        *,
        diffs: list[str],
        is_dry: bool,
        old: dict[str, Any] | None = None,
    ) -> None:
        """A step of a resource: `resourcePreEvent` before it, `resOutputsEvent` after it; `old` is as it was before."""
        metadata = {
            "op": operation, "urn": resource["urn"], "type": resource["type"], "diffs": diffs,
            "provider": resource.get("provider") or "",
            "new" if operation != "delete" else "old": _state(resource),
        }  # fmt: skip
        if old is not None:
            metadata["old"] = _state(old)
        self.tell(kind, metadata=metadata, planning=is_dry)

    def error(self, message: str, urn: str = "") -> None:
        """Something that failed."""
        self.tell("diagnosticEvent", message=message, color="never", severity="error", urn=urn)

    def summary(self, counts: dict[str, int]) -> None:
        """What came of it all."""
        self.tell("summaryEvent", maybeCorrupt=False, durationSeconds=0, resourceChanges=counts, PolicyPacks={})
        self._waiting.put({"timestamp": int(time.time()), "cancelEvent": {}})

    def close(self) -> None:
        """Wait until all of it was taken."""
        self._waiting.put(None)
        if self._thread is not None:
            self._thread.join()

    def _stream(self) -> Iterator[Any]:
        number = 0
        while (event := self._waiting.get()) is not None:
            yield events_pb2.EventRequest(event=json.dumps({"sequence": number, **event}))
            number += 1


def _state(resource: dict[str, Any]) -> dict[str, Any]:
    plain = {name: resource.get(name) for name in ("type", "urn", "id", "parent", "provider", "custom", "protect")}
    return plain | {name: masked(resource.get(name) or {}) for name in ("inputs", "outputs")}
