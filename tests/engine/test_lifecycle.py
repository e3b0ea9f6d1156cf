"""A location on AWS from nothing to nothing: the real stacks, an engine, the provider double, and moto."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
import pytest

from leptonctl.planning.aws_resources import planned_resources
from leptonctl.planning.plan import Action
from leptonctl.planning.resources import resource_changes
from leptonctl.platforms.aws import AwsPlatform, stack_program
from leptonctl.progress import Progress, silent
from leptonctl.session import open_session
from tests.engine.sites import HERE, core_of, open_site, platform_of

if TYPE_CHECKING:
    from pathlib import Path

    from leptonctl.planning.aws_types import LocationArgs
    from leptonctl.planning.desired import DesiredLocation
    from leptonctl.planning.observed import ObservedLocation
    from leptonctl.platforms.aws import Program
    from leptonctl.session import Session
    from tests.engine.proxy import Proxy

pytestmark = pytest.mark.engine
REGION = "eu-central-1"
STORES = {"core/data/box-1", "core/data/box-2", "core/models"}


@pytest.mark.usefixtures("engine")
def test_a_preview_of_what_does_not_exist_says_what_is_unknown_and_writes_nothing(aws: str, tmp_path: Path) -> None:
    session = open_site("thin", tmp_path / "state")
    steps = platform_of(session).preview_steps(core_of(session))
    assert {(change.kind, change.address): change.action for change in steps.changes()} == {
        ("access", "core"): Action.CREATE,
        ("host", "core/box-1"): Action.CREATE,
        ("host", "core/box-2"): Action.CREATE,
        ("network", "core"): Action.CREATE,
        ("store", "core/models"): Action.CREATE,
        ("volume", "core/data/box-1"): Action.CREATE,
        ("volume", "core/data/box-2"): Action.CREATE,
    }
    assert {"hosts", "vpc_id"} <= set(steps.unknown_outputs)
    assert "cidr" not in steps.unknown_outputs
    assert not (tmp_path / "state").exists()
    assert aws


@pytest.mark.usefixtures("engine")
def test_a_location_is_made_as_planned_kept_the_same_and_removed_without_its_data(
    aws_proxy: Proxy, tmp_path: Path
) -> None:
    session = open_site("thin", tmp_path)
    platform, core = platform_of(session), core_of(session)
    told: list[Progress] = []

    made = platform.ensure(core, told.append)
    assert resource_changes(core, made) == tuple(
        change for change in resource_changes(core, made) if change.action is Action.KEEP
    )
    assert core.aws is not None
    created = {progress.message.partition(" created in")[0] for progress in told if "created in" in progress.message}
    assert created == {f"{one.type.rpartition(':')[2]} {one.name}" for one in planned_resources(core.aws)}
    for address, endpoint in made.endpoints.items():
        assert endpoint.host_keys[0].startswith("ssh-ed25519 "), address
        assert endpoint.user == "root"

    aws_proxy.forget()
    assert platform.ensure(core, silent).resources == made.resources
    assert aws_proxy.changing == {}

    removed = platform.destroy("core", delete_data=frozenset(), report=silent)
    assert {one.address for one in removed} & STORES == set()
    left = platform.leftovers()
    assert {one.address for one in left} == STORES
    assert all(one.is_data for one in left)
    bucket = next(one.id for one in left if one.kind == "store")
    closed = boto3.client("s3", region_name=REGION).get_public_access_block(Bucket=bucket)
    assert all(closed["PublicAccessBlockConfiguration"].values())

    volumes = {one.address: one.id for one in left}
    again = platform.ensure(core, silent)
    assert {one.address: one.id for one in again.resources if one.is_data} == volumes

    platform.destroy("core", delete_data=frozenset({"core/data", "core/models"}), report=silent)
    assert platform.leftovers() == ()
    assert platform.observe("core") is None
    assert not (tmp_path / "thin" / "pulumi" / ".pulumi" / "stacks" / "thin" / "core.json").exists()


@pytest.mark.usefixtures("engine", "aws")
def test_the_program_does_not_run_to_see_that_nothing_has_changed_since_it_did(tmp_path: Path) -> None:
    session = open_site("thin", tmp_path)
    platform_of(session).ensure(core_of(session), silent)
    ran: list[str] = []

    def program_of(args: LocationArgs) -> Program:
        ran.append(args.location)
        return stack_program(args)

    def differing(session: Session) -> list[tuple[Action, str, str, tuple[str, ...]]]:
        look = AwsPlatform(session.context, program_of=program_of).look(("core",), closely=frozenset({"core"}))
        assert look.unanswered == {}
        return changed(core_of(session), look.locations["core"])

    assert (differing(session), ran) == ([], [])
    text = (HERE / "sites" / "thin.yaml").read_text().replace("size_gib: 10", "size_gib: 20")
    (tmp_path / "thin.yaml").write_text(text)
    edited = open_session(tmp_path / "thin.yaml", environ={}, state_dir=tmp_path)
    assert [address for _, _, address, _ in differing(edited)] == ["core/data/box-1", "core/data/box-2"]
    assert ran.pop() == "core"
    # Of a state that another hand has written nothing is believed.
    states = platform_of(session).stacks.states
    state = states.read("core")
    assert state is not None
    bucket = next(one for one in state["deployment"]["resources"] if one["type"] == "aws:s3/bucket:Bucket")
    bucket["inputs"]["tags"]["by-hand"] = "yes"
    states.write("core", state)
    assert differing(session) == []
    assert ran == ["core"]


@pytest.mark.usefixtures("engine", "aws")
def test_drift_names_exactly_what_was_changed_behind_our_back_and_ensure_mends_it(tmp_path: Path) -> None:
    session = open_site("thin", tmp_path)
    platform, core = platform_of(session), core_of(session)
    made = platform.ensure(core, silent)
    ec2 = boto3.client("ec2", region_name=REGION)
    host = next(one for one in made.resources if one.address == "core/box-2")
    ec2.terminate_instances(InstanceIds=[host.id])
    group = ec2.describe_security_groups(Filters=[{"Name": "tag:leptonctl:kind", "Values": ["access"]}])
    group_id = group["SecurityGroups"][0]["GroupId"]
    opened = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=[opened])

    rule = (
        f"security group {group_id} lets 0.0.0.0/0 in on port 22, which leptonctl did not ask for: "
        "`up` takes that rule away"
    )
    status = "versioningConfiguration.status"
    behind = "in the plan and in the state (changed behind our back)"
    deleted = "in the plan and in the state, not on AWS (deleted behind our back)"
    # By tag it is seen what is there, as `status` says it.
    assert changed(core, platform.observe("core")) == [
        (Action.UPDATE, "network", "core", (rule,)),
        (Action.CREATE, "host", "core/box-2", (deleted,)),
    ]
    # The engine reads every property, and names only what was done, not what follows from it.
    tables = ec2.describe_route_tables(Filters=[{"Name": "route.destination-cidr-block", "Values": ["0.0.0.0/0"]}])
    ec2.delete_route(RouteTableId=tables["RouteTables"][0]["RouteTableId"], DestinationCidrBlock="0.0.0.0/0")
    s3 = boto3.client("s3", region_name=REGION)
    bucket = next(one.id for one in made.resources if one.kind == "store")
    opened_bucket = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": False,
                     "RestrictPublicBuckets": True}  # fmt: skip
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=opened_bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    look = platform.look(("core",), closely=frozenset({"core"}))
    assert (look.unanswered, look.strays) == ({}, ())
    assert changed(core, look.locations["core"]) == [
        (Action.UPDATE, "network", "core", (rule, f"Route network-public-internet: {deleted}")),
        (
            Action.UPDATE,
            "store",
            "core/models",
            (
                f"BucketPublicAccessBlock models-closed: blockPublicPolicy is false on AWS, true {behind}",
                f"BucketVersioning models-versions: {status} is Suspended on AWS, Enabled {behind}",
            ),
        ),
        (Action.CREATE, "host", "core/box-2", (deleted,)),
    ]

    mended = platform.ensure(core, silent)
    assert all(one.action is Action.KEEP for one in resource_changes(core, mended))
    again = {one.address: one.id for one in mended.resources}
    before = {one.address: one.id for one in made.resources}
    assert {address for address in before if before[address] != again[address]} == {"core/box-2"}
    assert mended.endpoints["core/box-2"].host_keys != made.endpoints["core/box-2"].host_keys
    assert mended.endpoints["core/box-1"].host_keys == made.endpoints["core/box-1"].host_keys
    after = platform.look(("core",), closely=frozenset({"core"}))
    assert changed(core, after.locations["core"]) == []
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"


def changed(core: DesiredLocation, found: ObservedLocation | None) -> list[tuple[Action, str, str, tuple[str, ...]]]:
    """What `up` would change, with its reasons."""
    changes = resource_changes(core, found)
    return [(one.action, one.kind, one.address, one.reasons) for one in changes if one.action is not Action.KEEP]
