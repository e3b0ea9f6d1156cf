"""Rules in the location's security groups that leptonctl did not make: found, told and taken away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from leptonctl.planning import aws_tags
from leptonctl.platforms.aws_listing import RULES, tags_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leptonctl.platforms.aws_cloud import AwsCloud
    from leptonctl.platforms.aws_listing import Found

# AWS takes at most 200 values a filter.
_VALUES_LIMIT = 200


@dataclass(frozen=True, slots=True)
class ForeignRule:
    """A rule of a security group that lacks the site's mark; `text` says what it lets pass."""

    id: str
    group_id: str
    location: str
    is_egress: bool
    text: str


def foreign_rules(cloud: AwsCloud, site: str, groups: Sequence[Found]) -> tuple[ForeignRule, ...]:
    """The rules in these security groups that lack the site's mark: somebody else let something pass."""
    locations = {one.id: one.location for one in groups}
    names = list(locations)
    # Many groups: it is cheaper to list the rules of the whole account than those of 200 groups at a time.
    filters = [{"Name": "group-id", "Values": names}] if len(names) <= _VALUES_LIMIT else []
    if not names:
        return ()
    pages = cloud.pages(RULES.service, RULES.call, page_size=RULES.page, **({"Filters": filters} if filters else {}))
    return tuple(
        ForeignRule(
            one["SecurityGroupRuleId"],
            one["GroupId"],
            locations[one["GroupId"]],
            is_egress=one["IsEgress"],
            text=_text(one),
        )
        for page in pages
        for one in page[RULES.items]
        if one["GroupId"] in locations and tags_of(one.get("Tags")).get(aws_tags.SITE) != site
    )


def close(cloud: AwsCloud, rule: ForeignRule) -> None:
    """Take a rule away."""
    way = "egress" if rule.is_egress else "ingress"
    cloud.call("ec2", f"revoke_security_group_{way}", GroupId=rule.group_id, SecurityGroupRuleIds=[rule.id])


def _text(rule: Mapping[str, Any]) -> str:
    group = (rule.get("ReferencedGroupInfo") or {}).get("GroupId")
    end = rule.get("CidrIpv4") or rule.get("CidrIpv6") or group or rule.get("PrefixListId") or "somebody"
    first, last = rule.get("FromPort"), rule.get("ToPort")
    ports = (
        "every port" if rule["IpProtocol"] == "-1" else f"port {first}" if first == last else f"ports {first}-{last}"
    )
    opened = f"opens {ports} to {end}" if rule["IsEgress"] else f"lets {end} in on {ports}"
    return f"security group {rule['GroupId']} {opened}, which leptonctl did not ask for: `up` takes that rule away"
