"""A double of `pulumi-resource-aws`: the provider protocol in front of a table of resource types that call moto.

It does what the suite needs of the real provider: names where none is given, replaces where the cloud can't change in
place, reads what is there for `refresh`, and says that a thing is gone. It does not check inputs, never waits or
paginates, retries only as boto does, computes nothing in a preview, and knows only the types of its table. What passes
here says nothing about the real provider's own mistakes.
"""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

import grpc
from botocore.exceptions import BotoCoreError, ClientError
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from tests.engine.double.cloud import Cloud
from tests.engine.double.kind import HalfMadeError
from tests.engine.double.serving import NONE, SOME, ProviderDouble
from tests.engine.double.table import INVOKES, KINDS
from tests.engine.wire import plain, struct

if TYPE_CHECKING:
    from tests.engine.double.kind import Kind
    from tests.engine.wire import Properties

SLOW_VARIABLE = "LEPTONCTL_DOUBLE_SLOW"
"""JSON: by resource type, how many seconds the double waits between making a thing and saying so."""
CRASH_VARIABLE = "LEPTONCTL_DOUBLE_CRASH"
"""The resource, by its name in the program, after whose making the double dies without an answer."""
_SLOW: dict[str, float] = json.loads(os.environ.get(SLOW_VARIABLE, "{}"))


class AwsDouble(ProviderDouble):
    """The calls that the engine makes of a provider."""

    version = "7.51.1"

    def __init__(self) -> None:
        super().__init__()
        self.cloud = Cloud(region="us-east-1", default_tags={})

    def DiffConfig(self, request: Any, _context: Any) -> Any:  # noqa: N802 - the names are the protocol's, here and below
        is_same = plain(request.olds) == plain(request.news)
        return provider_pb2.DiffResponse(changes=NONE if is_same else SOME)

    def Configure(self, request: Any, _context: Any) -> Any:  # noqa: N802
        settings = {name: _parsed(value) for name, value in plain(request.args).items()}
        tags = (settings.get("defaultTags") or {}).get("tags") or {}
        self.cloud = Cloud(
            region=settings.get("region") or os.environ.get("AWS_REGION", "us-east-1"), default_tags=tags
        )
        return provider_pb2.ConfigureResponse(acceptSecrets=False, supportsPreview=True)

    def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        inputs, olds = plain(request.news), plain(request.olds)
        kind = _kind(request.urn, context)
        for name, length in kind.autonamed.items():
            if inputs.get(name) is None and inputs.get(f"{name}Prefix") is None:
                seed = request.randomSeed.hex()[:7] or os.urandom(4).hex()[:7]
                inputs[name] = olds.get(name) or f"{_name(request.urn)[:length]}-{seed}"
        return provider_pb2.CheckResponse(inputs=struct(inputs))

    def Diff(self, request: Any, context: Any) -> Any:  # noqa: N802
        kind = _kind(request.urn, context)
        olds, news = plain(request.old_inputs), plain(request.news)
        changed = [name for name in sorted(olds.keys() | news.keys()) if olds.get(name) != news.get(name)]
        changed = [name for name in changed if not name.startswith("__") and name not in kind.ignored]
        replaces = [name for name in changed if name in kind.replaces]
        return provider_pb2.DiffResponse(
            changes=SOME if changed else NONE,
            diffs=changed,
            replaces=replaces,
            deleteBeforeReplace=bool(replaces) and kind.is_deleted_before_replaced,
        )

    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802
        inputs = plain(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(id="", properties=struct(inputs))
        kind = _kind(request.urn, context)
        self.busy["creating"] += 1
        try:
            return self._created(request.urn, kind, inputs, context)
        finally:
            self.busy["creating"] -= 1

    def _created(self, urn: str, kind: Kind, inputs: Properties, context: Any) -> Any:
        cloud = self.cloud.at(inputs.get("region"))
        made = _called(context, f"creating {_name(urn)}", lambda: _made(kind, cloud, inputs))
        if os.environ.get(CRASH_VARIABLE) == _name(urn):
            os._exit(2)
        # A machine is there long before the provider says so: a test may stretch that time to do harm in it.
        time.sleep(_SLOW.get(_token(urn), 0))
        try:
            there = kind.read(cloud, made, inputs)
        except (ClientError, BotoCoreError):
            # It is there, and must not be lost. The real provider says besides that it is only half-made.
            there = None
        return provider_pb2.CreateResponse(id=made, properties=struct(_whole_of(kind, there or {}, inputs)))

    def Read(self, request: Any, context: Any) -> Any:  # noqa: N802
        kind = _kind(request.urn, context)
        olds, inputs = plain(request.properties), plain(request.inputs)
        cloud = self.cloud.at(olds.get("region"))
        there = _called(context, f"reading {request.id}", lambda: kind.read(cloud, request.id, olds or inputs))
        if there is None:
            return provider_pb2.ReadResponse(id="")
        # An import has no inputs yet: what is there, as far as it can be given, becomes them.
        now = {name: there.get(name, value) for name, value in inputs.items()} or kind.importable(there)
        for name in kind.partly & now.keys():
            now[name] = {key: value for key, value in now[name].items() if key in inputs.get(name, now[name])}
        return provider_pb2.ReadResponse(
            id=request.id, properties=struct({**olds, **_whole_of(kind, there, now)}), inputs=struct(now)
        )

    def Update(self, request: Any, context: Any) -> Any:  # noqa: N802
        olds, news = plain(request.olds), plain(request.news)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=struct({**olds, **news}))
        kind = _kind(request.urn, context)
        cloud = self.cloud.at(olds.get("region"))
        _called(context, f"updating {request.id}", lambda: kind.update(cloud, request.id, olds, news))
        there = _called(context, f"reading {request.id}", lambda: kind.read(cloud, request.id, news))
        return provider_pb2.UpdateResponse(properties=struct({**olds, **_whole_of(kind, there or {}, news)}))

    def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802
        kind, olds = _kind(request.urn, context), plain(request.properties)
        cloud = self.cloud.at(olds.get("region"))
        _called(context, f"deleting {request.id}", lambda: kind.delete(cloud, request.id, olds))
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:  # noqa: N802
        answer = INVOKES.get(request.tok)
        if answer is None:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"the double has no function {request.tok}")
        assert answer is not None
        arguments = plain(request.args)
        found = _called(context, f"invoking {request.tok}", lambda: answer(self.cloud, arguments))
        return provider_pb2.InvokeResponse(**{"return": struct(found)})


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
