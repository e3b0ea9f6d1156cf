from __future__ import annotations

from ipaddress import IPv4Network
from itertools import islice

import pytest

from leptonctl.platforms.local_network import (
    POOL,
    TakenRange,
    free_addresses,
    free_ranges,
    holds,
    overlaps,
    ranges_of_locations,
    ranges_of_networks,
    ranges_of_routes,
)
from leptonctl.platforms.podman import PodmanNetwork
from tests.platforms.sites import location

ROUTES = """\
Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	010200C0	0003	0	0	0	00000000	0	0	0
podman0	0000580A	00000000	0001	0	0	0	0000FFFF	0	0	0
"""


def test_routes_are_read_without_the_default_route() -> None:
    assert ranges_of_routes(ROUTES) == (
        TakenRange(IPv4Network("10.88.0.0/16"), "a route of this machine (device podman0)"),
    )


def test_networks_give_their_ipv4_ranges() -> None:
    network = PodmanNetwork("1", "other", {}, ("10.1.0.0/24", "fd00::/64"))
    assert ranges_of_networks([network]) == (TakenRange(IPv4Network("10.1.0.0/24"), "podman network 'other'"),)


def test_ranges_of_the_site_file_are_taken_before_they_are_made() -> None:
    assert ranges_of_locations([location("core", cidr="10.70.0.0/24"), location("edges/shop")]) == (
        TakenRange(IPv4Network("10.70.0.0/24"), "location core"),
    )


def test_a_range_inside_or_around_a_taken_one_overlaps() -> None:
    taken = TakenRange(IPv4Network("10.80.0.0/16"), "a VPN")
    assert overlaps("10.80.7.0/24", [taken]) is taken
    assert overlaps("10.0.0.0/8", [taken]) is taken
    assert overlaps("10.81.0.0/24", [taken]) is None


def test_the_same_location_is_offered_the_same_ranges_and_another_one_others() -> None:
    first = list(islice(free_ranges((), host_count=3, seed="demo/core"), 3))
    assert first == list(islice(free_ranges((), host_count=3, seed="demo/core"), 3))
    assert first != list(islice(free_ranges((), host_count=3, seed="demo/edges/shop"), 3))


def test_offered_ranges_are_in_the_pool_free_and_each_only_once() -> None:
    half = TakenRange(IPv4Network("10.64.0.0/11"), "half of it")
    offered = [IPv4Network(one) for one in free_ranges([half], host_count=3, seed="demo/core")]
    assert len(offered) == len(set(offered)) == 2**13
    assert all(one.subnet_of(POOL) and not one.overlaps(half.network) for one in offered)


def test_nothing_is_offered_where_all_is_taken() -> None:
    assert list(free_ranges([TakenRange(POOL, "all")], host_count=1, seed="x")) == []


@pytest.mark.parametrize(("hosts", "prefix"), [(1, 24), (253, 24), (254, 23), (1000, 22), (10_000, 18)])
def test_a_range_is_large_enough_for_its_hosts(hosts: int, prefix: int) -> None:
    cidr = next(free_ranges((), host_count=hosts, seed="x"))
    assert cidr.endswith(f"/{prefix}")
    assert holds(cidr, hosts)


def test_a_range_that_is_one_address_short_does_not_hold() -> None:
    assert holds("10.0.0.0/29", 5)
    assert not holds("10.0.0.0/29", 6)


def test_addresses_are_given_lowest_first_without_the_gateway_and_those_in_use() -> None:
    assert list(free_addresses("10.0.0.0/29", ["10.0.0.3", ""])) == ["10.0.0.2", "10.0.0.4", "10.0.0.5", "10.0.0.6"]
