from __future__ import annotations

from ipaddress import IPv4Network
from itertools import combinations

import pytest

from leptonctl.sitefile.aws import architecture_of, partition_of, private_subnet, public_subnet


@pytest.mark.parametrize("cidr", ["10.0.0.0/16", "10.0.0.0/24"])
def test_subnets_lie_in_the_network_and_overlap_nowhere(cidr: str) -> None:
    subnets = [cut(cidr, zone) for cut in (private_subnet, public_subnet) for zone in range(3)]
    assert all(subnet.subnet_of(IPv4Network(cidr)) for subnet in subnets)
    assert not any(one.overlaps(other) for one, other in combinations(subnets, 2))
    # AWS makes none that is smaller.
    assert all(subnet.prefixlen <= 28 for subnet in subnets)


@pytest.mark.parametrize(
    ("machine_type", "architecture"),
    [
        *(
            (one, "arm64")
            for one in ("t4g.small", "c7gn.large", "im4gn.large", "is4gen.large", "x2gd.large", "a1.large")
        ),
        *((one, "arm64") for one in ("g5g.xlarge", "hpc7g.4xlarge", "p6e-gb200.36xlarge")),
        *((one, "x86_64") for one in ("g6.xlarge", "g4dn.xlarge", "gr6.4xlarge", "p5.48xlarge", "p6-b200.48xlarge")),
        *((one, "x86_64") for one in ("m7i.large", "trn2.48xlarge", "u-6tb1.metal", "u7i-12tb.224xlarge")),
    ],
)
def test_the_name_of_a_machine_type_says_its_architecture(machine_type: str, architecture: str) -> None:
    assert architecture_of(machine_type) == architecture


def test_regions_lie_in_one_part_of_aws() -> None:
    found = [partition_of(region) for region in ("eu-central-1", "us-gov-west-1", "cn-north-1", "us-iso-east-1")]
    assert found == ["aws", "aws-us-gov", "aws-cn", "aws-iso"]
