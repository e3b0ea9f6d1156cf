"""Ranges: what they stand for, and the hosts of a group."""

from __future__ import annotations

import pytest

from leptonctl.sitefile.model import Host, NodeGroup
from leptonctl.sitefile.ranges import RangeError, expand, group_hosts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("box", ["box"]),
        ("box-[1:3]", ["box-1", "box-2", "box-3"]),
        ("box-[09:11].example.com", ["box-09.example.com", "box-10.example.com", "box-11.example.com"]),
        ("[8:10]", ["8", "9", "10"]),
        ("[1:10:4]", ["1", "5", "9"]),
        ("[5:5]", ["5"]),
        ("[0:1]-[00:01]", ["0-00", "0-01", "1-00", "1-01"]),
    ],
)
def test_a_range_stands_for_names_in_order(text: str, expected: list[str]) -> None:
    assert expand(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[2:1]", "'[2:1]' counts down"),
        ("[01:100]", "the ends of '[01:100]' have different widths"),
        ("[1:2:0]", "the step of '[1:2:0]' is 0"),
        ("[a:f]", "'[a:f]' is not a range"),
        ("[]", "'[]' is not a range"),
        ("[1:2", "'[1:2' has a bracket without its other half"),
        ("1:2]", "'1:2]' has a bracket without its other half"),
        ("[[1:2]]", "'[[1:2]]' has a bracket without its other half"),
        ("[1:999999999]", "'[1:999999999]' stands for more than 100000 hosts"),
        ("[1:9999999999]", "'[1:9999999999]' is not a range"),
        ("[1:1000][1:1000]", "'[1:1000][1:1000]' stands for more than 100000 hosts"),
    ],
)
def test_a_wrong_range_says_why(text: str, expected: str) -> None:
    with pytest.raises(RangeError) as caught:
        expand(text)
    assert str(caught.value) == expected


def test_the_hosts_of_a_count_are_numbered_from_one() -> None:
    assert group_hosts("box", NodeGroup(count=3)) == (Host(name="box-1"), Host(name="box-2"), Host(name="box-3"))


def test_listed_hosts_keep_their_order_and_mappings() -> None:
    listed = Host(name="a", address="192.0.2.1")
    group = NodeGroup(hosts=("z", listed, "b-[1:2]"))
    assert group_hosts("box", group) == (Host(name="z"), listed, Host(name="b-1"), Host(name="b-2"))


def test_a_group_without_hosts_has_none() -> None:
    assert group_hosts("box", NodeGroup()) == ()
