from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from leptonctl.planning.aws import location_args
from leptonctl.planning.aws_quotas import demands, quota_of
from leptonctl.sitefile.load import load_site

if TYPE_CHECKING:
    from leptonctl.planning.aws_types import LocationArgs

SITE = load_site(Path(__file__).parents[1] / "engine/sites/full.yaml", environ={}).site
VCPUS = {"m5.large": 2, "p4d.24xlarge": 96, "g4dn.xlarge": 4}


def args_of(address: str) -> LocationArgs:
    found = location_args(SITE, address)
    assert found is not None
    return found


def asked(*locations: LocationArgs) -> dict[str, float]:
    """What is asked, by the quota's code; of a quota that holds by zone, by code and zone."""
    found = demands(locations, VCPUS)
    return {one.quota.code + (f" {one.zone}" if one.zone else ""): one.asked for one in found}


@pytest.mark.parametrize(
    ("machine_type", "on_demand", "spot"),
    [
        ("m7i.large", "L-1216C47A", "L-34B43A08"),
        ("im4gn.large", "L-1216C47A", "L-34B43A08"),
        ("g6.xlarge", "L-DB2E81BA", "L-3819A6DF"),
        ("gr6.4xlarge", "L-DB2E81BA", "L-3819A6DF"),
        ("vt1.3xlarge", "L-DB2E81BA", "L-3819A6DF"),
        ("p4d.24xlarge", "L-417A185B", "L-7212CCBC"),
        ("p5en.48xlarge", "L-417A185B", "L-C4BD4855"),
        ("inf2.xlarge", "L-1945791B", "L-B5D1601B"),
        ("trn1.32xlarge", "L-2C3B7624", "L-6B0D517C"),
        ("dl1.24xlarge", "L-6E869C2A", "L-85EED4F7"),
        ("f1.2xlarge", "L-74FC7D96", "L-88CF9481"),
        ("x2gd.large", "L-7295265B", "L-E3A00192"),
        ("u-6tb1.metal", "L-43DA4232", None),
        ("hpc7g.4xlarge", "L-F7808C92", None),
    ],
)
def test_a_machine_type_counts_against_the_class_of_its_family(
    machine_type: str, on_demand: str, spot: str | None
) -> None:
    found = quota_of(machine_type, "on-demand")
    assert found is not None
    assert found.code == on_demand
    cheap = quota_of(machine_type, "spot")
    assert (cheap.code if cheap else None) == spot


def test_the_demand_of_a_location_is_counted_by_quota() -> None:
    found = asked(args_of("core"))
    assert found["L-1216C47A"] == 3 * 2
    assert found["L-417A185B"] == 2 * 96
    assert found["L-F678F1CE"] == 1  # the network
    assert found["L-FE5A380F eu-central-1a"] == 1  # its NAT gateway
    assert found["L-0263D0A3"] == 1  # whose address it is
    assert found["L-8F1B9C74"] == 1200  # Lustre, in GiB
    assert found["L-7A658B76"] == (3 * 30 + 2 * 500 + 2 * 10) / 1024  # root disks and volumes, in TiB


def test_locations_of_a_region_are_added_up() -> None:
    found = asked(args_of("core"), args_of("regions/south"))
    assert (found["L-F678F1CE"], found["L-DB2E81BA"], found["L-FE5A380F eu-central-1a"]) == (2, 4, 2)
    # The core is peered with the region, and the limit is of one network.
    assert found["L-7E9ECCDB"] == 1


def test_a_block_of_capacity_and_an_unknown_type_count_against_no_vcpus() -> None:
    core = args_of("core")
    blocks = replace(core, groups=tuple(replace(one, capacity="block") for one in core.groups))
    unknown = replace(core, groups=tuple(replace(one, machine_type="m9.huge") for one in core.groups))
    for location in (blocks, unknown):
        assert {"L-1216C47A", "L-417A185B"} & asked(location).keys() == set()


def test_each_network_card_is_an_interface() -> None:
    # Three control machines, two with two cards, one NAT gateway, one endpoint in two zones.
    assert asked(args_of("core"))["L-DF5E4CA3"] == 3 + 2 * 2 + 1 + 2
