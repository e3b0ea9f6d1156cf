from __future__ import annotations

from typing import Any

import pytest

from leptonctl.planning.cost import FREE, Price, PriceBook, price_of, price_text
from leptonctl.planning.observed import ObservedResource

MACHINE, PART = Price(0.5, "a list", "2026-01-01"), Price(0.045, "a page", "2026-02-01")
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
