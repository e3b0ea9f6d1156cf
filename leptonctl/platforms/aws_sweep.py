"""The sweep: everything of the account that carries the site's mark, of whatever type, as a proof that nothing is left.

Only what was read back as absent, or in a state from which nothing comes back, counts as gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.planning import aws_tags
from leptonctl.platforms.aws_listing import (
    EC2,
    SCALING_GROUPS,
    SERVICES,
    Found,
    all_of,
    listed,
    tagged,
    tags_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from leptonctl.platforms.aws_cloud import AwsCloud

# What `EC2` lists knows better than the tagging service which of it is gone; rules go with their group.
_BETTER_KNOWN = frozenset(one.type for one in EC2) | {"security-group-rule", "autoscaling-autoScalingGroup"}
# Ids of EC2 begin with their kind: its list of tags has other words for some types.
_BETTER_KNOWN_IDS = (
    "i-", "vol-", "vpc-", "subnet-", "rtb-", "igw-", "nat-", "eipalloc-", "sg-", "sgr-", "vpce-", "pcx-", "fl-", "lt-",
    "eni-",
)  # fmt: skip
_ZONES = frozenset({"route53-hostedzone", "hosted-zone"})


def marked(cloud: AwsCloud, site: str) -> tuple[Found, ...]:
    """Everything of this region that carries the site's mark; what is going but not gone is among it.

    Each type of EC2 that the stacks make is listed by itself, which tells what is gone, and so are scaling groups.
    Everything else comes from EC2's list of tags and from the tagging service, which also list what went a while ago:
    where the thing's own service has a list, that has the last word.
    """
    found = [one for listing in (*EC2, SCALING_GROUPS) for one in listed(cloud, listing, site)]
    known = {one.id for one in found}
    others = {one.id: one for one in (*_tags_of_ec2(cloud, site), *tagged(cloud, site))}
    rest = [one for one in others.values() if one.type not in _BETTER_KNOWN | _ZONES and one.id not in known]
    return (*found, *_confirmed(cloud, site, [one for one in rest if one.region]))


def without_region(cloud: AwsCloud, site: str) -> tuple[Found, ...]:
    """What belongs to the account and to no region: roles, DNS zones, and what the tagging service knows at home.

    `cloud` is any region for roles and zones; the tagging service tells of such things only in the home region.
    """
    rest = [one for one in tagged(cloud.home(), site) if not one.region and one.type not in _ZONES]
    found = (*roles(cloud, site), *zones(cloud, site))
    known = {one.id for one in found}
    return (*found, *(one for one in rest if one.id not in known))


def roles(cloud: AwsCloud, site: str) -> tuple[Found, ...]:
    """The roles with the mark; the tagging service does not know them."""
    found = []
    for page in cloud.pages("iam", "get_account_authorization_details", page_size=1000, Filter=["Role"]):
        for role in page["RoleDetailList"]:
            tags = tags_of(role.get("Tags"))
            if tags.get(aws_tags.SITE) == site:
                found.append(Found("role", role["RoleName"], "", "", tags))
    return tuple(found)


def zones(cloud: AwsCloud, site: str) -> tuple[Found, ...]:
    """The private DNS zones of the site's locations, known by their names: `LOCATION.SITE.internal`."""
    end = f".{site}.internal."
    return tuple(
        Found("hosted-zone", one["Id"].rpartition("/")[2], "", "", _zone_tags(site, one["Name"]))
        for page in cloud.pages("route53", "list_hosted_zones")
        for one in page["HostedZones"]
        if one["Name"].endswith(end) and one.get("Config", {}).get("PrivateZone")
    )


def _tags_of_ec2(cloud: AwsCloud, site: str) -> Iterator[Found]:
    """Things of EC2 of any type, also of one that leptonctl does not know: one list call over all of them."""
    things: dict[tuple[str, str], dict[str, str]] = {}
    filters = [{"Name": "key", "Values": [*aws_tags.EVERYWHERE]}]
    for page in cloud.pages("ec2", "describe_tags", page_size=1000, Filters=filters):
        for one in page["Tags"]:
            things.setdefault((one["ResourceType"], one["ResourceId"]), {})[one["Key"]] = one["Value"]
    for (type_, id_), tags in things.items():
        if tags.get(aws_tags.SITE) == site and not id_.startswith(_BETTER_KNOWN_IDS):
            yield Found(type_, id_, cloud.region, "", tags)


def _confirmed(cloud: AwsCloud, site: str, found: Sequence[Found]) -> Iterator[Found]:
    """Those that their own service still has, with their states; types without a list are taken as they were told."""
    for type_ in dict.fromkeys(one.type for one in found):
        things = [one for one in found if one.type == type_]
        listing = next((one for one in SERVICES if one.type == type_), None)
        if listing is None:
            yield from things
            continue
        there = {one.id: one for one in all_of(cloud, listing, site)}
        for one in things:
            now = there.get(one.id)
            if now is not None and now.status not in listing.gone:
                yield Found(one.type, one.id, one.region, now.status, one.tags, now.details)


def _zone_tags(site: str, name: str) -> dict[str, str]:
    """The marks that follow from a zone's name: `west.regions.demo.internal.` is of `regions/west`."""
    location = "/".join(reversed(name.removesuffix(f".{site}.internal.").split(".")))
    return {aws_tags.SITE: site, aws_tags.LOCATION: location, aws_tags.ADDRESS: location, aws_tags.ROLE: "network"}
