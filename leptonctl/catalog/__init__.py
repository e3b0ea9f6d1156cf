"""The catalogue: what machine types are, cost and draw, from the tables beside this file; SOURCES.md says whence."""

from __future__ import annotations

import csv
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from leptonctl.planning.cost import PriceBook
from leptonctl.planning.estimate import Carbon, Catalogue, MachineFacts, PowerRange, Price, estimates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.planning.desired import Desired
    from leptonctl.planning.estimate import Estimate
    from leptonctl.planning.plan import Plan

_FOLDER = Path(__file__).parent
PRICE_SOURCE = "apache-libcloud 3.9.1"


@cache
def catalogue() -> Catalogue:
    """Every table, read once."""
    return Catalogue(
        machines={row["instance_type"]: _machine(row) for row in _rows("aws_machines.csv")},
        prices={
            (row["instance_type"], row["region"]): Price(float(row["usd_per_hour"]), row["as_of"], PRICE_SOURCE)
            for row in _rows("aws_prices.csv")
        },
        accelerators={
            row["model"]: PowerRange(float(row["min_w"]), float(row["max_w"])) for row in _rows("accelerator_power.csv")
        },
        carbon={
            row["region"]: Carbon(float(row["gco2_per_kwh"]), f"{row['basis']}, {row['year']}")
            for row in _rows("carbon.csv")
            if row["provider"] == "aws"
        },
    )


@cache
def price_book() -> PriceBook:
    """The prices of things that are there."""
    parts = {
        (row["part"], row["region"]): Price(float(row["usd"]), row["as_of"], row["source"])
        for row in _rows("aws_part_prices.csv")
    }
    return PriceBook(catalogue().prices, parts)


def estimate(want: Desired, plan: Plan) -> tuple[Estimate, ...]:
    """What each location of the plan on AWS costs, draws and emits; the tables are read only where there is one."""
    named = {location.address for location in plan.locations}
    on_aws = tuple(one for one in want.locations if one.aws is not None and one.address in named)
    return estimates(replace(want, locations=on_aws), catalogue()) if on_aws else ()


def _machine(row: dict[str, str]) -> MachineFacts:
    return MachineFacts(
        vcpus=int(row["vcpu"]),
        memory_gib=float(row["memory_gib"]),
        accelerator=row["accel_model"] or None,
        # A part of an accelerator is listed as none: how much it draws is not known.
        accelerator_count=int(row["accel_count"] or 0),
    )


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (_FOLDER / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
