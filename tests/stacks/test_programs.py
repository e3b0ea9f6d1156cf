from __future__ import annotations

import inspect
import json
import re
from collections import Counter
from dataclasses import fields, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("pulumi_aws", reason="needs the extra leptonctl[aws]")

import pulumi

from leptonctl.planning import aws_tags
from leptonctl.planning.aws_resources import planned_resources
from leptonctl.planning.aws_types import LocationOutputs
from leptonctl.planning.typed_json import to_json
from tests.stacks.fake_engine import run_program
from tests.stacks.samples import PROGRAMS, ROOT, all_ran, everywhere, of_type, ran_of_file

if TYPE_CHECKING:
    from tests.stacks.samples import Ran

WHOLE = Path(ROOT / "tests/sites/valid/all-aws.yaml")
WORLD = {"0.0.0.0/0", "::/0"}


def class_of(kind: str) -> Any:
    package, module, name = re.split(r":|/\w+:", kind)
    return getattr(import_module(f"pulumi_{package}.{module}"), name)


def test_the_plan_lists_exactly_what_the_program_registers() -> None:
    for name, ran in all_ran().items():
        planned = Counter((one.type, one.name) for one in planned_resources(ran.args))
        registered = Counter((one.type, one.name) for one in ran.engine.registered)
        assert planned == registered, name
        assert set(planned.values()) == {1}, name


def test_the_plan_knows_what_holds_data_and_the_program_protects_exactly_that() -> None:
    for name, ran in all_ran().items():
        planned = {(one.type, one.name) for one in planned_resources(ran.args) if one.is_data}
        assert planned == {(one.type, one.name) for one in ran.engine.registered if one.is_protected}, name


def test_no_two_things_of_a_kind_carry_the_same_mark() -> None:
    """What an interrupted creation made is found again by all of its tags; AWS lists rules of both ways together."""
    for name, ran in all_ran().items():
        marks = Counter(
            (one.type.replace("Egress", "").replace("Ingress", ""), json.dumps(one.inputs["tags"], sort_keys=True))
            for one in ran.engine.registered
            if one.inputs.get("tags") and not one.type.endswith("Accepter")
        )
        assert [mark for mark, count in marks.items() if count > 1] == [], name


def test_only_a_store_that_the_operator_named_is_not_protected() -> None:
    args = ran_of_file(WHOLE)["core"].args
    engine, _ = run_program(PROGRAMS["core"], replace(args, deletable=("core/data", "core/models", "core/scratch")))
    kept = {one.name for one in engine.registered if one.is_protected}
    assert kept == {"cache.train-1", "cache.train-2", "reports-bucket", "home-files"}


def test_a_program_exports_exactly_the_fields_of_its_outputs() -> None:
    for name, ran in all_ran().items():
        optional = set() if ran.outputs.jump else {"jump"}
        assert set(ran.exported) | optional == {field.name for field in fields(LocationOutputs)}, name
        assert {**to_json(ran.outputs), "jump": ran.exported.get("jump")} == {**to_json(ran.outputs)}, name
        assert set(ran.outputs.hosts) == {host.address for group in ran.args.groups for host in group.hosts}
        assert set(ran.outputs.groups) == {group.scaling.address for group in ran.args.groups if group.scaling}
        stores = {one.address for one in planned_resources(ran.args) if one.is_data}
        assert set(ran.outputs.stores) == stores


def test_a_preview_before_the_locations_above_exist_shows_the_same_resources() -> None:
    whole = ran_of_file(WHOLE)["edges/shop"]
    bare = replace(
        whole.args, peers=tuple(replace(peer, vpc_id="", route_table_ids=(), zone_id="") for peer in whole.args.peers)
    )
    engine, _ = run_program(PROGRAMS["edge"], bare, is_preview=True)
    assert {(one.type, one.name) for one in engine.registered} == {
        (one.type, one.name) for one in whole.engine.registered
    }
    connection = engine.of_type("aws:ec2/vpcPeeringConnection:VpcPeeringConnection")[0]
    assert isinstance(connection.inputs["peerVpcId"], pulumi.output.Unknown)


def test_nothing_is_open_to_the_world() -> None:
    for rule in of_type("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"):
        assert rule.inputs.get("cidrIpv4") not in WORLD, rule
        assert "cidrIpv4" in rule.inputs or rule.inputs["referencedSecurityGroupId"] == rule.inputs["securityGroupId"]
        assert "cidrIpv6" not in rule.inputs
    for group in of_type("aws:ec2/securityGroup:SecurityGroup"):
        assert "ingress" not in group.inputs
    for group in of_type("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"):
        assert not {"ingress", "egress"} & set(group.inputs)
    for subnet in of_type("aws:ec2/subnet:Subnet"):
        assert subnet.inputs["mapPublicIpOnLaunch"] is False


