"""Reads the price book that comes with leptonctl."""

from __future__ import annotations

import csv
from functools import cache
from typing import TYPE_CHECKING

from leptonctl.assets import asset
from leptonctl.planning.cost import Price, PriceBook, price_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leptonctl.planning.observed import ObservedResource

_MACHINES_SOURCE = "apache-libcloud 3.9.1"


@cache
def price_book() -> PriceBook:
    """All public prices that are known, from `catalog/`."""
    machines = {
        (row["instance_type"], row["region"]): Price(float(row["usd_per_hour"]), _MACHINES_SOURCE, row["as_of"])
        for row in _rows("aws_machine_prices.csv")
    }
    parts = {
        (row["part"], row["region"]): Price(float(row["usd"]), row["source"], row["as_of"])
        for row in _rows("aws_part_prices.csv")
    }
    return PriceBook(machines, parts)


def prices_of(resources: Sequence[ObservedResource]) -> tuple[Price | None, ...]:
    """What each costs an hour; None where it is not known, or where it is a thing of this machine."""
    return tuple(price_of(one, price_book()) if one.platform == "aws" else None for one in resources)


def _rows(name: str) -> list[dict[str, str]]:
    with asset("catalog", name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
