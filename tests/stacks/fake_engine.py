"""A fake of the Pulumi engine: it keeps what a program registers and answers with ids. It checks no schema of AWS."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.runtime import mocks as pulumi_mocks
from pulumi.runtime import set_mocks
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.settings import get_root_resource, set_root_resource
from pulumi.runtime.stack import Stack, run_pulumi_func

from leptonctl.planning.aws import completed
from leptonctl.planning.aws_types import LocationSecrets, PublicKeys

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from leptonctl.planning.aws_types import LocationArgs, LocationOutputs


@dataclass(frozen=True, slots=True)
class Registered:
    type: str
    name: str
    parent: str
    inputs: dict[str, Any]
    is_protected: bool
    ignored_changes: tuple[str, ...]


class RecordingMonitor(MockMonitor):
    """Keeps what the mocks are not told: parent, protection, ignored changes."""

    def __init__(self, mocks: pulumi_mocks.Mocks) -> None:
        super().__init__(mocks)
        self.requests: list[Any] = []

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - named by gRPC
        self.requests.append(request)
        with own_loop():
            return super().RegisterResource(request)  # type: ignore[no-untyped-call]

    def Invoke(self, request: Any) -> Any:  # noqa: N802 - named by gRPC
        with own_loop():
            return super().Invoke(request)  # type: ignore[no-untyped-call]


@contextmanager
def own_loop() -> Iterator[None]:
    """An event loop for the thread, closed in the end: the SDK's mocks make one in each thread and leave it open."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        yield
    finally:
        asyncio.set_event_loop(None)
        loop.close()


@dataclass
class FakeEngine(pulumi_mocks.Mocks):
    registered: list[Registered] = field(default_factory=list)
    components: list[Registered] = field(default_factory=list)
    providers: list[Registered] = field(default_factory=list)
    inputs: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    calls: list[pulumi_mocks.MockCallArgs] = field(default_factory=list)

    def new_resource(self, args: pulumi_mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        self.inputs[args.typ, args.name] = args.inputs
        made = {
            "arn": f"arn:aws:fake:::{args.name}",
            "privateIp": f"10.9.8.{len(self.inputs) % 250}",
            "publicIp": "192.0.2.7",
            "availabilityZone": "eu-central-1a",
            "latestVersion": 1,
            "zoneId": f"Z-{args.name}",
            "name": args.name,
            "bucket": args.name,
            "dnsName": f"{args.name}.example.com",
            "mountName": "fake",
            "endpoint": f"https://{args.name}.example.com",
            "certificateAuthority": {"data": "ZmFrZQ=="},
            "identities": [{"oidcs": [{"issuer": f"https://oidc.example.com/id/{args.name}"}]}],
            "nodeGroupName": args.name,
        }
        if args.typ == "aws:eks/cluster:Cluster":
            vpc = {**args.inputs["vpcConfig"], "clusterSecurityGroupId": f"sg-of-{args.name}"}
            return args.inputs["name"], made | args.inputs | {"vpcConfig": vpc}
        return f"id-{args.name}", made | args.inputs

    def call(self, args: pulumi_mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        self.calls.append(args)
        if args.token == "aws:index/getAvailabilityZones:getAvailabilityZones":
            return {"names": ["eu-central-1a", "eu-central-1b", "eu-central-1c"]}, []
        if args.token == "aws:ec2/getAmi:getAmi":
            return {"id": "ami-0fake000000000000", "rootDeviceName": "/dev/xvda"}, []
        raise NotImplementedError(args.token)

    def keep(self, requests: list[Any]) -> None:
        for one in requests:
            is_provider = one.type.startswith("pulumi:providers:")
            kept = self.providers if is_provider else self.registered if one.custom else self.components
            inputs = self.inputs.get((one.type, one.name), {})
            kept.append(Registered(one.type, one.name, one.parent, inputs, one.protect, tuple(one.ignoreChanges)))

    def of_type(self, kind: str) -> list[Registered]:
        return [one for one in self.registered if one.type == kind]


def run_program(
    program: ModuleType, args: LocationArgs, *, is_preview: bool = False
) -> tuple[FakeEngine, dict[str, Any]]:
    """Run a program; what it registered and what it exported (unknown values are None)."""
    engine = FakeEngine()
    exported: dict[str, Any] = {}
    secrets = LocationSecrets(
        {host.name: f"private of {host.name}" for group in args.groups for host in group.hosts},
        {group.name: f"private of {group.name}" for group in args.groups if group.scaling},
    )

    def run() -> None:
        program.program(args, secrets)
        root = get_root_resource()
        assert isinstance(root, Stack)
        for name, value in root.outputs.items():
            pulumi.Output.from_input(value).apply(partial(exported.__setitem__, name))

    monitor = RecordingMonitor(engine)

    async def in_new_stack() -> None:
        # The root of an earlier run belongs to a loop that is closed.
        set_root_resource(None)  # type: ignore[arg-type]
        set_mocks(engine, project="demo", stack="core", preview=is_preview, monitor=monitor)
        await run_pulumi_func(run)

    asyncio.run(in_new_stack())
    engine.keep(monitor.requests)
    return engine, exported


def filled(args: LocationArgs, above: dict[str, LocationOutputs] | None = None) -> LocationArgs:
    """The arguments as the platform would complete them."""
    keys = {host.name: f"ssh-ed25519 AAAA{host.name}" for group in args.groups for host in group.hosts}
    group_keys = {group.name: f"ssh-ed25519 AAAA{group.name}" for group in args.groups if group.scaling}
    public = PublicKeys(operators=("ssh-ed25519 AAAAsite",), hosts=keys, groups=group_keys)
    return completed(args, keys=public, above=above)
