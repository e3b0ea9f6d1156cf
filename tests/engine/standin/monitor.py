"""The stand-in's side of a program: the services that the program registers its resources with, and logs to."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, resource_pb2, resource_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.engine.standin.deployment import Operation
    from tests.engine.standin.events import EventLog


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """What the program registers with. `failed` is whether anything could not be made."""

    def __init__(self, operation: Operation) -> None:
        self.failed = False
        self._operation = operation
        self._begun = 0
        self._is_over = False
        self._ended = threading.Condition()

    def end(self) -> None:
        """Return when nothing is being registered; what a program that has failed still sends is not begun."""
        with self._ended:
            self._ended.wait_for(lambda: self._begun == 0)
            self._is_over = True

    @contextmanager
    def _one_more(self, context: Any) -> Iterator[None]:
        with self._ended:
            if self._is_over:
                context.abort(grpc.StatusCode.UNKNOWN, "the operation has ended")
            self._begun += 1
        try:
            yield
        finally:
            with self._ended:
                self._begun -= 1
                self._ended.notify_all()

    def SupportsFeature(self, request: Any, _context: Any) -> Any:  # noqa: N802 - the names are the protocol's
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id == "secrets")

    def RegisterResource(self, request: Any, context: Any) -> Any:  # noqa: N802
        try:
            with self._one_more(context):
                return self._registered(request)
        except grpc.RpcError as error:
            context.abort(grpc.StatusCode.UNKNOWN, f"{request.name}: {error.details()}")

    def _registered(self, request: Any) -> Any:
        try:
            return self._operation.register(request)
        except grpc.RpcError as error:
            self.failed = True
            self._operation.failed(request, str(error.details()))
            raise

    def RegisterResourceOutputs(self, request: Any, _context: Any) -> Any:  # noqa: N802
        self._operation.outputs(request)
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:  # noqa: N802
        try:
            found = self._operation.invoke(request)
        except grpc.RpcError as error:
            self.failed = True
            self._operation.error(str(error.details()))
            context.abort(grpc.StatusCode.UNKNOWN, str(error.details()))
        return resource_pb2.ResourceInvokeResponse(**{"return": found})

    def SignalAndWaitForShutdown(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()


class Engine(engine_pb2_grpc.EngineServicer):
    """What the program logs to."""

    def __init__(self, events: EventLog) -> None:
        self._events = events
        self._root = ""

    def Log(self, request: Any, _context: Any) -> Any:  # noqa: N802
        if request.severity == engine_pb2.ERROR:
            self._events.error(request.message, request.urn)
        return empty_pb2.Empty()

    def GetRootResource(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        return engine_pb2.GetRootResourceResponse(urn=self._root)

    def SetRootResource(self, request: Any, _context: Any) -> Any:  # noqa: N802
        self._root = request.urn
        return engine_pb2.SetRootResourceResponse()
