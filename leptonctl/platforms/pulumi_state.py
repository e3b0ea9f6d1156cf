"""The states of a site's stacks, one a location, wherever they are kept: what they say, copies of them, their locks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from leptonctl import __version__
from leptonctl.errors import PlatformFailed, Refused
from leptonctl.platforms.pulumi_locks import read_lock

if TYPE_CHECKING:
    from leptonctl.platforms.pulumi_locks import LockOwner
    from leptonctl.platforms.state_store import Store, Stored

FORMAT = 1
"""How this version keeps a site's states. One that cannot be read by older versions gets the next number."""
KEPT_COPIES = 10
Deployment = dict[str, Any]
"""What `stack export` gives: {"version": 3, "deployment": {...}}."""


@dataclass(frozen=True, slots=True)
class States:
    """The states of the stacks of one site (the engine's project)."""

    store: Store
    project: str

    def key(self, stack: str) -> str:
        """The key of a stack's state."""
        return f"{self._folder}{stack}.json"

    def place(self, stack: str) -> str:
        """Where a stack's state is, for people."""
        return self.store.place(self.key(stack))

    def exists(self, stack: str) -> bool:
        """Whether there is a state of it."""
        return self.written(stack) is not None

    def written(self, stack: str) -> datetime | None:
        """When a stack's state was written last; None where there is none."""
        return next((one.modified for one in self.store.listed(self.key(stack)) if one.key == self.key(stack)), None)

    def kept(self) -> dict[str, Stored]:
        """The stacks that there are, by name, each with its state's size and time."""
        found = self.store.listed(self._folder)
        names = {one.key.removeprefix(self._folder): one for one in found if one.key.endswith(".json")}
        return {name.removesuffix(".json"): one for name, one in names.items() if "/" not in name}

    def read(self, stack: str) -> Deployment | None:
        """The state of a stack, with its secrets sealed; None where there is none, or nothing in it yet.

        Raises `PlatformFailed` where it is not understood.
        """
        text = self.store.read(self.key(stack))
        if text is None:
            return None
        try:
            told = json.loads(text)
            latest = told["checkpoint"].get("latest")
        except (ValueError, KeyError, TypeError, AttributeError) as odd:
            raise PlatformFailed(
                f"the state {self.place(stack)} was not understood ({type(odd).__name__}: {odd})",
                hint=f"put a copy of it back: they are in {self.store.place(self._copies(stack))}",
            ) from odd
        return None if latest is None else {"version": told.get("version", 3), "deployment": latest}

    def write(self, stack: str, deployment: Deployment) -> None:
        """Put a state in place of the one that is there, without the engine, which must not be at work on it."""
        told = json.loads(self.store.read(self.key(stack)) or b"{}")
        told["checkpoint"] = {"stack": stack, **told.get("checkpoint", {}), "latest": deployment["deployment"]}
        self.store.write(self.key(stack), json.dumps({"version": deployment["version"], **told}).encode())

    def keep(self, stack: str, deployment: Deployment) -> str:
        """Keep a copy of a state as it was before a change, and say where; the newest ten a stack stay."""
        folder = self._copies(stack)
        key = f"{folder}{datetime.now(UTC):%Y%m%dT%H%M%S.%f}.json"
        self.store.write(key, json.dumps(deployment).encode())
        for old in self.store.listed(folder)[:-KEPT_COPIES]:
            self.store.remove(old.key)
        return self.store.place(key)

    def copies(self, stack: str) -> tuple[Stored, ...]:
        """The copies of a state, oldest first."""
        return self.store.listed(self._copies(stack))

    def copies_place(self, stack: str) -> str:
        """Where the copies of a state are, for people."""
        return self.store.place(self._copies(stack))

    def fingerprint(self, stack: str) -> str | None:
        """What was noted beside the state when it was made to its end last; None where nothing was."""
        found = self.store.read(self._fingerprint(stack))
        return found.decode(errors="replace") if found is not None else None

    def note_fingerprint(self, stack: str, text: str) -> None:
        """Note it beside the state."""
        self.store.write(self._fingerprint(stack), text.encode())

    def forget(self, stack: str) -> None:
        """Take away what was noted beside a state that is gone."""
        self.store.remove(self._fingerprint(stack))

    def locks(self, stack: str) -> tuple[LockOwner, ...]:
        """Who holds the stack, oldest first."""
        found = self.store.listed(f".pulumi/locks/organization/{self.project}/{stack}/")
        # In a folder the engine keeps a file of attributes beside each.
        keys = [one.key for one in found if one.key.endswith(".json")]
        owners = [owner for key in keys if (owner := read_lock(self.store, key)) is not None]
        return tuple(sorted(owners, key=lambda one: one.since))

    def refuse_newer(self) -> None:
        """Raise `Refused` where a newer leptonctl keeps the states in a way that this one does not know.

        It is a refusal and not a failed check of tools: to go on would damage what the newer one has written.
        """
        text = self.store.read(self._mark)
        if text is None:
            return
        try:
            told = json.loads(text)
            number, version = int(told["format"]), str(told["leptonctl"])
        except (ValueError, KeyError, TypeError):
            number, version = FORMAT + 1, "unknown"
        if number > FORMAT:
            raise Refused(
                f"the states of site {self.project} were written by leptonctl {version}, in a format (in "
                f"{self.store.place(self._mark)}) that leptonctl {__version__} does not know",
                hint=f"install leptonctl {version} or newer; nothing was touched",
            )

    def mark(self) -> None:
        """Say in the store how the states are kept."""
        told = {"format": FORMAT, "leptonctl": __version__}
        if self.store.read(self._mark) is None:
            self.store.write(self._mark, (json.dumps(told) + "\n").encode())

    @property
    def _folder(self) -> str:
        return f".pulumi/stacks/{self.project}/"

    @property
    def _mark(self) -> str:
        return f"leptonctl/{self.project}.json"

    def _fingerprint(self, stack: str) -> str:
        return f"leptonctl/{self.project}/{stack}.applied"

    def _copies(self, stack: str) -> str:
        return f"copies/{self.project}/{stack}/"
