"""What is kept of each stack: its state's age and size, what seals it, who holds it, its copies. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leptonctl.errors import PlatformFailed
from leptonctl.platforms.pulumi_locks import age
from leptonctl.platforms.pulumi_pending import pending_operations
from leptonctl.platforms.pulumi_sealing import sealed

if TYPE_CHECKING:
    from datetime import datetime

    from leptonctl.platforms.pulumi_locks import LockOwner
    from leptonctl.platforms.pulumi_state import States


@dataclass(frozen=True, slots=True)
class KeptStack:
    """One stack. `sealed_by` is the engine's word, `flaw` why its state could not be understood."""

    name: str
    place: str
    size_bytes: int
    modified: datetime
    resource_count: int
    unfinished: tuple[str, ...]
    sealed_by: str | None
    locks: tuple[LockOwner, ...]
    copies: tuple[str, ...]
    flaw: str | None = None

    def as_json(self, now: datetime) -> dict[str, object]:
        """The same as a result has it; ages as of `now`."""
        return {
            "stack": self.name,
            "place": self.place,
            "size_bytes": self.size_bytes,
            "age": age(now, self.modified),
            "age_s": round((now - self.modified).total_seconds()),
            "resource_count": self.resource_count,
            "unfinished": list(self.unfinished),
            "sealed_by": self.sealed_by,
            "locks": [owner.text(now) for owner in self.locks],
            "copy_count": len(self.copies),
            "newest_copy": self.copies[-1] if self.copies else None,
            "flaw": self.flaw,
        }


def kept_stacks(states: States) -> tuple[KeptStack, ...]:
    """Every stack of the site that has a state, by name; one that is not understood is shown as such."""
    found = []
    for name, stored in states.kept().items():
        flaw, state = None, None
        try:
            state = states.read(name)
        except PlatformFailed as failed:
            flaw = failed.message
        how = sealed(state) if state else None
        found.append(
            KeptStack(
                name=name,
                place=states.store.place(stored.key),
                size_bytes=stored.size_bytes,
                modified=stored.modified,
                resource_count=len((state or {"deployment": {}})["deployment"].get("resources") or ()),
                unfinished=tuple(f"{one.kind} {one.name}" for one in pending_operations(state)) if state else (),
                sealed_by=how.provider if how else None,
                locks=states.locks(name),
                copies=tuple(states.store.place(one.key) for one in states.copies(name)),
                flaw=flaw,
            )
        )
    return tuple(found)
