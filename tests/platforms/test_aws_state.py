from __future__ import annotations

from typing import Any

from leptonctl.platforms.aws_state import kept_apart, named_data, outputs_of, what_data_stands_on

VOLUME = "aws:ebs/volume:Volume"
BUCKET = "aws:s3/bucket:Bucket"
FILES = "aws:fsx/lustreFileSystem:LustreFileSystem"
CLOSED = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"


def state(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"version": 3, "deployment": {"resources": list(resources)}}


def resource(type_: str, address: str, **more: Any) -> dict[str, Any]:
    store = address.split("/")[1]
    tags = {"leptonctl:address": address, "leptonctl:location": "core", "leptonctl:store": store}
    return {"urn": f"urn::{type_}::{address}", "type": type_, "inputs": {"tags": tags}, "protect": True, **more}


def protected(found: dict[str, Any]) -> list[bool]:
    return [bool(one.get("protect")) for one in found["deployment"]["resources"]]


def test_only_the_stores_that_are_named_may_go() -> None:
    before = state(
        resource(VOLUME, "core/data/box-1"), resource(VOLUME, "core/logs/box-1"), resource(BUCKET, "core/models")
    )
    assert protected(named_data(before, frozenset())) == [True, True, True]
    assert protected(named_data(before, frozenset({"core/data"}))) == [False, True, True]
    assert protected(named_data(before, frozenset({"core/models"}))) == [True, True, False]
    assert protected(named_data(before, frozenset({"all"}))) == [False, False, False]


def test_a_named_bucket_goes_with_its_objects() -> None:
    found = named_data(state(resource(BUCKET, "core/models")), frozenset({"core/models"}))
    bucket = found["deployment"]["resources"][0]
    assert bucket["inputs"]["forceDestroy"] is True
    assert bucket["outputs"]["forceDestroy"] is True


def test_a_kept_volume_depends_on_nothing_and_another_one_as_before() -> None:
    more: dict[str, Any] = {"dependencies": ["urn::host"], "propertyDependencies": {"availabilityZone": ["urn::host"]}}
    kept = resource(VOLUME, "core/data/box-1", **more)
    going = resource(VOLUME, "core/data/box-2", **more) | {"protect": False}
    found = kept_apart(state(kept, going))["deployment"]["resources"]
    assert (found[0]["dependencies"], found[0]["propertyDependencies"]) == ([], {})
    assert found[1] == going


def test_what_closes_a_bucket_stays_as_long_as_the_bucket() -> None:
    closed = {"urn": "urn::closed", "type": CLOSED, "inputs": {"bucket": "models-1"}, "protect": False}
    bucket = resource(BUCKET, "core/models", id="models-1")
    kept = kept_apart(state(bucket, closed))
    assert protected(kept) == [True, True]
    assert protected(kept_apart(named_data(kept, frozenset({"core/models"})))) == [False, False]


def taken_down() -> list[dict[str, Any]]:
    """What is left in a state: a file system, a volume, and the network."""
    network = {"urn": "urn::vpc", "type": "aws:ec2/vpc:Vpc", "id": "vpc-1", "inputs": {}, "custom": True}
    subnet = {**network, "urn": "urn::subnet", "type": "aws:ec2/subnet:Subnet", "id": "subnet-1"}
    subnet["dependencies"] = ["urn::vpc"]
    part = {"urn": "urn::part", "type": "leptonctl:network:Network", "dependencies": ["urn::gateway"]}
    files = resource(FILES, "core/scratch", id="fs-1", custom=True, dependencies=["urn::subnet", "urn::part"])
    volume = resource(VOLUME, "core/data/box-1", id="vol-1", custom=True, dependencies=["urn::vpc"])
    return [network, subnet, part, files, volume]


def test_a_kept_file_system_stands_on_all_that_it_depends_on_and_a_kept_volume_on_nothing() -> None:
    kept = kept_apart(state(*taken_down()))
    assert what_data_stands_on(kept) == {"vpc-1": "core/scratch", "subnet-1": "core/scratch"}
    assert what_data_stands_on(named_data(kept, frozenset({"core/scratch"}))) == {}


def test_a_group_whose_tags_are_a_list_keeps_nothing_and_is_no_hindrance() -> None:
    tags = [{"key": "leptonctl:address", "value": "core/serve", "propagateAtLaunch": True}]
    group = {"urn": "urn::group", "type": "aws:autoscaling/group:Group", "id": "g", "custom": True}
    assert what_data_stands_on(kept_apart(state({**group, "inputs": {"tags": tags}}))) == {}
    kept = what_data_stands_on(state({**group, "inputs": {"tags": tags}, "protect": True}))
    assert kept == {}


def test_nothing_is_kept_for_data_before_everything_else_is_gone() -> None:
    gateway = {"urn": "urn::gateway", "type": "aws:ec2/natGateway:NatGateway", "id": "nat-1", "custom": True}
    assert what_data_stands_on(kept_apart(state(*taken_down(), gateway))) == {}


def test_outputs_of_a_stack_that_was_never_made_to_its_end_are_none() -> None:
    assert outputs_of(state({"type": "pulumi:pulumi:Stack", "urn": "u", "outputs": {"location": "core"}})) is None
    assert outputs_of(state()) is None
