"""The stand-in's side of a provider: starts the plug-in that is found on PATH, and talks to it."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from tests.engine.wire import plain, struct


class Plugin:
    """A provider that runs."""

    def __init__(self, package: str, settings: dict[str, Any]) -> None:
        program = shutil.which(f"pulumi-resource-{package}")
        assert program is not None, f"no pulumi-resource-{package} on PATH"
        self.program = program
        self._process = subprocess.Popen([program, "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        port = self._process.stdout.readline().strip()
        self._stub: Any = provider_pb2_grpc.ResourceProviderStub(grpc.insecure_channel(f"127.0.0.1:{port}"))
        arguments = {name: value if isinstance(value, str) else json.dumps(value) for name, value in settings.items()}
        self._stub.Configure(provider_pb2.ConfigureRequest(args=struct(arguments), acceptSecrets=False))

    def check(self, urn: str, olds: dict[str, Any], news: dict[str, Any]) -> dict[str, Any]:
        request = provider_pb2.CheckRequest(urn=urn, olds=struct(olds), news=struct(news))
        return plain(self._stub.Check(request).inputs)

    def diff(self, urn: str, old: dict[str, Any], news: dict[str, Any]) -> tuple[list[str], list[str], bool]:
        """What differs, what of it needs a new one, and whether the old one goes first."""
        answer = self._stub.Diff(
            provider_pb2.DiffRequest(
                id=old["id"], urn=urn, olds=struct(old["outputs"]), old_inputs=struct(old["inputs"]), news=struct(news)
            )
        )
        return list(answer.diffs), list(answer.replaces), answer.deleteBeforeReplace

    def create(self, urn: str, inputs: dict[str, Any], *, is_dry: bool) -> tuple[str, dict[str, Any]]:
        answer = self._stub.Create(provider_pb2.CreateRequest(urn=urn, properties=struct(inputs), preview=is_dry))
        return answer.id, plain(answer.properties)

    def update(self, urn: str, old: dict[str, Any], news: dict[str, Any], *, is_dry: bool) -> dict[str, Any]:
        request = provider_pb2.UpdateRequest(
            id=old["id"], urn=urn, olds=struct(old["outputs"]), old_inputs=struct(old["inputs"]), news=struct(news),
            preview=is_dry,
        )  # fmt: skip
        return plain(self._stub.Update(request).properties)

    def read(self, old: dict[str, Any]) -> tuple[str, dict[str, Any], dict[str, Any]]:
        """The id ("" where it is gone), the outputs and the inputs of what is there."""
        answer = self._stub.Read(
            provider_pb2.ReadRequest(
                id=old["id"], urn=old["urn"], properties=struct(old["outputs"]), inputs=struct(old["inputs"])
            )
        )
        return answer.id, plain(answer.properties), plain(answer.inputs)

    def delete(self, old: dict[str, Any]) -> None:
        request = provider_pb2.DeleteRequest(
            id=old["id"], urn=old["urn"], properties=struct(old["outputs"]), old_inputs=struct(old["inputs"])
        )
        self._stub.Delete(request)

    def invoke(self, token: str, arguments: Any) -> Any:
        return getattr(self._stub.Invoke(provider_pb2.InvokeRequest(tok=token, args=arguments)), "return")

    def close(self) -> bool:
        """End it; False where it had ended already."""
        is_alive = self._process.poll() is None
        if is_alive:
            self._stub.Cancel(empty_pb2.Empty())
            self._process.terminate()
        self._process.wait()
        return is_alive
