"""The AWS platform: a location is a stack of the engine; what is there is asked by tag, never from the state."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from importlib import import_module
from threading import Lock
from typing import TYPE_CHECKING

from leptonctl.errors import LeptonError, PlatformFailed, Refused
from leptonctl.planning import aws_tags
from leptonctl.planning.aws import completed
from leptonctl.planning.aws_resources import planned_resources
from leptonctl.planning.aws_types import LocationSecrets, PublicKeys
from leptonctl.planning.capacity import kept_choices, recorded_hosts, with_choices
from leptonctl.planning.comparison import properties
from leptonctl.planning.plan import Action
from leptonctl.platforms import aws_clusters
from leptonctl.platforms.aws_applied import fingerprint
from leptonctl.platforms.aws_filling import Known, filled
from leptonctl.platforms.aws_listing import TEMPLATES, listed
from leptonctl.platforms.aws_look import host_key_of
from leptonctl.platforms.aws_pending import Look, settle
from leptonctl.platforms.aws_preflight import aws_checks
from leptonctl.platforms.aws_region import look_at
from leptonctl.platforms.aws_rules import close
from leptonctl.platforms.aws_seen import wait_until_seen
from leptonctl.platforms.aws_sight import AwsSight, Clouds, Remembered
from leptonctl.platforms.aws_stacks import AwsStacks, stack_name
from leptonctl.platforms.aws_state import kept_apart, left_behind, named_data, outputs_of, recorded_in
from leptonctl.platforms.aws_tries import Tries
from leptonctl.platforms.aws_waiting import wait_until_gone
from leptonctl.platforms.base import PlatformLook
from leptonctl.platforms.pulumi_events import Steps
from leptonctl.platforms.site_keys import SiteKeys
from leptonctl.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Callable

    from leptonctl.planning.aws_types import LocationArgs, LocationOutputs
    from leptonctl.planning.checks import Check
    from leptonctl.planning.desired import DesiredLocation
    from leptonctl.planning.observed import ObservedLocation, ObservedResource
    from leptonctl.planning.plan import Change
    from leptonctl.platforms.aws_listing import Found
    from leptonctl.platforms.base import Context
    from leptonctl.platforms.pulumi import PulumiStack
    from leptonctl.platforms.pulumi_state import Deployment
    from leptonctl.progress import Report

    Program = Callable[[LocationArgs, LocationSecrets], None]


COMPARISONS_AT_ONCE = 4

# Locations are worked on side by side; the modules of the SDKs cannot be loaded so.
_LOADING = Lock()


class AwsPlatform:
    """Locations on AWS. `program_of` gives the program of a location, by default those in `stacks/aws`."""

    def __init__(self, context: Context, *, program_of: Callable[[LocationArgs], Program] | None = None) -> None:
        self._context = context
        self._program_of = program_of or stack_program
        self._cloud = Clouds().of
        self.stacks = AwsStacks(context, self._cloud)
        self._keys = SiteKeys(context.site, context.state_dir, self.stacks.states.store, self.stacks.sealer)
        remembered = Remembered(self.stacks.known_locations, self.stacks.region_of, self.stacks.read)
        self._sight = AwsSight(context, self._cloud, remembered, self._keys.path)

    def preflight(self, locations: tuple[DesiredLocation, ...]) -> tuple[Check, ...]:
        """What was asked of engine, credentials, regions, machine types, images, quotas, permissions; touch nothing.

        Raises `Refused` for states of a newer leptonctl, and `Locked` for a stack that somebody works on.
        """
        self.stacks.refuse_unfit([location.address for location in locations])
        return aws_checks(tuple(args_of(location) for location in locations), self._cloud, os.environ)

    def preview(self, location: DesiredLocation) -> tuple[Change, ...]:
        """What `ensure` would do, as the engine says after a look at AWS. Nothing is touched, also not on disk."""
        return self.preview_steps(location).changes()

    def preview_steps(self, location: DesiredLocation) -> Steps:
        """The same, resource by resource, with the outputs that are known only when the location has been made."""
        args = args_of(location)
        with self.stacks.to_read(location.address, args.region) as stack:
            state = stack.export() if stack.exists() else None
            whole = self._as_previewed(args, state)
            steps = self._steps(whole, silent)
            stack.open(lambda: self._program_of(whole)(whole, LocationSecrets()))
            kept = left_behind(kept_apart(state), planned_resources(whole)) if state is not None else ()
            stack.preview(steps, is_refreshed=state is not None, kept=kept)
        return steps

    def ensure(self, location: DesiredLocation, report: Report) -> ObservedLocation:
        """Make it so: what an interrupted run left is settled first, the state is kept before it is changed."""
        args, address = args_of(location), location.address
        with self.stacks.to_change(address, args.region) as stack:
            steps = self._make(stack, args, report)
            _say_slow(steps, report)
            state = self.stacks.read(address)
            if state is not None:
                self.stacks.states.note_fingerprint(stack.name, fingerprint(self._as_previewed(args, state), state))
        made = outputs_of(state) if state is not None else None
        return wait_until_seen(address, made, lambda: self.observe(address))

    def _make(self, stack: PulumiStack, args: LocationArgs, report: Report) -> Steps:
        """Have the engine make it so; again with other zones or types for hosts that AWS has no capacity for."""
        cloud, tries, above = self._cloud(args.region), Tries(report), self._above(args)
        if waiting := [peer.address for peer in args.peers if peer.address not in above]:
            raise PlatformFailed(
                f"{args.location}: it is connected with {waiting[0]}, which was not made to its end",
                hint=f"`leptonctl up` without --only makes {waiting[0]} first",
            )
        while True:
            state = self._settled(stack, args.location, args.region, report)
            look = look_at(cloud, args.site, args.location)
            there = look.found
            if state is None and there:
                raise self._state_is_lost(args.location, there)
            # First: the rule that AWS itself puts into a new group stands in the way where its creation was cut off.
            for rule in look.rules:
                close(cloud, rule)
                report(Progress("platform", "step", args.location, f"closed: {rule.text}"))
            whole, secrets = filled(args, self._known(args, state, there, above), tries.chosen)
            steps = self._steps(whole, report)
            self.stacks.states.mark()
            stack.open(partial(self._program_of(whole), whole, secrets))
            kept = self._set_apart(stack, state, whole)
            try:
                stack.up(steps, kept=kept)
            except PlatformFailed as failed:
                tries.go_on(whole, failed, look_at(cloud, args.site, args.location).found)
            else:
                return steps

    def _set_apart(self, stack: PulumiStack, state: Deployment | None, args: LocationArgs) -> tuple[str, ...]:
        """The stores that the plan has no longer, made fit to outlive the hosts that go."""
        kept = left_behind(kept_apart(state), planned_resources(args)) if state is not None else ()
        if kept and state is not None:
            stack.replace(kept_apart(state))
        return kept

    def look(self, locations: tuple[str, ...], *, closely: frozenset[str]) -> PlatformLook:
        """What is there now of these locations, by tag; of those in `closely` also what the engine finds to differ."""
        look = self._sight.look(locations)
        unanswered = dict(look.unanswered)
        compared: dict[str, ObservedLocation | None] = dict(look.locations)

        def compare(address: str) -> None:
            try:
                compared[address] = self._compared(address, look.locations[address])
            except LeptonError as error:
                unanswered[address] = f"its properties could not be compared: {error.message}"

        with ThreadPoolExecutor(COMPARISONS_AT_ONCE) as pool:
            list(pool.map(compare, [address for address in look.locations if address in closely]))
        return PlatformLook(compared, unanswered, look.strays)

    def observe(self, location: str) -> ObservedLocation | None:
        """What is there now, asked from AWS in a few list calls; None where it was read that nothing is."""
        return self._sight.observe(location)

    def destroy(self, location: str, *, delete_data: frozenset[str], report: Report) -> tuple[ObservedResource, ...]:
        """Remove it in reverse order and return what was removed. Stores stay unless they are in `delete_data`."""
        region = self.stacks.region_of(location)
        if region is None:
            return ()
        before = self._sight.marked(location)
        with self.stacks.to_change(location, region) as stack:
            state = self._settled(stack, location, region, report)
            if state is None:
                if any(not one.is_data for one in before):
                    raise self._state_is_lost(location, before)
                return self._removed(location, region, before, delete_data, report)
            # What is inside a cluster goes with it: its API need not answer, and may be closed to who removes it.
            prepared = kept_apart(named_data(aws_clusters.without_what_is_inside(state), delete_data))
            if prepared != state:
                stack.replace(prepared)
            stack.open(_nothing)
            steps = Steps(location, report)
            stack.destroy(steps)
            if stack.is_empty():
                stack.remove()
                self.stacks.states.forget(stack.name)
        return self._removed(location, region, before, delete_data, report)

    def leftovers(self) -> tuple[ObservedResource, ...]:
        """Everything that carries the site's mark in every region of the site, and what has no region."""
        return self._sight.leftovers()

    def interrupt(self) -> None:
        """Ask every engine that runs to end what it began, once; nothing new is begun. `ensure` then ends by itself."""
        self.stacks.interrupt()

    def _removed(
        self,
        location: str,
        region: str,
        before: tuple[ObservedResource, ...],
        delete_data: frozenset[str],
        report: Report,
    ) -> tuple[ObservedResource, ...]:
        """What is gone of what was there, once the volumes that pods claimed are removed where they were named."""
        aws_clusters.delete_claims(self._cloud(region), self._context.site, location, delete_data)
        left = wait_until_gone(lambda: self._sight.marked(location), location, report)
        after = {(one.properties["type"], one.id) for one in left}
        return tuple(one for one in before if (one.properties["type"], one.id) not in after)

    def _compared(self, address: str, there: ObservedLocation | None) -> ObservedLocation | None:
        """The location with what the engine finds to differ when it reads every property of it; it changes nothing."""
        state = self.stacks.read(address)
        location = next(one for one in self._context.locations if one.address == address)
        if there is None or state is None or self._is_as_applied(args_of(location), state):
            return there
        recorded = recorded_in(state, planned_resources(args_of(location)))
        known = {(one.kind, one.address, one.action) for one in there.disagreements}
        more = [
            one
            for one in properties(recorded, self.preview_steps(location).previewed())
            if one.action is Action.UPDATE or (one.kind, one.address, one.action) not in known
        ]
        return replace(there, disagreements=(*there.disagreements, *more))

    def _is_as_applied(self, args: LocationArgs, state: Deployment) -> bool:
        """Whether nothing has changed since `up`: neither what was asked for nor the state, nor anything on AWS.

        The program need not run for that, which is most of a preview's time. All else is told by the preview.
        """
        noted = self.stacks.states.fingerprint(stack_name(args.location))
        if noted is None or noted != fingerprint(self._as_previewed(args, state), state):
            return False
        steps = self._steps(args, silent)
        with self.stacks.to_read(args.location, args.region) as stack:
            stack.open(_nothing)
            stack.compare(steps)
        answered = {urn for urn, one in steps.steps.items() if one.action is Action.KEEP}
        return answered == {one.urn for one in recorded_in(state, ())}

    def _as_previewed(self, args: LocationArgs, state: Deployment | None) -> LocationArgs:
        """The arguments with what is known before anything is made: a preview has no secrets."""
        key, previous = self._keys.public(), outputs_of(state) if state else None
        return completed(
            with_choices(args, kept_choices(args, previous, recorded_hosts(previous))),
            keys=PublicKeys(operators=(key,) if key else ()),
            above=self._above(args),
            previous=previous,
        )

    def _settled(self, stack: PulumiStack, address: str, region: str, report: Report) -> Deployment | None:
        """The stack's state with no foreign lock and nothing pending, a copy of it kept; None where there is none."""
        states = self.stacks.states
        states.refuse_newer()
        look = Look(self.stacks.release(address, report))
        if not stack.exists():
            return None
        state = stack.export()
        states.keep(stack.name, state)
        cloud = self._cloud(region)
        settled = settle(state, cloud, address, look, report) or state
        mended = aws_clusters.drop_if_gone(settled, cloud, self._context.site, address) or settled
        if mended is not state:
            stack.replace(mended)
        return mended

    def _known(
        self, args: LocationArgs, state: Deployment | None, there: tuple[Found, ...], above: dict[str, LocationOutputs]
    ) -> Known:
        return Known(
            previous=outputs_of(state) if state else None,
            there=there,
            above=above,
            operator_keys=(self._keys.ensure().public,),
            group_keys=self._planted_group_keys(args),
        )

    def _planted_group_keys(self, args: LocationArgs) -> dict[str, str]:
        """The public host key of each scaling group, as its launch template has it: it stays as long as that does."""
        if not any(group.scaling is not None for group in args.groups):
            return {}
        there = listed(self._cloud(args.region), TEMPLATES, args.site, args.location)
        return {one.tags[aws_tags.GROUP]: host_key_of(one) for one in there if host_key_of(one)}

    def _above(self, args: LocationArgs) -> dict[str, LocationOutputs]:
        """The outputs of the locations that this one is peered with, as far as they exist."""
        found: dict[str, LocationOutputs] = {}
        for peer in args.peers:
            state = self.stacks.read(peer.address)
            outputs = outputs_of(state) if state is not None else None
            if outputs is not None:
                found[peer.address] = outputs
        return found

    def _steps(self, args: LocationArgs, report: Report) -> Steps:
        planned = {(one.type, one.name): one for one in planned_resources(args)}
        return Steps(args.location, report, planned)

    def _state_is_lost(self, address: str, there: tuple[Found, ...] | tuple[ObservedResource, ...]) -> LeptonError:
        shown = ", ".join(sorted(one.id for one in there)[:5])
        stack, states = stack_name(address), self.stacks.states
        return Refused(
            f"{address}: {len(there)} things on AWS carry its mark ({shown}), but its state {states.place(stack)} "
            "is missing",
            hint=f"put it back from a copy; {states.copies_place(stack)} may have one",
        )


def args_of(location: DesiredLocation) -> LocationArgs:
    """The arguments of a location's stack; a location without them is not on AWS."""
    if location.aws is None:
        raise PlatformFailed(f"{location.address} is not on AWS")
    return location.aws


def stack_program(args: LocationArgs) -> Program:
    """The program of a location, from `stacks/aws`, with the SDKs' modules loaded."""
    with _LOADING:
        import_module("stacks.sdk").load(has_cluster=args.cluster is not None)
        program: Program = import_module(f"stacks.aws.{args.tier}").program
    return program


def _nothing() -> None:
    """The program of a stack that is only taken down: it is never run."""


def _say_slow(steps: Steps, report: Report) -> None:
    for name, took in steps.slowest[:3]:
        report(Progress("platform", "step", steps.location, f"{name} was slow: {took:.0f} s"))
