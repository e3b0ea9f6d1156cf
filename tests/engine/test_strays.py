"""What left the site file, by the verbs: told, removed with its data kept, and never orphaned by an edited platform.

The locations have no hosts: a network, a bucket, and a file system that needs the network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest

from tests.e2e.local_site import Site

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.local_site import Answer
    from tests.engine.proxy import Proxy

pytestmark = [pytest.mark.engine, pytest.mark.matrix, pytest.mark.usefixtures("engine")]
CORE = """
site: strays
owner: tests@example.com
core:
  platform: aws
  aws: {region: eu-central-1, zones: [eu-central-1a], internet: none}
  network: {cidr: 10.20.0.0/20}
"""
WEST = """
regions:
  west:
    platform: aws
    aws:
      region: eu-west-1
      zones: [eu-west-1a]
      internet: none
      buckets: {cache: {}}
      file_systems: {scratch: {kind: lustre, size_gib: 1200}}
    network: {cidr: 10.20.16.0/20}
"""
DATA = {"regions/west/cache", "regions/west/scratch"}
BELOW = {
    "regions/west vpc", "regions/west subnet", "regions/west security-group", "regions/west/scratch security-group",
}  # fmt: skip


@pytest.fixture
def site(aws_proxy: Proxy, tmp_path: Path) -> Site:
    assert aws_proxy
    return Site("strays", tmp_path / "site.yaml")


def told(answer: Answer, action: str, location: str = "regions/west") -> dict[str, tuple[str, ...]]:
    """What happens to the things of a location, or happened: address and reasons."""
    found = [one for one in answer.result["changes"] if (one["action"], one["location"]) == (action, location)]
    return {one["address"]: tuple(one["reasons"]) for one in found}


def networks(region: str) -> list[str]:
    ec2: Any = boto3.client("ec2", region_name=region)
    return [
        one["VpcId"] for one in ec2.describe_vpcs(Filters=[{"Name": "tag-key", "Values": ["leptonctl:site"]}])["Vpcs"]
    ]


def test_a_location_that_left_the_file_is_told_and_removed_and_its_data_kept_until_it_is_named(
    site: Site, aws_proxy: Proxy
) -> None:
    site.file.write_text(CORE + WEST)
    made = site.up()
    assert (made.exit_code, made.problems()) == (0, []), made.stdout + made.stderr

    site.file.write_text(CORE)
    aws_proxy.forget()
    shown = site.run("plan", "--diff", "--exit-code")
    assert (shown.exit_code, shown.problems()) == (6, []), shown.stdout
    going = told(shown, "delete")
    assert going
    assert set(going.values()) == {("its location is not in the site file",)}
    kept = told(shown, "keep")
    assert {address: kept[address] for address in DATA} == dict.fromkeys(DATA, ("data is kept until it is named",))
    assert aws_proxy.changing == {}

    removed = site.up()
    assert (removed.exit_code, removed.problems()) == (0, []), removed.stdout + removed.stderr
    assert len(networks("eu-central-1")) == len(networks("eu-west-1")) == 1
    aws_proxy.forget()
    again = site.up()
    assert (again.exit_code, again.result["data"]["message"]) == (0, "nothing to do: all is as the site file says")
    assert aws_proxy.changing == {}

    down = site.run("down", "--yes")
    assert (down.exit_code, down.problems()) == (0, []), down.stdout
    kept = told(down, "keep")
    assert kept.keys() == DATA | BELOW
    assert {kept[address] for address in BELOW} == {
        ("kept with regions/west/scratch, which stands on it; it costs nothing by itself",)
    }
    gone = site.run("down", "--yes", "--delete-data", "regions/west/cache", "--delete-data", "regions/west/scratch")
    assert (gone.exit_code, gone.problems()) == (0, []), gone.stdout
    assert networks("eu-central-1") == networks("eu-west-1") == []


def test_an_edited_platform_is_refused_as_long_as_the_former_one_has_something_of_the_location(
    site: Site, aws_proxy: Proxy
) -> None:
    on_aws, here = CORE, "site: strays\nowner: tests@example.com\ncore:\n  platform: local\n"
    site.file.write_text(on_aws)
    assert site.up().exit_code == 0
    site.file.write_text(here)
    aws_proxy.forget()
    message = (
        "1 security-group, 1 vpc of it on aws; "
        "platform aws -> local: machines do not move from one platform to another; "
        "instead: `leptonctl down --only LOCATION` with the old file, then `leptonctl up` with the new one"
    )
    for verb in (("plan", "--diff"), ("up", "--yes")):
        refused = site.run(*verb)
        assert (refused.exit_code, refused.problems()) == (7, [("core", message)]), refused.stdout
    drift = site.run("drift")
    assert drift.exit_code == 6
    assert aws_proxy.changing == {}
    assert len(networks("eu-central-1")) == 1

    site.file.write_text(on_aws)
    down = site.run("down", "--yes", "--only", "core")
    assert (down.exit_code, down.problems()) == (0, []), down.stdout
    site.file.write_text(here)
    assert site.run("plan", "--diff").exit_code == 0
