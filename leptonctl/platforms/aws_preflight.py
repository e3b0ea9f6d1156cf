"""What would stop locations on AWS from being made: engine, credentials, region, machine types, images, quotas, rights.

All locations of the site are asked for together: an account's quotas are shared by them. What could not be asked is
unknown, which is said and stops nothing.
"""

from __future__ import annotations

from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from leptonctl.errors import LeptonError, PreflightFailed
from leptonctl.planning.aws_quotas import demands
from leptonctl.planning.checks import Check
from leptonctl.platforms.aws_offers import image_checks, type_checks, vcpus_of, with_zones, zone_checks
from leptonctl.platforms.aws_permissions import permission_checks
from leptonctl.platforms.aws_quotas import own_tags, quota_checks
from leptonctl.platforms.pulumi_engine import find_engine, find_provider
from leptonctl.sitefile.aws import partition_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from leptonctl.planning.aws_types import LocationArgs
    from leptonctl.platforms.aws_cloud import AwsCloud

_HOMES = {"aws": "us-east-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-north-1"}
_LIBRARIES = ("pulumi", "pulumi-aws", "boto3")


def aws_checks(
    locations: Sequence[LocationArgs], cloud_of: Callable[[str], AwsCloud], environ: Mapping[str, str]
) -> tuple[Check, ...]:
    """Everything that was asked, all at once. What needs AWS is asked only where AWS answers."""
    found = [*_engine(environ)]
    if not locations:
        return tuple(found)
    home = cloud_of(_HOMES.get(partition_of(locations[0].region), _HOMES["aws"]))
    try:
        who = home.identity()
    except LeptonError as error:
        # One answer of AWS is enough: every location would say the same.
        return (*found, Check(rule="aws", message=error.message, is_ok=False, hint=error.hint))
    found.append(Check(rule="aws_identity", message=f"AWS knows you as {who}", is_ok=True))
    for region in sorted({one.region for one in locations}):
        found += _asked("the region", region, partial(_region, home, cloud_of, locations, region))
    return (*found, *permission_checks(home, who, locations))


def _engine(environ: Mapping[str, str]) -> Iterator[Check]:
    missing = [name for name in _LIBRARIES if _version(name) is None]
    if missing:
        yield Check(
            rule="aws_extra",
            message=f"the libraries {', '.join(missing)} are missing",
            is_ok=False,
            hint="install leptonctl with its extra: `pip install 'leptonctl[aws]'`",
        )
    try:
        engine = find_engine(environ)
        find_provider(engine, environ, _version("pulumi-aws") or "7")
    except LeptonError as error:
        yield Check(rule="engine", message=error.message, is_ok=False, hint=error.hint)
    else:
        yield Check(rule="engine", message=f"the engine is {engine.program} {engine.version}", is_ok=True)


def _region(
    home: AwsCloud, cloud_of: Callable[[str], AwsCloud], locations: Sequence[LocationArgs], region: str
) -> tuple[Check, ...]:
    # A region that is not there has no address to be asked at: the home region knows all of them.
    regions = home.call("ec2", "describe_regions", AllRegions=True)["Regions"]
    status = {one["RegionName"]: one.get("OptInStatus", "opt-in-not-required") for one in regions}
    if status.get(region) in {None, "not-opted-in"}:
        state = "is not one of this account's" if region not in status else "is not enabled for this account"
        hint = "enable it in the account's settings"
        return (Check(rule="aws_region", message=f"region {region} {state}", is_ok=False, hint=hint),)
    enabled = Check(rule="aws_region", message=f"region {region} is enabled", is_ok=True)
    cloud, own = cloud_of(region), [one for one in locations if one.region == region]
    wrong = _asked("zones", region, lambda: zone_checks(cloud, own))
    if wrong:
        return (enabled, *wrong)
    named = [with_zones(cloud, one) for one in own]
    return (
        enabled,
        *_asked("machine types", region, lambda: tuple(type_checks(cloud, named))),
        *_asked("machine images", region, lambda: tuple(image_checks(cloud, named))),
        *_asked("quotas", region, lambda: _quotas(cloud, named)),
    )


def _quotas(cloud: AwsCloud, locations: Sequence[LocationArgs]) -> tuple[Check, ...]:
    types = frozenset(group.machine_type for one in locations for group in one.groups)
    own = own_tags(locations[0].site, frozenset(one.location for one in locations))
    return quota_checks(cloud, demands(locations, vcpus_of(cloud, types)), own)


def _asked(what: str, region: str, ask: Callable[[], tuple[Check, ...]]) -> tuple[Check, ...]:
    """The checks that `ask` gives; one that is unknown where AWS denies it, one that fails without credentials."""
    try:
        return ask()
    except LeptonError as error:
        is_ok = False if isinstance(error, PreflightFailed) else None
        message = error.message if is_ok is False else f"{region}: {what} could not be asked: {error.message}"
        return (Check(rule="aws", message=message, is_ok=is_ok, hint=error.hint),)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
