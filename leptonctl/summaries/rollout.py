"""Rollouts in a result: as JSON, and what one that stopped left undone. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.planning.rollout import why_stop
from leptonctl.result import ProblemResult

if TYPE_CHECKING:
    from leptonctl.planning.rollout import RolledOut, Rollout
    from leptonctl.stages.applying import Applied


def planned_rollout(rollout: Rollout) -> dict[str, object]:
    """A rollout as JSON: what it goes over, its batches, and what ends it."""
    return {
        "name": rollout.name,
        "tier": rollout.tier,
        "locations": list(rollout.locations),
        "host_count": rollout.host_count,
        "batches": [list(batch) for batch in rollout.batches],
        "canary_count": rollout.canary_count,
        "not_asked": list(rollout.barred),
        "max_failed": rollout.max_failed,
        "pause_s": rollout.pause_s,
        "cannot_begin": why_stop(rollout, ()),
    }


def rolled_out(done: RolledOut) -> dict[str, object]:
    """What came of a rollout, as JSON."""
    return {
        **planned_rollout(done.rollout),
        "batches_begun": done.begun,
        "failed": list(done.failed),
        "not_begun": list(done.not_begun),
        "stopped": done.stopped,
    }


def stop_problems(done: RolledOut, applied: Applied) -> tuple[ProblemResult, ...]:
    """What a rollout that stopped left undone, in it or behind it; none where it left nothing."""
    waiting = {address.rpartition("/")[0] for address in applied.not_begun}
    is_felt = any(place in waiting and blocker in done.unfinished for place, blocker in applied.held.items())
    if done.stopped is None or not (done.not_begun or is_felt):
        return ()
    batches = len(done.rollout.batches)
    place = f"after batch {done.begun} of {batches}" if done.begun else f"before the first of {batches} batches"
    well = sum(len(batch) for batch in done.rollout.batches[: done.begun]) - len(done.failed)
    message = f"stopped {place}: {done.stopped}; {well} done, {len(done.not_begun)} not begun"
    hint = "mend what failed, or raise rollout.max_failed; then `leptonctl up` goes on with what is left"
    return (ProblemResult(rule="rollout", where=done.rollout.name, message=message, hint=hint),)
