"""A managed cluster: closed, encrypted, logged, and ruled by the named admins alone."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("pulumi_aws", reason="needs the extra leptonctl[aws]")

from dataclasses import replace

from tests.stacks.fake_engine import run_program
from tests.stacks.samples import PROGRAMS, ROOT, ran_of_file

WHOLE = ROOT / "tests/sites/valid/kubernetes.yaml"
CLUSTER = "aws:eks/cluster:Cluster"


def test_the_public_end_of_the_api_is_there_only_for_the_named_networks() -> None:
    ends = {}
    for address, ran in ran_of_file(WHOLE).items():
        (cluster,) = ran.engine.of_type(CLUSTER)
        vpc = cluster.inputs["vpcConfig"]
        assert vpc["endpointPrivateAccess"] is True
        ends[address] = (vpc["endpointPublicAccess"], vpc.get("publicAccessCidrs"))
    assert ends == {
        "core": (True, ["203.0.113.0/24"]),
        "regions/inside": (False, None),
        "regions/bare": (False, None),
    }


def test_a_cluster_is_in_every_zone_logs_everything_and_encrypts_its_secrets_with_its_own_key() -> None:
    engine = ran_of_file(WHOLE)["core"].engine
    (cluster,) = engine.of_type(CLUSTER)
    assert cluster.inputs["vpcConfig"]["subnetIds"] == ["id-network-private-1", "id-network-private-2"]
    assert set(cluster.inputs["enabledClusterLogTypes"]) == {
        *("api", "audit", "authenticator", "controllerManager", "scheduler"),
    }
    assert cluster.inputs["encryptionConfig"] == {
        "provider": {"keyArn": "arn:aws:fake:::cluster-key"},
        "resources": ["secrets"],
    }
    (key,) = engine.of_type("aws:kms/key:Key")
    assert key.inputs["enableKeyRotation"] is True
    log = next(one for one in engine.of_type("aws:cloudwatch/logGroup:LogGroup") if one.name == "cluster-log")
    assert (log.inputs["name"], log.inputs["retentionInDays"]) == ("/aws/eks/cluster_core/cluster", 90)


def test_only_the_named_admins_may_do_anything_and_who_makes_it_is_none_of_them() -> None:
    engine = ran_of_file(WHOLE)["core"].engine
    (cluster,) = engine.of_type(CLUSTER)
    assert cluster.inputs["accessConfig"] == {
        "authenticationMode": "API",
        "bootstrapClusterCreatorAdminPermissions": False,
    }
    entries = {one.name: one.inputs["principalArn"] for one in engine.of_type("aws:eks/accessEntry:AccessEntry")}
    assert entries == {
        "cluster-admin-123456789012-role-platform": "arn:aws:iam::123456789012:role/platform",
        "cluster-admin-123456789012-user-teams-ana": "arn:aws:iam::123456789012:user/teams/ana",
    }
    policies = engine.of_type("aws:eks/accessPolicyAssociation:AccessPolicyAssociation")
    assert {one.inputs["principalArn"] for one in policies} == set(entries.values())


def test_the_image_of_a_group_follows_from_its_machine_type() -> None:
    groups = ran_of_file(WHOLE)["core"].engine.of_type("aws:eks/nodeGroup:NodeGroup")
    assert {one.name.removeprefix("cluster-"): one.inputs["amiType"] for one in groups} == {
        "system": "AL2023_ARM_64_STANDARD",
        "gpu": "AL2023_x86_64_NVIDIA",
        "arm-gpu": "AL2023_ARM_64_NVIDIA",
        "trainium": "AL2023_x86_64_NEURON",
        "free-gpu": "AL2023_x86_64_NVIDIA",
        "amd": "AL2023_x86_64_STANDARD",
    }


def test_accelerators_are_kept_for_pods_that_ask_for_one_unless_the_file_says_otherwise() -> None:
    groups = ran_of_file(WHOLE)["core"].engine.of_type("aws:eks/nodeGroup:NodeGroup")
    taints = {one.name.removeprefix("cluster-"): one.inputs.get("taints") for one in groups}
    assert taints == {
        "system": None,
        "gpu": [{"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"}],
        "arm-gpu": [{"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"}],
        "trainium": [
            {"key": "aws.amazon.com/neuron", "effect": "NO_EXECUTE"},
            {"key": "team", "value": "vision", "effect": "PREFER_NO_SCHEDULE"},
        ],
        "free-gpu": None,
        "amd": None,
    }
    gpu = next(one for one in groups if one.name == "cluster-gpu")
    assert gpu.inputs["scalingConfig"] == {"desiredSize": 0, "minSize": 0, "maxSize": 8}
    assert gpu.inputs["capacityType"] == "SPOT"
    assert gpu.inputs["labels"] == {
        "lepton.site/tier": "core",
        "lepton.site/location": "core",
        "lepton.site/accelerator": "nvidia",
        "team": "vision",
        "example.com/pool": "a",
    }
    inside = ran_of_file(WHOLE)["regions/inside"].engine.of_type("aws:eks/nodeGroup:NodeGroup")
    assert inside[0].inputs["labels"]["lepton.site/location"] == "regions.inside"


def test_root_disks_of_machines_are_encrypted_and_as_large_as_the_file_says() -> None:
    templates = ran_of_file(WHOLE)["core"].engine.of_type("aws:ec2/launchTemplate:LaunchTemplate")
    disks = {one.name: one.inputs["blockDeviceMappings"][0]["ebs"] for one in templates}
    assert {disk["encrypted"] for disk in disks.values()} == {"true"}
    assert disks["cluster.gpu"]["volumeSize"] == 500
    assert "imageId" not in templates[0].inputs, "the node group brings the image"


def test_a_service_account_takes_exactly_its_own_role() -> None:
    engine = ran_of_file(WHOLE)["core"].engine
    roles = {one.name: json.loads(one.inputs["assumeRolePolicy"]) for one in engine.of_type("aws:iam/role:Role")}
    issuer = "oidc.example.com/id/cluster-control"
    for name, account in (("network", "aws-node"), ("volumes", "ebs-csi-controller-sa")):
        (statement,) = roles[f"cluster-{name}"]["Statement"]
        assert statement["Principal"] == {"Federated": "arn:aws:fake:::cluster-oidc"}
        assert statement["Condition"]["StringEquals"] == {
            f"{issuer}:sub": f"system:serviceaccount:kube-system:{account}",
            f"{issuer}:aud": "sts.amazonaws.com",
        }
    attached = {
        one.name: one.inputs["policyArn"].rpartition("/")[2]
        for one in engine.of_type("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    }
    assert attached == {
        "cluster-role": "AmazonEKSClusterPolicy",
        "cluster-network": "AmazonEKS_CNI_Policy",
        "cluster-volumes": "AmazonEBSCSIDriverPolicy",
        "cluster-nodes-worker": "AmazonEKSWorkerNodePolicy",
        "cluster-nodes-images": "AmazonEC2ContainerRegistryPullOnly",
    }


def test_the_network_plug_in_enforces_policies() -> None:
    engine = ran_of_file(WHOLE)["core"].engine
    addons = {one.inputs["addonName"]: one.inputs for one in engine.of_type("aws:eks/addon:Addon")}
    assert set(addons) == {"vpc-cni", "kube-proxy", "coredns", "aws-ebs-csi-driver"}
    assert json.loads(addons["vpc-cni"]["configurationValues"]) == {"enableNetworkPolicy": "true"}


def test_without_add_ons_nothing_is_put_into_a_cluster() -> None:
    engine = ran_of_file(WHOLE)["regions/bare"].engine
    assert engine.providers == []
    assert [one for one in engine.registered if one.type.startswith("kubernetes:")] == []


def test_the_outputs_say_how_a_cluster_is_reached() -> None:
    cluster = ran_of_file(WHOLE)["core"].outputs.cluster
    assert cluster is not None
    assert (cluster.name, cluster.version) == ("cluster_core", "1.35")
    assert cluster.endpoint == "https://cluster-control.example.com"
    assert cluster.nodes["gpu"] == "cluster-gpu"
    args = replace(ran_of_file(WHOLE)["regions/bare"].args, cluster=None)
    _, exported = run_program(PROGRAMS["region"], args)
    assert exported.get("cluster") is None
