"""What locations on AWS cost, draw and emit: figures worked out by hand, and nothing filled in."""

from pathlib import Path

import pytest

from leptonctl.planning.desired import Desired, desired
from leptonctl.planning.estimate import (
    Carbon,
    Catalogue,
    Estimate,
    MachineFacts,
    PowerRange,
    Price,
    estimates,
    power_of,
)
from leptonctl.sitefile.load import load_site
from leptonctl.summaries.estimate import estimate_data, estimate_lines

SITE = """
site: demo
owner: ops
core:
  platform: aws
  aws: {region: eu-central-1, internet: none}
  network: {cidr: 10.64.0.0/20}
  nodes:
    small: {count: 3, machine: {type: m5.large, disk_gib: 50}}
    gpu: {count: 2, machine: {type: p3.2xlarge, disk_gib: 100}}
"""
BOOK = Catalogue(
    machines={
        "m5.large": MachineFacts(2, 8.0),
        "p3.2xlarge": MachineFacts(8, 61.0, "V100", 1),
        "g6.xlarge": MachineFacts(4, 16.0, "L4", 1),
    },
    prices={("m5.large", "eu-central-1"): Price(0.115, "2025-03-02", "a list")},
    accelerators={"V100": PowerRange(35.0, 306.0)},
    carbon={"eu-central-1": Carbon(400.0, "a grid, 2023")},
)


def site(tmp_path: Path, text: str = SITE) -> Desired:
    file = tmp_path / "site.yaml"
    file.write_text(text)
    return desired(load_site(file, environ={}).site)


def only(want: Desired, book: Catalogue = BOOK) -> Estimate:
    (found,) = estimates(want, book)
    return found


def test_the_sum_is_of_what_has_a_price_and_the_rest_is_named(tmp_path: Path) -> None:
    found = only(site(tmp_path))
    assert found.usd_per_hour == pytest.approx(3 * 0.115)
    assert found.usd_per_month == pytest.approx(251.85)
    assert found.unpriced == (
        "2 p3.2xlarge (gpu): no price in the catalogue for eu-central-1",
        "root disks, 350 GiB",
        "traffic, requests, logs, keys",
    )


def test_power_is_that_of_processors_memory_and_accelerators_with_the_overhead(tmp_path: Path) -> None:
    found = only(site(tmp_path))
    # Idle 3 x (2 vCPU x 0.74 + 8 GiB x 0.392) = 13.848, 2 x (8 x 0.74 + 61 x 0.392 + 35) = 129.664; busy 3.5 W and 306.
    assert found.power is not None
    assert found.power.idle_w == pytest.approx((13.848 + 129.664) * 1.135)
    assert found.power.busy_w == pytest.approx((30.408 + 715.824) * 1.135)
    assert found.unmeasured == ()


def test_carbon_is_of_the_region_with_its_basis_named(tmp_path: Path) -> None:
    found = only(site(tmp_path))
    # 162.886 W for 730 h are 118.907 kWh, at 400 g 47.56 kg; 846.973 W are 618.290 kWh and 247.32 kg.
    assert found.kg_co2e_per_month is not None
    assert found.kg_co2e_per_month[0] == pytest.approx(47.563, abs=0.001)
    assert found.kg_co2e_per_month[1] == pytest.approx(247.316, abs=0.001)
    elsewhere = only(site(tmp_path, SITE.replace("eu-central-1", "eu-south-1")))
    assert (elsewhere.carbon, elsewhere.kg_co2e_per_month, elsewhere.machines) == (None, None, ())


def test_accelerators_without_a_known_range_are_left_out_and_named(tmp_path: Path) -> None:
    found = only(site(tmp_path, SITE.replace("p3.2xlarge", "g6.xlarge")))
    assert found.unmeasured == ("accelerators L4 of 2 g6.xlarge (gpu)",)
    assert power_of(BOOK.machines["g6.xlarge"], BOOK) == (PowerRange(9.232, 20.272), False)
    part = MachineFacts(2, 8.0, "V100", 0)
    assert power_of(part, BOOK)[1] is False


def test_a_machine_that_is_not_in_the_catalogue_is_named_in_both(tmp_path: Path) -> None:
    found = only(site(tmp_path, SITE.replace("p3.2xlarge", "z9.large")))
    assert found.unmeasured == ("2 z9.large (gpu)",)
    assert found.unpriced[0] == "2 z9.large (gpu): no price in the catalogue for eu-central-1"


def test_spot_has_no_price_and_what_scales_is_counted_from_its_start(tmp_path: Path) -> None:
    text = SITE.replace(
        "gpu: {count: 2, machine: {type: p3.2xlarge, disk_gib: 100}}",
        "gpu: {scaling: {min: 1, max: 4}, machine: {type: m5.large, disk_gib: 100}}\n"
        "    spare: {count: 1, machine: {type: m5.large, disk_gib: 10}, aws: {capacity: spot}}",
    )
    found = only(site(tmp_path, text))
    assert found.usd_per_hour == pytest.approx(4 * 0.115)
    assert found.unpriced == (
        "1 m5.large (spare): the price of spot capacity is made by AWS from hour to hour",
        "up to 3 more m5.large (gpu)",
        "root disks, 260 GiB",
        "traffic, requests, logs, keys",
    )


def test_a_site_without_aws_has_no_estimate(tmp_path: Path) -> None:
    want = site(tmp_path, "site: demo\nowner: ops\ncore: {platform: local}\n")
    assert estimates(want, BOOK) == ()
    assert estimate_data(()) is None


def test_the_text_has_the_date_and_source_of_prices_the_basis_of_carbon_and_what_is_not_known(tmp_path: Path) -> None:
    data = estimate_data(estimates(site(tmp_path), BOOK))
    assert data is not None
    assert list(estimate_lines(data)) == [
        "cost of what has a known price (a list of 2025-03-02; on demand, 730 h a month)",
        "  core                 0.34 USD/h, 251.85 USD/month",
        "    3 m5.large at 0.115 USD/h",
        "    not known: 2 p3.2xlarge (gpu): no price in the catalogue for eu-central-1",
        "    not known: root disks, 350 GiB",
        "    not known: traffic, requests, logs, keys",
        "  all of them          0.34 USD/h, 251.85 USD/month",
        "power and carbon of the machines, idle to busy (overhead 1.135)",
        "  core                 163 to 847 W; 47.6 to 247.3 kg CO2e/month (400.0 g/kWh: a grid, 2023)",
    ]
