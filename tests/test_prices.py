from __future__ import annotations

from leptonctl.planning.cost import Price
from leptonctl.planning.observed import ObservedResource
from leptonctl.prices import price_book, prices_of


def test_the_book_has_a_source_and_a_date_for_every_price() -> None:
    book = price_book()
    assert book.machine("g4dn.xlarge", "eu-west-1") == Price(0.587, "apache-libcloud 3.9.1", "2025-03-02")
    assert book.machine("g4dn.xlarge", "mars-1") is None
    every = (*book.machines.values(), *book.parts.values())
    assert len(every) > 800
    assert all(price.usd_per_hour > 0 and price.source and len(price.as_of) == len("2026-01-01") for price in every)


def test_a_thing_of_this_machine_has_no_price() -> None:
    assert prices_of([ObservedResource("host", "core/box-1", "core", "1", "running")]) == (None,)
