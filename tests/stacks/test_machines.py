"""The machines that the programs register: how they start, what they keep, and how scaling groups make them."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("pulumi_aws", reason="needs the extra leptonctl[aws]")

from pulumi.runtime import rpc

from leptonctl.planning import aws_tags
from leptonctl.planning.aws import completed
from leptonctl.planning.aws_types import PublicKeys
from tests.stacks.fake_engine import run_program
from tests.stacks.samples import PROGRAMS, ROOT, of_type, ran_of_file

WHOLE = Path(ROOT / "tests/sites/valid/all-aws.yaml")


def test_user_data_plants_the_host_key_and_who_may_log_in_and_nothing_else() -> None:
    instances = ran_of_file(WHOLE)["core"].engine.of_type("aws:ec2/instance:Instance")
    instance = next(one for one in instances if one.name == "gate-1")
    assert instance.inputs["userData"].keys() - {"value"} == {rpc._special_sig_key}, "it is not marked as a secret"  # noqa: SLF001
    head, _, body = instance.inputs["userData"]["value"].partition("\n")
    assert head == "#cloud-config"
    assert json.loads(body) == {
        "disable_root": False,
        "ssh_authorized_keys": ["ssh-ed25519 AAAAsite"],
        "ssh_deletekeys": True,
        "ssh_genkeytypes": [],
        "ssh_keys": {"ed25519_private": "private of gate-1", "ed25519_public": "ssh-ed25519 AAAAgate-1"},
        "ssh_pwauth": False,
    }


def test_how_a_machine_was_started_never_changes_it() -> None:
    for instance in of_type("aws:ec2/instance:Instance"):
        assert set(instance.ignored_changes) == {
            "launchTemplate",
            "userData",
            "subnetId",
            'tags["leptonctl:host-key"]',
            'tags["leptonctl:zone"]',
        }


def test_machines_with_efa_have_a_card_each_in_one_zone_and_a_group_that_names_itself() -> None:
    engine = ran_of_file(WHOLE)["core"].engine
    template = next(one for one in engine.of_type("aws:ec2/launchTemplate:LaunchTemplate") if "train" in one.name)
    cards = template.inputs["networkInterfaces"]
    assert [card["networkCardIndex"] for card in cards] == list(range(32))
    assert [card["interfaceType"] for card in cards] == ["efa"] + ["efa-only"] * 31
    assert {card["subnetId"] for card in cards} == {"id-network-private-2"}
    assert template.inputs["placement"] == {"groupName": "train-launch-placement"}
    rules = [one for one in engine.registered if one.name == "train-efa"]
    assert [one.inputs["referencedSecurityGroupId"] for one in rules] == ["id-train-access"] * 2
    hosts = [one for one in engine.of_type("aws:ec2/instance:Instance") if one.name.startswith("train-")]
    assert all("subnetId" not in one.inputs and "vpcSecurityGroupIds" not in one.inputs for one in hosts)


def test_a_scaling_group_spreads_over_its_zones_and_takes_the_types_in_order() -> None:
    engine = ran_of_file(WHOLE)["regions/frankfurt"].engine
    groups = {one.name: one.inputs for one in engine.of_type("aws:autoscaling/group:Group")}
    few, close = groups["few-scaling"], groups["close-scaling"]
    assert (few["minSize"], few["maxSize"], few["desiredCapacity"]) == (0, 4, 2)
    assert few["mixedInstancesPolicy"] == {
        "instancesDistribution": {
            "onDemandAllocationStrategy": "prioritized",
            "onDemandBaseCapacity": 0,
            "onDemandPercentageAboveBaseCapacity": 0,
            "spotAllocationStrategy": "capacity-optimized-prioritized",
        },
        "launchTemplate": {
            "launchTemplateSpecification": {"launchTemplateId": "id-few-launch-template", "version": "1"},
            "overrides": [
                {"instanceType": "g6.xlarge"},
                {"instanceType": "g5.xlarge"},
                {"instanceType": "g4dn.xlarge"},
            ],
        },
    }
    assert "launchTemplate" not in few
    assert close["launchTemplate"] == {"id": "id-close-launch-template", "version": "1"}
    assert "desiredCapacity" not in close
    assert close["vpcZoneIdentifiers"] == ["id-network-private-1"]
    front = next(
        one.inputs
        for one in ran_of_file(WHOLE)["regions/ireland"].engine.of_type("aws:autoscaling/group:Group")
        if one.name == "front-scaling"
    )
    assert front["vpcZoneIdentifiers"] == ["id-network-public-1", "id-network-public-2"]
    assert front["ignoreFailedScalingActivities"] is True


def test_the_template_of_a_scaling_group_says_all_of_a_machine() -> None:
    ran = ran_of_file(WHOLE)
    templates = {
        one.name: one
        for address in ("regions/frankfurt", "regions/ireland")
        for one in ran[address].engine.of_type("aws:ec2/launchTemplate:LaunchTemplate")
    }
    few = templates["few-launch-template"]
    assert few.ignored_changes == ("userData",)
    assert few.inputs["userData"].keys() - {"value"} == {rpc._special_sig_key}, "it is not marked as a secret"  # noqa: SLF001
    _, _, body = b64decode(few.inputs["userData"]["value"]).decode().partition("\n")
    assert json.loads(body)["ssh_keys"] == {
        "ed25519_private": "private of few",
        "ed25519_public": "ssh-ed25519 AAAAfew",
    }
    disk = {"encrypted": "true", "deleteOnTermination": "true", "volumeType": "gp3", "volumeSize": 200}
    assert few.inputs["blockDeviceMappings"] == [{"deviceName": "/dev/xvda", "ebs": disk}]
    started = {one["resourceType"]: one["tags"] for one in few.inputs["tagSpecifications"]}
    assert started["instance"][aws_tags.HOST_KEY] == "ssh-ed25519 AAAAfew"
    assert aws_tags.HOST not in started["instance"]
    # A scaling group that buys spot refuses a template that does.
    assert "instanceMarketOptions" not in few.inputs
    block = templates["close-launch-template"].inputs
    assert block["instanceMarketOptions"] == {"marketType": "capacity-block"}
    assert all("subnetId" not in card for card in block["networkInterfaces"])
    front = templates["front-launch-template"].inputs
    assert "vpcSecurityGroupIds" not in front
    assert front["networkInterfaces"] == [
        {
            "deviceIndex": 0,
            "associatePublicIpAddress": "true",
            "securityGroups": ["id-front-access"],
            "deleteOnTermination": "true",
        }
    ]


def test_the_root_device_is_asked_for_once_also_of_an_image_that_is_named() -> None:
    ran = ran_of_file(WHOLE)["regions/ireland"]
    asked = [call.args["filters"] for call in ran.engine.calls if "getAmi" in call.token]
    assert [{"name": "image-id", "values": ["ami-0123456789abcdef0"]}] in asked
    again, _ = run_program(PROGRAMS["region"], completed(ran.args, previous=ran.outputs))
    assert [call.token for call in again.calls if "getAmi" in call.token] == []


def test_a_scaling_group_that_is_there_keeps_its_host_key() -> None:
    ran = ran_of_file(WHOLE)["regions/frankfurt"]
    assert ran.outputs.groups["regions/frankfurt/few"].host_key == "ssh-ed25519 AAAAfew"
    again = {group.name: group.scaling for group in completed(ran.args, previous=ran.outputs).groups}
    assert again["few"] is not None
    assert again["few"].host_key == "ssh-ed25519 AAAAfew"


def test_a_group_keeps_its_image_until_the_query_changes() -> None:
    args = ran_of_file(WHOLE)["core"].args
    previous = ran_of_file(WHOLE)["core"].outputs
    again = completed(args, previous=previous)
    assert {group.pinned_image_id for group in again.groups} == {"ami-0fake000000000000"}
    engine, _ = run_program(PROGRAMS["core"], again)
    assert [call.token for call in engine.calls if "getAmi" in call.token] == []
    gate = replace(args.groups[0], image=replace(args.groups[0].image, name="debian-14-*"))
    changed = completed(replace(args, groups=(gate, *args.groups[1:])), previous=previous)
    assert changed.groups[0].pinned_image_id is None


def test_a_host_that_is_there_keeps_the_key_that_was_planted() -> None:
    ran = ran_of_file(WHOLE)["core"]
    again = completed(ran.args, previous=ran.outputs, keys=PublicKeys(hosts={"gate-1": "ssh-ed25519 AAAAother"}))
    assert again.groups[0].hosts[0].host_key == "ssh-ed25519 AAAAgate-1"
