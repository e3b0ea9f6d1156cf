"""What would stop a location on AWS from being made: engine, plug-in, credentials, region, machine types."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from leptonctl.errors import LeptonError, Problem
from leptonctl.platforms.pulumi_engine import find_engine, find_provider
from leptonctl.sitefile.aws import partition_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from leptonctl.planning.aws_types import LocationArgs
    from leptonctl.platforms.aws_cloud import AwsCloud

_HOMES = {"aws": "us-east-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-north-1"}
_LIBRARIES = ("pulumi", "pulumi-aws", "boto3")


def preflight_problems(
    locations: Sequence[LocationArgs], cloud_of: Callable[[str], AwsCloud], environ: Mapping[str, str]
) -> tuple[Problem, ...]:
    """Everything that is in the way, all at once. What needs AWS is asked only where AWS answers."""
    found = [*_engine(environ)]
    for region in sorted({one.region for one in locations}):
        own = [one for one in locations if one.region == region]
        found += _region(cloud_of, region, own)
    return tuple(found)


def _engine(environ: Mapping[str, str]) -> Iterator[Problem]:
    missing = [name for name in _LIBRARIES if _version(name) is None]
    if missing:
        yield Problem(
            "aws_extra",
            f"the libraries {', '.join(missing)} are missing",
            hint="install leptonctl with its extra: `pip install 'leptonctl[aws]'`",
        )
    try:
        engine = find_engine(environ)
        find_provider(engine, environ, _version("pulumi-aws") or "7")
    except LeptonError as error:
        yield Problem("engine", error.message, hint=error.hint)


def _region(cloud_of: Callable[[str], AwsCloud], region: str, locations: Sequence[LocationArgs]) -> Iterator[Problem]:
    # A region that is not there has no address to be asked at: a region that always is knows all of them.
    home = cloud_of(_HOMES.get(partition_of(region), _HOMES["aws"]))
    try:
        home.identity()
        regions = home.call("ec2", "describe_regions", AllRegions=True)["Regions"]
        status = {one["RegionName"]: one.get("OptInStatus", "opt-in-not-required") for one in regions}
        if status.get(region) in {None, "not-opted-in"}:
            state = "is not one of this account's" if region not in status else "is not enabled for this account"
            yield Problem("aws_region", f"region {region} {state}", hint="enable it in the account's settings")
            return
        yield from _types(cloud_of(region), region, locations)
    except LeptonError as error:
        # One answer of AWS is enough: every location of the region would say the same.
        yield Problem("aws", error.message, hint=error.hint, where=region)


def _types(cloud: AwsCloud, region: str, locations: Sequence[LocationArgs]) -> Iterator[Problem]:
    wanted = {name: one.location for one in locations for group in one.groups for name in group.machine_types}
    if not wanted:
        return
    offered = cloud.offered_types(frozenset(wanted))
    for machine_type, location in sorted(wanted.items()):
        if machine_type not in offered:
            yield Problem(
                "aws_machine_type",
                f"machine type {machine_type} is not offered in {region}",
                hint="`aws ec2 describe-instance-type-offerings` lists what is",
                where=location,
            )


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
