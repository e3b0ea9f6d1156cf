"""What is known of each Xid: the verdict, the action, whose word that is, and where the sources disagree."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache

from leptonctl.health.data import read_data
from leptonctl.health.verdict import Action, Verdict

_TABLE = "xid.toml"


@dataclass(frozen=True, slots=True)
class Xid:
    """One code. `name` is None where no source has one; `said` and `choice` are set where sources disagree."""

    code: int
    name: str | None
    verdict: Verdict
    action: Action
    source: str
    said: tuple[str, ...] = ()
    choice: str | None = None

    @property
    def is_application(self) -> bool:
        """Whether the code speaks of the program that ran, and not of the GPU."""
        return self.action == Action.RESTART_APPLICATION


def xid(code: int) -> Xid:
    """What is known of a code. One that the table does not have is unused in the catalogue: unknown, for support."""
    found = xids().get(code)
    if found is not None:
        return found
    return Xid(code, None, Verdict.UNKNOWN, Action.SUPPORT, "the catalogue has no such code, or calls it unused")


@cache
def xids() -> dict[int, Xid]:
    """Every code of the table, in order."""
    table = tomllib.loads(read_data(_TABLE))
    names = {int(code): name for code, name in table["names"].items()}
    disagreements = {one["code"]: one for one in table["disagreement"]}
    found = {
        code: Xid(
            code=code,
            name=names.get(code),
            verdict=Verdict(group["verdict"]),
            action=Action(group["action"]),
            source=table["sources"][group["source"]],
            said=tuple(disagreements.get(code, {}).get("said", ())),
            choice=disagreements.get(code, {}).get("choice"),
        )
        for group in table["group"]
        for code in group["codes"]
    }
    return dict(sorted(found.items()))


def table_version() -> str:
    """The date of the table."""
    return str(tomllib.loads(read_data(_TABLE))["version"])
