"""Roll out: configure hosts tier by tier and batch by batch, prove each batch, and stop where too many failed.

Hosts with accelerators are judged after their roles ran, in the last batch too: one that does not pass has failed.
"""

from __future__ import annotations

import time
from itertools import count
from typing import TYPE_CHECKING

from leptonctl.planning.rollout import RolledOut, roll_over, together, why_stop
from leptonctl.progress import Progress
from leptonctl.stages.clustering import settle
from leptonctl.stages.configuring import configure_batch
from leptonctl.stages.looking import look_closely
from leptonctl.stages.schedule import in_order

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from leptonctl.planning.desired import Desired, DesiredLocation
    from leptonctl.planning.rollout import Rollout
    from leptonctl.session import Session
    from leptonctl.stages.applying import Applied
    from leptonctl.stages.configuring import Job

ROLLOUTS_AT_ONCE = 2
# A service that was started a moment ago may not answer yet: what does not hold is looked at again before it counts.
SETTLE_LIMIT_S = 15.0
_SETTLE_TICK_S = 1.0
_WATCH_TICK_S = 10.0


def roll_out(session: Session, want: Desired, job: Job, applied: Applied, stop: threading.Event) -> None:
    """Run the roles that differ on the hosts that need them. A failed host stops no other one of its batch.

    Where a rollout stops, its later batches and the locations that depend on it are not begun; `applied` says which.
    """
    groups = together(want.locations)
    number_of = {location.address: str(number) for number, members in enumerate(groups) for location in members}
    needs = {
        str(number): tuple({number_of[need] for member in members for need in member.depends_on if need in number_of})
        for number, members in enumerate(groups)
    }
    runs = count(1)

    def act(numbers: tuple[str, ...]) -> None:
        for number in numbers:
            members = [member for member in groups[int(number)] if not _is_held(member, job, applied)]
            if members and not stop.is_set():
                _roll(session, members, job, applied, stop, runs)

    in_order(needs, act, slots=ROLLOUTS_AT_ONCE)


def _is_held(location: DesiredLocation, job: Job, applied: Applied) -> bool:
    """Whether the location may not be begun: what it depends on could not be made, or its rollout stopped."""
    blocker = applied.skipped.get(location.address)
    if blocker is None:
        stopped = {place for done in applied.rollouts for place in done.unfinished}
        blocker = next((need for need in location.depends_on if need in stopped or need in applied.held), None)
        if blocker is None:
            return False
        applied.held[location.address] = blocker
    for host in location.hosts:
        if host.address in job.chosen.targets:
            applied.not_begun[host.address] = f"not begun: it waits for {blocker}"
    return True


def _roll(
    session: Session,
    members: Sequence[DesiredLocation],
    job: Job,
    applied: Applied,
    stop: threading.Event,
    runs: Iterator[int],
) -> None:
    chosen = job.chosen
    rollout = roll_over(members, changing=chosen.targets.keys(), barred=chosen.barred, fresh=chosen.fresh)
    if not rollout.batches and not rollout.barred:
        return
    failed: frozenset[str] = frozenset()
    begun = 0
    for batch in rollout.batches:
        if stop.is_set() or why_stop(rollout, failed) is not None:
            break
        begun += 1
        _say(session, rollout, begun, f"{len(batch)} hosts" if len(batch) > 1 else batch[0])
        failed |= configure_batch(session, job, batch, applied, stop=stop, number=next(runs))
        if not stop.is_set():
            well = [address for address in batch if address not in failed]
            unfit = job.gate.judge([job.complete[address] for address in well if address not in chosen.partial])
            unsettled = settle(session, [chosen.targets[address] for address in well], job.complete, unfit=unfit)
            applied.unproven.update(unsettled)
            failed |= unfit | unsettled.keys()
        if begun < len(rollout.batches):
            failed |= _prove(session, rollout, begun, job, applied, stop, failed=failed)
    done = RolledOut(rollout, begun, tuple(sorted(failed)), why_stop(rollout, failed))
    for address in done.not_begun:
        applied.not_begun[address] = "not begun: the rollout stopped"
    applied.rollouts.append(done)
    if done.stopped is not None and done.not_begun:
        message = f"the rollout stopped: {done.stopped}; {len(done.not_begun)} hosts were not begun"
        session.report(Progress("configure", "failed", rollout.name, message))


def _prove(  # noqa: PLR0913 - what the work needs, by name
    session: Session,
    rollout: Rollout,
    begun: int,
    job: Job,
    applied: Applied,
    stop: threading.Event,
    *,
    failed: AbstractSet[str],
) -> frozenset[str]:
    """Verify the batch that was begun last, and again after it was watched for a while; give those that do not hold.

    Where the rollout stops in any case nothing is asked.
    """
    if why_stop(rollout, failed) is not None:
        return frozenset()
    batch = [address for address in rollout.batches[begun - 1] if address not in failed]
    found: dict[str, str] = {}
    for pause_s in (0, rollout.pause_s) if rollout.pause_s else (0,):
        if stop.is_set() or why_stop(rollout, {*failed, *found}) is not None:
            break
        if pause_s:
            _watch(session, rollout, begun, stop)
        found.update(_unproven(session, batch, job, stop))
    applied.unproven.update(found)
    message = f"batch {begun} of {len(rollout.batches)}: {len(batch) - len(found)} of {len(batch)} hosts hold"
    session.report(Progress("verify", "warning" if found else "done", rollout.name, message))
    return frozenset(found)


def _unproven(session: Session, batch: Sequence[str], job: Job, stop: threading.Event) -> dict[str, str]:
    """The hosts of a batch on which something does not hold, with what; asked again while it may only be starting."""
    waiting = list(batch)
    end = time.monotonic() + SETTLE_LIMIT_S
    while True:
        looks = look_closely(session, [job.complete[address] for address in waiting], secrets=job.secrets)
        ran = {address: {role.name for role in job.chosen.targets[address].roles} for address in waiting}
        found = {address: flaw for address, look in looks.items() if (flaw := look.flaw_in(ran[address])) is not None}
        waiting = list(found)
        if not found or time.monotonic() > end or stop.wait(_SETTLE_TICK_S):
            return found


def _watch(session: Session, rollout: Rollout, begun: int, stop: threading.Event) -> None:
    """Let the batch work for a while before it is looked at again."""
    _say(session, rollout, begun, f"watched for {rollout.pause_s} s")
    end = time.monotonic() + rollout.pause_s
    while (left := end - time.monotonic()) > 0 and not stop.wait(min(left, _WATCH_TICK_S)):
        message = f"batch {begun} of {len(rollout.batches)}: watched, {max(0, round(end - time.monotonic()))} s to go"
        session.report(Progress("verify", "step", rollout.name, message))


def _say(session: Session, rollout: Rollout, begun: int, message: str) -> None:
    """Say where a rollout is; one that is a single batch says nothing of itself."""
    if len(rollout.batches) > 1:
        text = f"batch {begun} of {len(rollout.batches)}: {message}"
        session.report(Progress("configure", "started", rollout.name, text))
