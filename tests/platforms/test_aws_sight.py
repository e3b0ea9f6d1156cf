"""What AWS has of a site that left its file, or that cannot be asked; moto plays AWS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from leptonctl.platforms.aws_cloud import AwsCloud
from leptonctl.platforms.aws_sight import AwsSight, Remembered
from leptonctl.platforms.base import Context
from tests.platforms.marks import REGION, specified, start, tags

KEY = Path("none")


def sight(tmp_path: Path, regions: dict[str, str | None]) -> AwsSight:
    """A site whose file names nothing on AWS any more, and whose states are of these locations."""
    context = Context("thin", "tests@example.com", site_dir=tmp_path, state_dir=tmp_path)
    return AwsSight(context, AwsCloud, Remembered(lambda: tuple(regions), regions.get, lambda _: None), lambda: KEY)


def test_what_left_the_site_file_is_found_where_its_state_says(ec2: Any, tmp_path: Path) -> None:
    machine = start(ec2, tags("host", "core/box-1"))
    ec2.create_volume(
        AvailabilityZone=f"{REGION}a", Size=1, TagSpecifications=specified("volume", tags("volume", "core/data/box-1"))
    )
    look = sight(tmp_path, {"core": REGION}).look(())
    assert [(one.location, one.address, one.platform, one.is_data) for one in look.strays] == [
        ("core", "core/data/box-1", "aws", True),
        ("core", "core/box-1", "aws", False),
    ]
    assert look.strays[1].id == machine
    assert look.unanswered == {}


def test_what_kept_data_stands_on_is_told_with_the_network_s_first_security_group(ec2: Any, tmp_path: Path) -> None:
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16", TagSpecifications=specified("vpc", tags("network", "core")))
    network = vpc["Vpc"]["VpcId"]
    groups = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [network]}])["SecurityGroups"]
    marks = [{"Key": key, "Value": value} for key, value in tags("network", "core").items()]
    ec2.create_tags(Resources=[groups[0]["GroupId"]], Tags=marks)
    other = ec2.create_vpc(CidrBlock="10.8.0.0/16", TagSpecifications=specified("vpc", tags("network", "core")))
    files = {"urn": "urn::files", "type": "aws:fsx/lustreFileSystem:LustreFileSystem", "id": "fs-1", "protect": True}
    files |= {"inputs": {"tags": tags("store", "core/scratch")}, "dependencies": ["urn::vpc"]}
    below = {"urn": "urn::vpc", "type": "aws:ec2/vpc:Vpc", "id": network, "custom": True}
    state: dict[str, Any] = {"version": 3, "deployment": {"resources": [below, files]}}
    context = Context("thin", "tests@example.com", site_dir=tmp_path, state_dir=tmp_path)
    told = AwsSight(
        context, AwsCloud, Remembered(lambda: ("core",), lambda _: REGION, lambda _: state), lambda: KEY
    ).leftovers()
    assert {one.id: one.stands_under for one in told} == {
        network: "core/scratch",
        groups[0]["GroupId"]: "core/scratch",
        other["Vpc"]["VpcId"]: "",
    }


def test_a_state_without_a_region_is_told_as_not_known(ec2: Any, tmp_path: Path) -> None:
    look = sight(tmp_path, {"core": None}).look(())
    assert look.unanswered == {"core": "its state does not say in which region it is"}
    assert ec2


def test_the_sweep_of_nothing_asks_nothing(tmp_path: Path) -> None:
    assert sight(tmp_path, {}).leftovers() == ()
