"""Every location on AWS of every sample site, each run once against the fake engine."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import stacks.aws.core
import stacks.aws.edge
import stacks.aws.region
from leptonctl.planning.aws import location_args
from leptonctl.planning.aws_types import LocationOutputs
from leptonctl.planning.typed_json import from_json
from leptonctl.sitefile.load import load_site
from tests.stacks.fake_engine import FakeEngine, filled, run_program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.planning.aws_types import LocationArgs
    from tests.stacks.fake_engine import Registered

ROOT = Path(__file__).parents[2]
PROGRAMS = {"core": stacks.aws.core, "region": stacks.aws.region, "edge": stacks.aws.edge}


@dataclass(frozen=True)
class Ran:
    """A location, completed as its platform would, and what its program did."""

    args: LocationArgs
    engine: FakeEngine
    exported: dict[str, Any]

    @property
    def outputs(self) -> LocationOutputs:
        return from_json(LocationOutputs, self.exported)


def site_files() -> list[Path]:
    """Every site file of the repository with a location on AWS."""
    folders = ("templates", "tests/sites/valid", "tests/engine/sites")
    found = (path for folder in folders for path in sorted((ROOT / folder).glob("*.yaml")))
    return [path for path in found if "platform: aws" in path.read_text(encoding="utf-8")]


@cache
def ran_of_file(path: Path) -> dict[str, Ran]:
    """By location address."""
    site, done = load_site(path, environ={}).site, dict[str, Ran]()
    for address in site.locations():
        args = location_args(site, address)
        if args is not None:
            args = filled(args, {above: ran.outputs for above, ran in done.items()})
            done[address] = Ran(args, *run_program(PROGRAMS[args.tier], args))
    return done


@cache
def all_ran() -> dict[str, Ran]:
    """Every location, by file and address."""
    return {f"{path.stem}:{address}": ran for path in site_files() for address, ran in ran_of_file(path).items()}


def everywhere() -> Iterator[tuple[Ran, Registered]]:
    """Every resource that any program registers for any sample."""
    for ran in all_ran().values():
        for one in ran.engine.registered:
            yield ran, one


def of_type(kind: str) -> list[Registered]:
    """Those of one type, which some sample has to have."""
    found = [one for _, one in everywhere() if one.type == kind]
    assert found, f"no sample has {kind}"
    return found
