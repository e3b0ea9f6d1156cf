"""The tables of the catalogue are read whole, have their sources named, and are what a plan's price comes from."""

from pathlib import Path

import pytest

from leptonctl.catalog import catalogue, estimate
from leptonctl.planning.desired import desired
from leptonctl.planning.diff import diff
from leptonctl.planning.estimate import estimates
from leptonctl.planning.observed import NOTHING_ASKED
from leptonctl.render import plan_text
from leptonctl.session import scope
from leptonctl.sitefile.load import load_site

ROOT = Path(__file__).parents[2]


def test_the_catalogue_is_read_whole_and_each_file_has_its_source_named() -> None:
    book = catalogue()
    assert (len(book.machines), len(book.prices), len(book.carbon)) == (172, 895, 16)
    assert all(0 < price.usd_per_hour < 200 and price.as_of == "2025-03-02" for price in book.prices.values())
    assert all(facts.vcpus > 0 and facts.memory_gib > 0 for facts in book.machines.values())
    assert all(power.idle_w < power.busy_w for power in book.accelerators.values())
    assert book.prices["g6.12xlarge", "eu-central-1"].usd_per_hour == 5.75429
    folder = ROOT / "leptonctl" / "catalog"
    sources = (folder / "SOURCES.md").read_text()
    assert [file.name for file in folder.glob("*.csv") if f"`{file.name}`" not in sources] == []


def test_the_sample_of_aws_is_estimated_and_says_what_it_leaves_out() -> None:
    want = desired(load_site(ROOT / "templates" / "aws.yaml", environ={}).site)
    core, frankfurt = estimates(want, catalogue())
    assert [(part.count, part.machine_type) for part in core.machines] == [(2, "g6.12xlarge")]
    assert core.usd_per_hour == pytest.approx(2 * 5.75429)
    assert core.unpriced == (
        "1 t4g.small (gate): no price in the catalogue for eu-central-1",
        "1 m7i.large (control): no price in the catalogue for eu-central-1",
        "root disks, 1,080 GiB",
        "2 gp3 volumes, 2,000 GiB",
        "1 NAT gateway",
        "2 public IPv4 addresses",
        "bucket models",
        "traffic, requests, logs, keys",
    )
    assert frankfurt.unmeasured == ("accelerators L4 of 2 g6.xlarge (serve)",)


def test_the_question_of_up_shows_the_price_of_the_locations_that_it_is_about() -> None:
    want = desired(load_site(ROOT / "templates" / "aws.yaml", environ={}).site)
    plan = diff(scope(want, ("regions/frankfurt",)), NOTHING_ASKED)
    found = estimate(want, plan)
    assert [one.location for one in found] == ["regions/frankfurt"]
    assert "  regions/frankfurt    2.01 USD/h, 1,469.34 USD/month\n" in plan_text(plan, found)
    nowhere = diff(scope(want, ("edges/plant",)), NOTHING_ASKED)
    assert estimate(want, nowhere) == ()
    assert "cost" not in plan_text(nowhere)
