"""Clusters as AWS tells of them, and what of a state goes with one that is gone; moto plays AWS."""

from __future__ import annotations

from typing import Any

import boto3

from leptonctl.planning.observed import ObservedResource
from leptonctl.platforms.aws_cloud import AwsCloud
from leptonctl.platforms.aws_clusters import clusters, delete_claims, drop_if_gone, without_what_is_inside
from leptonctl.platforms.aws_look import observed_location
from leptonctl.platforms.aws_region import look_at
from tests.platforms.marks import REGION

MARKS = {"leptonctl:site": "demo", "leptonctl:location": "core", "leptonctl:address": "core"}
ROLE = "arn:aws:iam::123456789012:role/made"
PROVIDER = "urn:pulumi:core::demo::leptonctl:addons:Addons$pulumi:providers:kubernetes::addons-api"
STATE: dict[str, Any] = {
    "version": 3,
    "deployment": {
        "manifest": {"time": "then"},
        "resources": [
            {"urn": "a", "type": "aws:eks/cluster:Cluster", "id": "demo_core"},
            {"urn": "b", "type": "leptonctl:addons:Addons", "dependencies": []},
            {"urn": PROVIDER, "type": "pulumi:providers:kubernetes", "dependencies": ["a"]},
            {"urn": "c", "type": "kubernetes:core/v1:Namespace", "provider": f"{PROVIDER}::1"},
            {
                "urn": "d",
                "type": "aws:iam/role:Role",
                "dependencies": ["a", "c"],
                "propertyDependencies": {"name": ["a", "c"]},
            },
        ],
    },
}


def make_cluster(name: str = "demo_core", **marks: str) -> None:
    eks = boto3.client("eks", region_name=REGION)
    ways = {"subnetIds": ["subnet-1", "subnet-2"], "endpointPublicAccess": True, "publicAccessCidrs": ["192.0.2.0/24"]}
    tags = {**MARKS, **marks, "leptonctl:kind": "cluster"}
    eks.create_cluster(name=name, roleArn=ROLE, version="1.34", resourcesVpcConfig=ways, tags=tags)
    eks.create_nodegroup(
        clusterName=name,
        nodegroupName="cluster-gpu-1a2b",
        nodeRole=ROLE,
        subnets=["subnet-1"],
        instanceTypes=["g6.xlarge"],
        scalingConfig={"minSize": 0, "maxSize": 4, "desiredSize": 2},
        tags={**tags, "leptonctl:group": "gpu"},
    )


def test_a_cluster_is_found_with_its_groups_by_its_mark_alone(ec2: Any) -> None:
    assert ec2
    make_cluster()
    make_cluster("demo_other", **{"leptonctl:site": "somebody"})
    make_cluster("unmarked_core", **{"leptonctl:site": "unmarked"})
    found = clusters(AwsCloud(REGION), "demo")
    assert [(one.type, one.id, one.status) for one in found] == [
        ("eks-cluster", "demo_core", "active"),
        ("eks-nodegroup", "demo_core/cluster-gpu-1a2b", "active"),
    ]
    assert clusters(AwsCloud(REGION), "demo", "regions/west") == ()


def test_a_cluster_is_told_in_the_words_of_the_site(ec2: Any, tmp_path: Any) -> None:
    assert ec2
    make_cluster()
    location = observed_location("core", look_at(AwsCloud(REGION), "demo", "core").found, key=tmp_path / "key")
    assert location is not None
    assert location.resources == (
        ObservedResource(
            kind="cluster",
            address="core",
            location="core",
            id="demo_core",
            status="active",
            properties={
                "version": "1.34",
                "api_from": ("192.0.2.0/24",),
                "nodes": {"gpu": {"type": "g6.xlarge", "desired": 2, "min": 0, "max": 4}},
            },
            platform="aws",
        ),
    )
    assert location.endpoints == {}


def test_machines_of_a_cluster_and_volumes_of_its_pods_are_not_the_locations_own(ec2: Any) -> None:
    tags = [{"Key": key, "Value": value} for key, value in MARKS.items()]
    node = [*tags, {"Key": "leptonctl:kind", "Value": "cluster"}, {"Key": "leptonctl:group", "Value": "gpu"}]
    image = ec2.describe_images()["Images"][0]["ImageId"]
    ec2.run_instances(
        ImageId=image, MinCount=1, MaxCount=1, TagSpecifications=[{"ResourceType": "instance", "Tags": node}]
    )
    make_claim(ec2, tags)
    assert look_at(AwsCloud(REGION), "demo", "core").found == ()


def test_volumes_of_pods_go_only_when_they_are_named(ec2: Any) -> None:
    cloud, tags = AwsCloud(REGION), [{"Key": key, "Value": value} for key, value in MARKS.items()]
    made = make_claim(ec2, tags)
    delete_claims(cloud, "demo", "core", frozenset({"core/data"}))
    assert [one["VolumeId"] for one in ec2.describe_volumes()["Volumes"]] == [made]
    delete_claims(cloud, "demo", "core", frozenset({"core/claims"}))
    assert ec2.describe_volumes()["Volumes"] == []


def make_claim(ec2: Any, tags: list[dict[str, str]]) -> str:
    marks = [*tags, {"Key": "leptonctl:kind", "Value": "volume"}, {"Key": "leptonctl:store", "Value": "claims"}]
    made = ec2.create_volume(
        AvailabilityZone=f"{REGION}a", Size=1, TagSpecifications=[{"ResourceType": "volume", "Tags": marks}]
    )
    return str(made["VolumeId"])


def test_what_is_inside_a_cluster_leaves_the_state_with_every_link_to_it() -> None:
    left = without_what_is_inside(STATE)
    assert left == {
        "version": 3,
        "deployment": {
            "manifest": {"time": "then"},
            "resources": [
                STATE["deployment"]["resources"][0],
                STATE["deployment"]["resources"][1],
                {
                    "urn": "d",
                    "type": "aws:iam/role:Role",
                    "dependencies": ["a"],
                    "propertyDependencies": {"name": ["a"]},
                },
            ],
        },
    }
    assert without_what_is_inside(left) == left


def test_contents_are_dropped_only_where_aws_says_that_the_cluster_is_gone(ec2: Any) -> None:
    assert ec2
    cloud = AwsCloud(REGION)
    assert drop_if_gone(STATE, cloud, "demo", "core") == without_what_is_inside(STATE)
    make_cluster()
    assert drop_if_gone(STATE, cloud, "demo", "core") is None
    assert drop_if_gone(without_what_is_inside(STATE), cloud, "demo", "regions/west") is None
