from __future__ import annotations

from typing import Any

import pytest

from leptonctl.catalog import price_book
from leptonctl.planning.cost import FREE, PriceBook, price_of, price_text
from leptonctl.planning.estimate import Price
from leptonctl.planning.observed import ObservedResource

MACHINE = Price(0.5, as_of="2026-01-01", source="a list")
PART = Price(0.045, as_of="2026-02-01", source="a page")
BOOK = PriceBook(
    {("m5.large", "eu-central-1"): MACHINE}, {("nat-gateway", "us-east-1"): PART, ("public-ipv4", "*"): PART}
)


def thing(type_: str, *, region: str = "eu-central-1", status: str = "running", **properties: Any) -> ObservedResource:
    more = {"type": type_, "region": region, **properties}
    return ObservedResource("host", "core/box-1", "core", "i-1", status, more, platform="aws")


@pytest.mark.parametrize(
    ("resource", "price"),
    [
        (thing("instance", machine="m5.large"), MACHINE),
        (thing("instance", machine="m5.large", region="us-east-1"), None),
        (thing("instance", machine="m5.large", capacity="spot"), None),
        (thing("instance", machine="m5.large", status="stopped"), FREE),
        (thing("natgateway", region="us-east-1"), PART),
        (thing("natgateway"), None),
        (thing("elastic-ip"), PART),
        (thing("elastic-ip", region="cn-north-1"), None),
        (thing("vpc-endpoint", service="Gateway"), FREE),
        (thing("vpc-endpoint", service="Interface"), None),
        (thing("volume"), None),
        (thing("security-group"), FREE),
        (thing("something-new"), None),
    ],
)
def test_a_price_is_that_of_the_region_or_not_known(resource: ObservedResource, price: Price | None) -> None:
    assert price_of(resource, BOOK) == price


def test_a_price_is_told_with_its_month_source_and_date() -> None:
    assert price_text(MACHINE) == "it costs 0.5 USD per hour, 365.00 per month (a list, 2026-01-01)"
    assert price_text(FREE) == "it costs nothing by itself"
    assert price_text(None) == "what it costs is not known"


def test_the_book_has_a_source_and_a_date_for_every_price() -> None:
    book = price_book()
    assert book.machine("g4dn.xlarge", "eu-west-1") == Price(0.587, "2025-03-02", "apache-libcloud 3.9.1")
    every = (*book.machines.values(), *book.parts.values())
    assert len(every) > 800
    assert all(price.usd_per_hour > 0 and price.source and len(price.as_of) == len("2026-01-01") for price in every)
