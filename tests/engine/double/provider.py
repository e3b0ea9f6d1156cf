"""A double of `pulumi-resource-aws`: the provider protocol in front of a table of resource types that call moto.

It does what the suite needs of the real provider: names where none is given, replaces where the cloud can't change in
place, reads what is there for `refresh`, and says that a thing is gone. It does not check inputs, never waits, retries
or paginates, computes nothing in a preview, and knows only the types of its table. What passes here says nothing about
the real provider's own mistakes.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc
from botocore.exceptions import BotoCoreError, ClientError
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from tests.engine.double.cloud import Cloud
from tests.engine.double.kind import HalfMadeError
from tests.engine.double.table import INVOKES, KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.engine.double.kind import Kind

VERSION = "7.51.1"
SLOW_VARIABLE = "LEPTONCTL_DOUBLE_SLOW"
"""JSON: by resource type, how many seconds the double waits between making a thing and saying so."""
_SLOW: dict[str, float] = json.loads(os.environ.get(SLOW_VARIABLE, "{}"))
Properties = dict[str, Any]
_NONE, _SOME = provider_pb2.DiffResponse.DIFF_NONE, provider_pb2.DiffResponse.DIFF_SOME


class AwsDouble(provider_pb2_grpc.ResourceProviderServicer):
    """The calls that the engine makes of a provider. `busy` counts those that change something and are not done."""

    def __init__(self) -> None:
        self.busy = Counter[str]()
        self.cloud = Cloud(region="us-east-1", default_tags={})

    def Handshake(self, _request: Any, _context: Any) -> Any:  # noqa: N802 - the names are the protocol's, here and below
        return provider_pb2.ProviderHandshakeResponse()

    def GetPluginInfo(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        return plugin_pb2.PluginInfo(version=VERSION)

    def CheckConfig(self, request: Any, _context: Any) -> Any:  # noqa: N802
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, _context: Any) -> Any:  # noqa: N802
        is_same = _plain(request.olds) == _plain(request.news)
        return provider_pb2.DiffResponse(changes=_NONE if is_same else _SOME)

    def Configure(self, request: Any, _context: Any) -> Any:  # noqa: N802
        settings = {name: _parsed(value) for name, value in _plain(request.args).items()}
        tags = (settings.get("defaultTags") or {}).get("tags") or {}
        self.cloud = Cloud(
            region=settings.get("region") or os.environ.get("AWS_REGION", "us-east-1"), default_tags=tags
        )
        return provider_pb2.ConfigureResponse(acceptSecrets=False, supportsPreview=True)

    def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        inputs, olds = _plain(request.news), _plain(request.olds)
        kind = _kind(request.urn, context)
        for name, length in kind.autonamed.items():
            if inputs.get(name) is None and inputs.get(f"{name}Prefix") is None:
                seed = request.randomSeed.hex()[:7] or os.urandom(4).hex()[:7]
                inputs[name] = olds.get(name) or f"{_name(request.urn)[:length]}-{seed}"
        return provider_pb2.CheckResponse(inputs=_struct(inputs))

    def Diff(self, request: Any, context: Any) -> Any:  # noqa: N802
        kind = _kind(request.urn, context)
        olds, news = _plain(request.old_inputs), _plain(request.news)
        changed = [name for name in sorted(olds.keys() | news.keys()) if olds.get(name) != news.get(name)]
        changed = [name for name in changed if not name.startswith("__") and name not in kind.ignored]
        replaces = [name for name in changed if name in kind.replaces]
        return provider_pb2.DiffResponse(
            changes=_SOME if changed else _NONE,
            diffs=changed,
            replaces=replaces,
            deleteBeforeReplace=bool(replaces) and kind.is_deleted_before_replaced,
        )

    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802
        inputs = _plain(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(id="", properties=_struct(inputs))
        kind = _kind(request.urn, context)
        cloud = self.cloud.at(inputs.get("region"))
        self.busy["creating"] += 1
        made = _called(context, f"creating {_name(request.urn)}", lambda: _made(kind, cloud, inputs))
        # A machine is there long before the provider says so: a test may stretch that time to do harm in it.
        time.sleep(_SLOW.get(_token(request.urn), 0))
        try:
            there = kind.read(cloud, made, inputs)
        except (ClientError, BotoCoreError):
            # It is there, and must not be lost. The real provider says besides that it is only half-made.
            there = None
        self.busy["creating"] -= 1
        return provider_pb2.CreateResponse(id=made, properties=_struct(_whole_of(kind, there or {}, inputs)))

    def Read(self, request: Any, context: Any) -> Any:  # noqa: N802
        kind = _kind(request.urn, context)
        olds, inputs = _plain(request.properties), _plain(request.inputs)
        cloud = self.cloud.at(olds.get("region"))
        there = _called(context, f"reading {request.id}", lambda: kind.read(cloud, request.id, olds or inputs))
        if there is None:
            return provider_pb2.ReadResponse(id="")
        # An import has no inputs yet: what is there, as far as it can be given, becomes them.
        now = {name: there.get(name, value) for name, value in inputs.items()} or kind.importable(there)
        for name in kind.partly & now.keys():
            now[name] = {key: value for key, value in now[name].items() if key in inputs.get(name, now[name])}
        return provider_pb2.ReadResponse(
            id=request.id, properties=_struct({**olds, **_whole_of(kind, there, now)}), inputs=_struct(now)
        )

    def Update(self, request: Any, context: Any) -> Any:  # noqa: N802
        olds, news = _plain(request.olds), _plain(request.news)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=_struct({**olds, **news}))
        kind = _kind(request.urn, context)
        cloud = self.cloud.at(olds.get("region"))
        _called(context, f"updating {request.id}", lambda: kind.update(cloud, request.id, olds, news))
        there = _called(context, f"reading {request.id}", lambda: kind.read(cloud, request.id, news))
        return provider_pb2.UpdateResponse(properties=_struct({**olds, **_whole_of(kind, there or {}, news)}))

    def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802
        kind, olds = _kind(request.urn, context), _plain(request.properties)
        cloud = self.cloud.at(olds.get("region"))
        _called(context, f"deleting {request.id}", lambda: kind.delete(cloud, request.id, olds))
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:  # noqa: N802
        answer = INVOKES.get(request.tok)
        if answer is None:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"the double has no function {request.tok}")
        assert answer is not None
        arguments = _plain(request.args)
        found = _called(context, f"invoking {request.tok}", lambda: answer(self.cloud, arguments))
        return provider_pb2.InvokeResponse(**{"return": _struct(found)})

    def Cancel(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()


def serve(double: Any) -> None:
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


def _end_with(parent: int, double: Any) -> None:
    # The real provider lives on for as long as it creates; one that is idle has to go with its engine.
    while os.getppid() == parent or double.busy["creating"] > 0:
        time.sleep(0.2)
    os._exit(0)


def _token(urn: str) -> str:
    return urn.split("::")[2].rpartition("$")[2]


def _kind(urn: str, context: Any) -> Kind:
    token = _token(urn)
    kind = KINDS.get(token)
    if kind is None:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, f"the double has no resource type {token}")
    assert kind is not None
    return kind


def _made(kind: Kind, cloud: Cloud, inputs: Properties) -> str:
    """The id of what was made, also where only its first call was done: it must not be lost."""
    try:
        return kind.create(cloud, inputs)
    except HalfMadeError as half:
        return str(half)


def _whole_of(kind: Kind, there: Properties, inputs: Properties) -> Properties:
    """What was given over what is there; where that is a mapping of which a part is given, both."""
    both = {name: {**there[name], **inputs[name]} for name in kind.partly & there.keys() & inputs.keys()}
    return {**there, **inputs, **both}


def _called(context: Any, what: str, call: Any) -> Any:
    try:
        return call()
    except (ClientError, BotoCoreError, KeyError, TypeError, ValueError) as error:
        context.abort(grpc.StatusCode.UNKNOWN, f"{what}: {type(error).__name__}: {error}")


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def _parsed(value: Any) -> Any:
    """Configuration that is not text comes as JSON in text."""
    if isinstance(value, str) and value[:1] in {"{", "["}:
        return json.loads(value)
    return value


def _plain(struct: Any) -> Properties:
    found: Properties = _whole(json_format.MessageToDict(struct))
    return found


def _whole(value: Any) -> Any:
    """Numbers of a Struct are floating: those that are whole become so again."""
    if isinstance(value, dict):
        return {name: _whole(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    json_format.ParseDict(json.loads(json.dumps(values, default=str)), struct)
    return struct
