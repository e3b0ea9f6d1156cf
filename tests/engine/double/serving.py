"""What every provider double has: the calls that say who it is, and how it is served to the engine and ends with it."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

NONE, SOME = provider_pb2.DiffResponse.DIFF_NONE, provider_pb2.DiffResponse.DIFF_SOME


class ProviderDouble(provider_pb2_grpc.ResourceProviderServicer):
    """A provider. `busy` counts the calls that change something and are not done."""

    version: ClassVar[str]

    def __init__(self) -> None:
        self.busy = Counter[str]()

    def Handshake(self, _request: Any, _context: Any) -> Any:  # noqa: N802 - the names are the protocol's, here and below
        return provider_pb2.ProviderHandshakeResponse()

    def GetPluginInfo(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        return plugin_pb2.PluginInfo(version=self.version)

    def CheckConfig(self, request: Any, _context: Any) -> Any:  # noqa: N802
        return provider_pb2.CheckResponse(inputs=request.news)

    def Cancel(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()


def serve(double: ProviderDouble) -> None:
    """Serve a double on a free port, print the port as the engine expects it, and end with the engine."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    server = grpc.server(ThreadPoolExecutor(max_workers=16))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(double, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    threading.Thread(target=_end_with, args=(os.getppid(), double), daemon=True).start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    server.wait_for_termination()


def _end_with(parent: int, double: ProviderDouble) -> None:
    # The real provider lives on for as long as it creates; one that is idle has to go with its engine.
    while os.getppid() == parent or double.busy["creating"] > 0:
        time.sleep(0.2)
    os._exit(0)