def test_ssh_is_open_only_to_the_named_networks_and_to_the_locations_above() -> None:
    ran = ran_of_file(WHOLE)
    assert sources(ran["core"], "gate", 22) == {"203.0.113.0/24", "198.51.100.7/32"}
    assert sources(ran["regions/ireland"], "serve", 22) == {"10.0.0.0/16"}
    assert sources(ran["edges/shop"], "box", 22) == {"10.0.0.0/16", "10.1.0.0/20"}
    assert sources(ran["edges/shop"], "box", None) == {"10.2.0.0/24"}
    assert sources(ran["regions/ireland"], "serve", 9100) == {"10.0.0.0/16"}
    assert sources(ran["regions/frankfurt"], "serve", 9100) == set()


def sources(ran: Ran, group: str, port: int | None) -> set[str]:
    rules = ran.engine.of_type("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    mine = [one for one in rules if one.name.startswith(f"{group}-") and one.inputs.get("fromPort") == port]
    return {one.inputs["cidrIpv4"] for one in mine if "cidrIpv4" in one.inputs}


def test_everything_that_stores_is_encrypted() -> None:
    for instance in of_type("aws:ec2/instance:Instance"):
        assert instance.inputs["rootBlockDevice"]["encrypted"] is True
    for volume in of_type("aws:ebs/volume:Volume"):
        assert volume.inputs["encrypted"] is True
    for system in of_type("aws:efs/fileSystem:FileSystem"):
        assert system.inputs["encrypted"] is True
    for system in of_type("aws:fsx/lustreFileSystem:LustreFileSystem"):
        assert system.inputs["deploymentType"] == "PERSISTENT_2"
    parts = Counter(one.type for _, one in everywhere())
    for part in ("BucketPublicAccessBlock", "BucketServerSideEncryptionConfiguration", "BucketPolicy"):
        assert parts[f"aws:s3/{part[0].lower()}{part[1:]}:{part}"] == parts["aws:s3/bucket:Bucket"]


def test_instance_metadata_is_version_2_only_and_stays_on_the_host() -> None:
    for kind in ("aws:ec2/instance:Instance", "aws:ec2/launchTemplate:LaunchTemplate"):
        for one in of_type(kind):
            assert one.inputs["metadataOptions"] == {
                "httpEndpoint": "enabled",
                "httpTokens": "required",
                "httpPutResponseHopLimit": 1,
            }


def test_every_taggable_resource_carries_the_tags() -> None:
    for ran, one in everywhere():
        if one.type.startswith("kubernetes:"):
            continue
        if "tags" not in inspect.signature(class_of(one.type)._internal_init).parameters:  # noqa: SLF001 - where the typed arguments are
            continue
        tags = one.inputs["tags"]
        if isinstance(tags, list):
            tags = {tag["key"]: tag["value"] for tag in tags}
        assert set(aws_tags.EVERYWHERE) <= set(tags), one
        assert tags[aws_tags.SITE] == ran.args.site
        assert tags[aws_tags.LOCATION] == ran.args.location
        assert tags[aws_tags.MANAGED] == "leptonctl"
        assert all(len(value) <= 256 for value in tags.values())
    for instance in of_type("aws:ec2/instance:Instance"):
        more = {aws_tags.GROUP, aws_tags.HOST, aws_tags.HOST_KEY}
        assert more <= set(instance.inputs["tags"])
        assert set(aws_tags.EVERYWHERE) <= set(instance.inputs["rootBlockDevice"]["tags"])
    for template in of_type("aws:ec2/launchTemplate:LaunchTemplate"):
        started = {one["resourceType"]: one["tags"] for one in template.inputs["tagSpecifications"]}
        assert set(started) == {"instance", "volume", "network-interface"}
        assert all(set(aws_tags.EVERYWHERE) <= set(tags) for tags in started.values())


def test_an_owner_with_characters_that_aws_refuses_is_written_without_them() -> None:
    assert aws_tags.tag_value("Vision team (ops@example.com)") == "Vision team _ops@example.com_"


def test_no_policy_allows_everything() -> None:
    for one in of_type("aws:iam/rolePolicy:RolePolicy"):
        for statement in json.loads(one.inputs["policy"])["Statement"]:
            assert statement["Effect"] == "Allow"
            assert not any(action == "*" or action.endswith(":*") for action in statement["Action"]), one
            resources = statement["Resource"]
            assert "*" not in (resources if isinstance(resources, list) else [resources])


def test_hosts_may_use_only_the_buckets_that_name_their_group() -> None:
    policies = {
        one.name: json.loads(one.inputs["policy"])["Statement"][0]["Resource"]
        for one in ran_of_file(WHOLE)["core"].engine.of_type("aws:iam/rolePolicy:RolePolicy")
        if one.name.endswith("-buckets")
    }
    only = ["arn:aws:fake:::models-bucket"]
    assert policies == {"control-identity-buckets": only, "train-identity-buckets": only}


def test_children_are_named_from_their_component_or_are_hosts() -> None:
    for _, one in everywhere():
        component, hosts = one.parent.rpartition("::")[2], ("Instance", "Record")
        assert one.name.startswith(component) or one.type.endswith(hosts), one
