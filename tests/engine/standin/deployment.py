"""The stand-in's heart: runs the program, compares what it registers with the state, and has providers do the rest."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc
from pulumi.runtime.proto import (
    engine_pb2_grpc,
    language_pb2,
    language_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
)

from tests.engine.standin.monitor import Engine, Monitor
from tests.engine.standin.plugin import Plugin
from tests.engine.standin.stack import SECRET, SIGNATURE, is_secret, kept, shown
from tests.engine.wire import plain, struct

if TYPE_CHECKING:
    from tests.engine.standin.events import EventLog
    from tests.engine.standin.stack import StackFile

_STACK = "pulumi:pulumi:Stack"
_PROVIDERS = "pulumi:providers:"
_PATH = re.compile(r'^(\w+)\["(.+)"\]$')
Resource = dict[str, Any]


class Failed(Exception):
    """The operation failed; what was done until then is in the state."""


class Operation:
    """One operation on a stack. `counts` says how many resources had which step."""

    def __init__(self, stack: StackFile, events: EventLog, *, is_dry: bool) -> None:
        self.counts: Counter[str] = Counter()
        self._stack, self._events, self._is_dry = stack, events, is_dry
        self._olds: dict[str, Resource] = {one["urn"]: one for one in stack.read().get("resources") or ()}
        self._news: dict[str, Resource] = {}
        self._begun: dict[str, Resource] = {}
        self._replaced: list[Resource] = []
        self._plugins: dict[str, Plugin] = {}
        self._lock = threading.RLock()

    def state(self) -> dict[str, Any]:
        """The state as it is now: what was come to, then what was not."""
        left = [one for urn, one in self._olds.items() if urn not in self._news]
        return {"resources": [*self._news.values(), *left]}

    def end(self) -> None:
        """End the providers."""
        for plugin in self._plugins.values():
            if not plugin.close():
                self._events.error(f"Detected that {plugin.program} exited prematurely.")

    def refresh(self, *, is_told: bool) -> None:
        """Read everything; what is gone leaves the state. Tells of each what came of it, where that was asked for."""
        olds = [one for one in self._olds.values() if _is_of_cloud(one)]
        with ThreadPoolExecutor(max_workers=16) as pool:
            found = list(pool.map(self._read, olds))
            if is_told:
                list(pool.map(self._tell_read, olds, found))
        for old, new in zip(olds, found, strict=True):
            if new is None:
                del self._olds[old["urn"]]
            else:
                self._olds[old["urn"]] = new

    def _read(self, old: Resource) -> Resource | None:
        made, outputs, inputs = self._plugin(old["urn"], old.get("provider", "")).read(_open(old))
        if not made:
            return None
        secret = {name for name, value in old["inputs"].items() if is_secret(value)}
        inputs = {name: old["inputs"][name] if name in secret else value for name, value in inputs.items()}
        return {**old, "outputs": outputs, "inputs": inputs}

    def _tell_read(self, old: Resource, new: Resource | None) -> None:
        """As the engine does it: what an update would change that wants what the state had."""
        urn = old["urn"]
        diffs: list[str] = []
        self._events.step("resourcePreEvent", "refresh", old, diffs=[], is_dry=self._is_dry, old=old)
        if new is not None:
            plugin = self._plugin(urn, old.get("provider", ""))
            diffs, _, _ = plugin.diff(urn, _open(new), _open(old)["inputs"])
        operation = "delete" if new is None else "update" if diffs else "same"
        self._events.step("resOutputsEvent", operation, new or old, diffs=diffs, is_dry=self._is_dry, old=old)

    def run_program(self, client: str, *, kept: set[str]) -> None:
        """Have the program register everything, then delete what it did not name, but for `kept` and its parents."""
        server = grpc.server(ThreadPoolExecutor(max_workers=64))
        monitor = Monitor(self)
        resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, server)
        engine_pb2_grpc.add_EngineServicer_to_server(Engine(self._events), server)
        address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        language: Any = language_pb2_grpc.LanguageRuntimeStub(grpc.insecure_channel(client))
        request = language_pb2.RunRequest(
            project=self._stack.project, stack=self._stack.name, args=[address], monitor_address=address,
            dryRun=self._is_dry, parallel=16, organization="organization",
        )  # fmt: skip
        try:
            error = str(language.Run(request).error)
        except grpc.RpcError as lost:
            # The SDK ends the tasks of a program that has failed, and is thrown out by what one of them throws.
            error = f"the program was thrown out: {lost.details()}"
        # What was begun comes to its end, also after something else has failed.
        monitor.end()
        server.stop(0)
        if error or monitor.failed:
            raise Failed(error or "a resource failed")
        for old in reversed(self._replaced):
            self._delete(old, "delete-replaced")
        stays = self._with_what_they_need(kept & self._olds.keys())
        gone = [urn for urn in self._olds if urn not in self._news and urn not in stays]
        protected = [urn for urn in gone if self._olds[urn].get("protect")]
        if protected:
            raise Failed(f"resource {min(protected)} cannot be deleted because it is protected")
        for urn in reversed(gone):
            self._delete(self._olds[urn], "delete")
            if not self._is_dry:
                del self._olds[urn]

    def destroy(self, *, exclude_protected: bool) -> None:
        """Delete everything, last made first; what is protected stays, with all that it stands on."""
        stays = {urn for urn, one in self._olds.items() if one.get("protect")}
        if stays and not exclude_protected:
            raise Failed(f"resource {min(stays)} cannot be deleted because it is protected")
        stays = self._with_what_they_need(stays)
        for urn in reversed(list(self._olds)):
            if urn not in stays:
                self._delete(self._olds[urn], "delete")
                del self._olds[urn]

    def _with_what_they_need(self, urns: set[str]) -> set[str]:
        """These, and all that they stand on: parents, providers, dependencies."""
        stays, waiting = set(urns), list(urns)
        while waiting:
            one = self._olds[waiting.pop()]
            needs = {*one.get("dependencies", ()), one.get("parent"), (one.get("provider") or "").rpartition("::")[0]}
            found = {urn for urn in needs if urn in self._olds} - stays
            stays |= found
            waiting += found
        return stays

    def register(self, request: Any) -> Any:
        """Make a resource what the program wants it to be."""
        urn = self._urn(request)
        inputs = plain(request.object)
        resource: Resource = {
            "urn": urn, "custom": request.custom, "type": request.type, "inputs": kept(inputs), "outputs": {},
            "parent": request.parent, "protect": request.protect, "dependencies": list(request.dependencies),
            "provider": request.provider,
        }  # fmt: skip
        old = self._olds.get(urn)
        if not _is_of_cloud(resource):
            if request.custom:
                resource["id"] = (old or {}).get("id") or "provider"
            return self._settle("same" if old else "create", resource, old)
        secret = {name for name, value in inputs.items() if is_secret(value)}
        wanted = shown(inputs)
        before = _open(old) if old else None
        for path in request.ignoreChanges if before else ():
            _ignore(path, wanted, (before or {}).get("inputs", {}))
        checked = self._plugin(urn, request.provider).check(urn, (before or {}).get("inputs", {}), wanted)
        resource["inputs"] = {
            name: kept(_wrapped(value)) if name in secret else value for name, value in checked.items()
        }
        self._begun[urn] = resource
        operation, diffs = self._make(resource, before, checked, is_first=request.deleteBeforeReplace)
        resource["outputs"] = {
            name: kept(_wrapped(value)) if name in secret else value for name, value in resource["outputs"].items()
        }
        return self._settle(operation, resource, old, diffs)

    def _make(
        self, resource: Resource, old: Resource | None, inputs: dict[str, Any], *, is_first: bool
    ) -> tuple[str, list[str]]:
        urn, plugin = resource["urn"], self._plugin(resource["urn"], resource["provider"])
        diffs, replaces, goes_first = plugin.diff(urn, old, inputs) if old else ([], [], False)
        operation = "create" if old is None else "replace" if replaces else "update" if diffs else "same"
        last = self._olds.get(urn)
        self._events.step("resourcePreEvent", operation, resource, diffs=diffs, is_dry=self._is_dry, old=last)
        if old is not None and operation in {"same", "update"}:
            resource["id"] = old["id"]
            is_same = operation == "same"
            resource["outputs"] = old["outputs"] if is_same else plugin.update(urn, old, inputs, is_dry=self._is_dry)
            return operation, diffs
        if operation == "replace" and (goes_first or is_first):
            self._delete(self._olds[urn], "delete-replaced")
        elif operation == "replace":
            self._replaced.append(self._olds[urn])
        resource["id"], resource["outputs"] = plugin.create(urn, inputs, is_dry=self._is_dry)
        return operation, diffs

    def _settle(self, operation: str, resource: Resource, old: Resource | None, diffs: list[str] | None = None) -> Any:
        if not _is_of_cloud(resource):
            resource["outputs"] = (old or {}).get("outputs") or resource["outputs"]
            self._events.step("resourcePreEvent", operation, resource, diffs=[], is_dry=self._is_dry)
        with self._lock:
            self._news[resource["urn"]] = resource
            self.counts[operation] += 1
            if not self._is_dry:
                self._stack.write(self.state())
        if _is_of_cloud(resource):
            self._events.step("resOutputsEvent", operation, resource, diffs=diffs or [], is_dry=self._is_dry)
        told = {name: _wrapped(shown(value)) if is_secret(value) else value
                for name, value in resource["outputs"].items()}  # fmt: skip
        return resource_pb2.RegisterResourceResponse(
            urn=resource["urn"], id=resource.get("id") or "", object=struct(told if _is_of_cloud(resource) else {})
        )

    def outputs(self, request: Any) -> None:
        """Keep what a component, or the stack, exports."""
        resource = self._news[request.urn]
        resource["outputs"] = kept(plain(request.outputs))
        self._events.step("resOutputsEvent", "same", resource, diffs=[], is_dry=self._is_dry)

    def invoke(self, request: Any) -> Any:
        """Ask a provider."""
        return self._plugin(f"::::{request.tok}").invoke(request.tok, request.args)

    def failed(self, request: Any, message: str) -> None:
        """Tell that a resource could not be made, or changed."""
        urn = self._urn(request)
        self._events.error(message, urn)
        begun = self._begun.get(urn)
        if begun is not None:
            self._events.step("resOpFailedEvent", "update" if urn in self._olds else "create", begun, diffs=[],
                              is_dry=self._is_dry)  # fmt: skip

    def error(self, message: str) -> None:
        """Tell that something failed that belongs to no resource."""
        self._events.error(message)

    def _delete(self, old: Resource, operation: str) -> None:
        self._events.step("resourcePreEvent", operation, old, diffs=[], is_dry=self._is_dry)
        if _is_of_cloud(old) and not self._is_dry:
            try:
                self._plugin(old["urn"], old.get("provider", "")).delete(_open(old))
            except grpc.RpcError as error:
                raise Failed(str(error.details())) from error
        self.counts[operation] += 1
        self._events.step("resOutputsEvent", operation, old, diffs=[], is_dry=self._is_dry)

    def _plugin(self, urn: str, provider: str = "") -> Plugin:
        """The plug-in of a resource, with the settings of its provider where the program made it one of its own."""
        package = urn.split("::")[2].rpartition("$")[2].partition(":")[0]
        own = provider.rpartition("::")[0]
        with self._lock:
            made = self._news.get(own) or self._olds.get(own)
            settings = shown(made["inputs"]) if made else {}
            key = json.dumps([package, settings], sort_keys=True)
            if key not in self._plugins:
                self._plugins[key] = Plugin(package, settings)
            return self._plugins[key]

    def _urn(self, request: Any) -> str:
        above = request.parent.split("::")[2] if request.parent else ""
        types = f"{above}${request.type}" if above and above != _STACK else request.type
        return f"urn:pulumi:{self._stack.name}::{self._stack.project}::{types}::{request.name}"


def _is_of_cloud(resource: Resource) -> bool:
    return bool(resource.get("custom")) and not resource["type"].startswith(_PROVIDERS)


def _open(resource: Resource) -> Resource:
    return {**resource, "inputs": shown(resource["inputs"]), "outputs": shown(resource["outputs"])}


def _wrapped(value: Any) -> Any:
    return {SIGNATURE: SECRET, "value": value}


def _ignore(path: str, wanted: dict[str, Any], olds: dict[str, Any]) -> None:
    """Put the old value in place of the wanted one, at `name` or at `name["key"]`."""
    inner = _PATH.match(path)
    target, source, name = (wanted, olds, path)
    if inner:
        target, source, name = wanted.get(inner[1]) or {}, olds.get(inner[1]) or {}, inner[2]
    if name in source:
        target[name] = source[name]
    else:
        target.pop(name, None)
