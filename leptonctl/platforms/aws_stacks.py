"""The stacks of a site on AWS: where their states are kept, how they are opened, and how all are asked to end."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from leptonctl.errors import PreflightFailed, UsageProblem
from leptonctl.platforms.aws_bucket import BucketStore
from leptonctl.platforms.aws_state import outputs_of, region_of
from leptonctl.platforms.aws_state_bucket import StateBucket
from leptonctl.platforms.key_sealing import KmsSealer, PassphraseSealer
from leptonctl.platforms.pulumi import PulumiStack, StackSettings
from leptonctl.platforms.pulumi_engine import find_engine
from leptonctl.platforms.pulumi_locks import Engines, end_orphans, refuse_held, release_dead_locks
from leptonctl.platforms.pulumi_sealing import made_passphrase, sealing_of
from leptonctl.platforms.pulumi_state import States
from leptonctl.platforms.state_store import FolderStore
from leptonctl.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from leptonctl.planning.aws_types import LocationOutputs
    from leptonctl.platforms.aws_cloud import AwsCloud
    from leptonctl.platforms.base import Context
    from leptonctl.platforms.key_sealing import Sealer
    from leptonctl.platforms.pulumi_locks import LockOwner
    from leptonctl.platforms.pulumi_sealing import Sealing
    from leptonctl.platforms.pulumi_state import Deployment
    from leptonctl.progress import Report
    from leptonctl.sitefile.state import State


class AwsStacks:
    """A site's stacks. What belongs to this machine alone (settings, notes on engines) is in the state folder."""

    def __init__(self, context: Context, cloud_of: Callable[[str], AwsCloud]) -> None:
        self._context = context
        self._folder = context.state_dir / "pulumi"
        self.states = states_of(context.site, context.state, folder=self._folder, cloud_of=cloud_of)
        self._cloud_of = cloud_of
        self._lock = Lock()
        self._sealing: Sealing | None = None
        self._running: list[PulumiStack] = []
        self._is_interrupted = False

    @contextmanager
    def to_change(self, address: str, region: str) -> Iterator[PulumiStack]:
        """The location's stack, which `interrupt` reaches as long as it is worked on."""
        name = stack_name(address)
        settings = StackSettings(region, self._sealed(), self._folder / "work" / name, self.engines(address))
        stack = PulumiStack(find_engine(os.environ), self.states, name, settings=settings)
        with self._lock:
            self._running.append(stack)
            if self._is_interrupted:
                stack.command.interrupt()
        try:
            yield stack
        finally:
            with self._lock:
                self._running.remove(stack)

    @contextmanager
    def to_read(self, address: str, region: str) -> Iterator[PulumiStack]:
        """The location's stack for a look; where there is none yet, one in a folder that goes away again."""
        engine, name = find_engine(os.environ), stack_name(address)
        with tempfile.TemporaryDirectory(prefix="leptonctl-preview-") as folder_name:
            folder = Path(folder_name)
            states, sealing = self.states, None
            if states.exists(name):
                sealing = self._sealed()
            else:
                states, sealing = States(FolderStore(folder), states.project), made_passphrase(folder / "passphrase")
            # A folder that is there is used again: the engine remembers each that it ever worked in.
            own = self._folder / "work" / name
            settings = StackSettings(region, sealing, own if own.exists() else folder)
            yield PulumiStack(engine, states, name, settings=settings)

    def sealer(self) -> Sealer:
        """What seals a secret that is kept beside the states: the same key or passphrase as theirs."""
        state = self._context.state
        if state.kms_key is not None and state.region is not None:
            return KmsSealer(self._cloud_of(state.region), state.kms_key)
        sealing = self._sealed()
        return PassphraseSealer(sealing.passphrase(os.environ), sealing.source)

    def read(self, address: str) -> Deployment | None:
        """The state of a location's stack as it lies in the store."""
        return self.states.read(stack_name(address))

    def refuse_unfit(self, addresses: Sequence[str]) -> None:
        """Raise what forbids to change the stacks: `Refused` for states of a newer leptonctl, `Locked`.

        Raises `PreflightFailed` where the bucket does not exist.
        """
        self.states.refuse_newer()
        now = datetime.now(UTC)
        for address in addresses:
            owners = self.states.locks(stack_name(address))
            refuse_held(owners, self.states.store, self.engines(address), location=address, now=now)

    def release(self, address: str, report: Report) -> datetime | None:
        """Take away what locks a process of this machine left that is gone, and end what that left at work.

        Gives the last sign of life of the runs before: after it nothing was asked of AWS. Raises `Locked` for every
        other lock.
        """
        now, stack = datetime.now(UTC), stack_name(address)
        store, engines = self.states.store, self.engines(address)
        signs = [engines.last_seen(), self.states.written(stack)]
        for owner in release_dead_locks(self.states.locks(stack), store, engines, location=address, now=now):
            message = f"the lock of a process that is gone was taken away ({owner.text(now)})"
            report(Progress("platform", "warning", address, message))
            if left := end_orphans(owner):
                shown = ", ".join(map(str, left))
                report(Progress("platform", "warning", address, f"what it had left at work was ended (pid {shown})"))
                signs.append(datetime.now(UTC))
        return max((sign for sign in signs if sign is not None), default=None)

    def make_bucket(self) -> tuple[str, ...]:
        """Make the bucket of the states, or mend it, and say what was done.

        Raises `UsageProblem` where the site file names none.
        """
        store = self.states.store
        if not isinstance(store, BucketStore):
            raise UsageProblem(
                f"the site file names no bucket: the states are files in {self._folder}",
                hint="write a `state` section with `url`, `region` and `kms_key` or `passphrase`",
            )
        bucket = StateBucket(store, owner=self._context.owner, kms_key=self._context.state.kms_key)
        return bucket.make()

    def locks(self, address: str) -> tuple[LockOwner, ...]:
        """Who holds the location's stack."""
        return self.states.locks(stack_name(address))

    def take_away(self, address: str, owners: Sequence[LockOwner]) -> None:
        """Take locks away, whoever has them."""
        for owner in owners:
            self.states.store.remove(owner.key)
        self.engines(address).forget()

    def interrupt(self) -> None:
        """Ask every engine that runs to end what it began, once; nothing new is begun."""
        with self._lock:
            self._is_interrupted = True
            for stack in self._running:
                stack.command.interrupt()

    def applied(self, address: str) -> LocationOutputs | None:
        """What the location's stack exported when it was made to its end last; None where it never was."""
        try:
            state = self.read(address)
        except PreflightFailed:
            # No bucket, no states. Without credentials the next question gets the same answer, and tells it.
            return None
        return outputs_of(state) if state is not None else None

    def region_of(self, address: str) -> str | None:
        """The region of a location: as its state says, else as in the site file; None where nobody knows it.

        What is there stays where it is: an edit of the region does not move it.
        """
        named = (one.aws.region for one in self._context.locations if one.address == address and one.aws is not None)
        return region_of(self.read(address)) or next(named, None)

    def known_locations(self) -> tuple[str, ...]:
        """The locations of the site file that are on AWS, then those that only have a state."""
        named = [one.address for one in self._context.locations if one.aws is not None]
        return tuple(dict.fromkeys((*named, *(location_of(stack) for stack in self.states.kept()))))

    def engines(self, address: str) -> Engines:
        """What this machine remembers of the engines that it began for a location."""
        return Engines(self._folder / "engines" / stack_name(address))

    def _sealed(self) -> Sealing:
        """What seals the secrets; asked for once, and only when a stack is opened."""
        with self._lock:
            if self._sealing is None:
                made = self._folder / "passphrase"
                self._sealing = sealing_of(
                    self._context.state, site_dir=self._context.site_dir, made=made, environ=os.environ
                )
            return self._sealing


def states_of(site: str, state: State, *, folder: Path, cloud_of: Callable[[str], AwsCloud]) -> States:
    """The states of a site: in its bucket, else in `folder`."""
    if state.bucket is None or state.region is None:
        return States(FolderStore(folder), site)
    return States(BucketStore(cloud_of(state.region), state.bucket, state.prefix, account=state.account), site)


def stack_name(address: str) -> str:
    """The stack of a location: `core`, `regions.west`."""
    return address.replace("/", ".")


def location_of(stack: str) -> str:
    """The location of a stack."""
    return stack.replace(".", "/", 1)
