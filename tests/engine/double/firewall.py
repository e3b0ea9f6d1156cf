"""The double's security groups, their rules, and the group that every network comes with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.engine.double.cloud import pascal
from tests.engine.double.kind import Inputs, Kind, forgiving, retag

if TYPE_CHECKING:
    from tests.engine.double.cloud import Cloud


class SecurityGroup(Kind):
    autonamed = {"name": 48}  # noqa: RUF012 - a table
    replaces = frozenset({"name", "description", "vpcId"})

    def create(self, cloud: Cloud, inputs: Inputs) -> str:
        ec2 = cloud.client("ec2")
        made = str(
            ec2.create_security_group(
                GroupName=inputs["name"],
                Description=inputs.get("description") or "Managed by Pulumi",
                **({"VpcId": inputs["vpcId"]} if inputs.get("vpcId") else {}),
                **cloud.specified("security-group", inputs),
            )["GroupId"]
        )
        # The real provider takes the rule away that AWS puts in: a group says itself what may leave it.
        everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
        ec2.revoke_security_group_egress(GroupId=made, IpPermissions=everything)
        self._set_rules(cloud, made, {}, inputs)
        return made

    def read(self, cloud: Cloud, made: str, inputs: Inputs) -> Inputs | None:
        found = forgiving(lambda: cloud.client("ec2").describe_security_groups(GroupIds=[made])["SecurityGroups"][0])
        if not found:
            return None
        there = {
            "name": found["GroupName"], "description": found["Description"], "vpcId": found.get("VpcId"),
            "arn": cloud.arn("ec2", f"security-group/{made}"), "tags": cloud.own_tags(found.get("Tags")),
        }  # fmt: skip
        for way, key in (("ingress", "IpPermissions"), ("egress", "IpPermissionsEgress")):
            if inputs.get(way) is not None and _ranges(found[key]) != _wanted_ranges(inputs[way]):
                there[way] = [_rule(one) for one in found[key]]
        return there

    def update(self, cloud: Cloud, made: str, olds: Inputs, news: Inputs) -> None:
        retag(cloud, made, olds, news)
        self._set_rules(cloud, made, olds, news)

    def delete(self, cloud: Cloud, made: str, _olds: Inputs) -> None:
        forgiving(lambda: cloud.client("ec2").delete_security_group(GroupId=made))

    def _set_rules(self, cloud: Cloud, made: str, olds: Inputs, news: Inputs) -> None:
        ec2 = cloud.client("ec2")
        for way in ("ingress", "egress"):
            if olds.get(way) == news.get(way):
                continue
            if olds.get(way):
                revoke = getattr(ec2, f"revoke_security_group_{way}")
                revoke(GroupId=made, IpPermissions=[_permission(one, made) for one in olds[way]])
            if news.get(way):
                allow = getattr(ec2, f"authorize_security_group_{way}")
                allow(GroupId=made, IpPermissions=[_permission(one, made) for one in news[way]])


class DefaultSecurityGroup(SecurityGroup):
    """Takes the group over that AWS made with the VPC, and empties it; deleting only forgets it."""

    autonamed = {}  # noqa: RUF012 - a table
    replaces = frozenset({"vpcId"})

    def create(self, cloud: Cloud, inputs: Inputs) -> str:
        wanted = [{"Name": "vpc-id", "Values": [inputs["vpcId"]]}, {"Name": "group-name", "Values": ["default"]}]
        ec2 = cloud.client("ec2")
        found = ec2.describe_security_groups(Filters=wanted)["SecurityGroups"][0]
        made = str(found["GroupId"])
        for way, key in (("ingress", "IpPermissions"), ("egress", "IpPermissionsEgress")):
            if found[key]:
                getattr(ec2, f"revoke_security_group_{way}")(GroupId=made, IpPermissions=found[key])
        retag(cloud, made, {}, inputs)
        self._set_rules(cloud, made, {}, inputs)
        return made

    def delete(self, cloud: Cloud, made: str, olds: Inputs) -> None:
        """Forget it: it goes with its VPC."""


class SecurityGroupRule(Kind):
    """One rule of a group, in the form with an id of its own; `way` is ingress or egress."""

    fields = (
        "securityGroupId", "ipProtocol", "fromPort", "toPort", "cidrIpv4", "cidrIpv6", "referencedSecurityGroupId",
        "prefixListId",
    )  # fmt: skip
    replaces = frozenset(fields)

    def __init__(self, way: str) -> None:
        self._way = way

    def create(self, cloud: Cloud, inputs: Inputs) -> str:
        allow = getattr(cloud.client("ec2"), f"authorize_security_group_{self._way}")
        answer = allow(
            GroupId=inputs["securityGroupId"],
            IpPermissions=[_modern_permission(inputs)],
            **cloud.specified("security-group-rule", inputs),
        )
        return str(answer["SecurityGroupRules"][0]["SecurityGroupRuleId"])

    def read(self, cloud: Cloud, made: str, _inputs: Inputs) -> Inputs | None:
        describe = cloud.client("ec2").describe_security_group_rules
        found = forgiving(lambda: describe(SecurityGroupRuleIds=[made])["SecurityGroupRules"])
        if not found:
            return None
        return {"securityGroupRuleId": made, "arn": cloud.arn("ec2", f"security-group-rule/{made}")}

    def update(self, cloud: Cloud, made: str, olds: Inputs, news: Inputs) -> None:
        retag(cloud, made, olds, news)

    def delete(self, cloud: Cloud, made: str, olds: Inputs) -> None:
        revoke = getattr(cloud.client("ec2"), f"revoke_security_group_{self._way}")
        forgiving(lambda: revoke(GroupId=olds["securityGroupId"], SecurityGroupRuleIds=[made]))


def _permission(rule: Inputs, own: str) -> Inputs:
    groups = [*(rule.get("securityGroups") or []), *([own] if rule.get("self") else [])]
    protocol = str(rule["protocol"])
    ports = {} if protocol == "-1" else {"FromPort": rule["fromPort"], "ToPort": rule["toPort"]}
    return {
        "IpProtocol": protocol,
        **ports,
        "IpRanges": [{"CidrIp": one} for one in rule.get("cidrBlocks") or []],
        "UserIdGroupPairs": [{"GroupId": one} for one in groups],
        "PrefixListIds": [{"PrefixListId": one} for one in rule.get("prefixListIds") or []],
    }


def _modern_permission(inputs: Inputs) -> Inputs:
    found: Inputs = {"IpProtocol": str(inputs["ipProtocol"])}
    for name in ("fromPort", "toPort"):
        if inputs.get(name) is not None:
            found[pascal(name)] = inputs[name]
    if inputs.get("cidrIpv4"):
        found["IpRanges"] = [{"CidrIp": inputs["cidrIpv4"]}]
    if inputs.get("cidrIpv6"):
        found["Ipv6Ranges"] = [{"CidrIpv6": inputs["cidrIpv6"]}]
    if inputs.get("referencedSecurityGroupId"):
        found["UserIdGroupPairs"] = [{"GroupId": inputs["referencedSecurityGroupId"]}]
    if inputs.get("prefixListId"):
        found["PrefixListIds"] = [{"PrefixListId": inputs["prefixListId"]}]
    return found


def _ranges(permissions: list[Inputs]) -> set[tuple[object, ...]]:
    """What may pass, as a set: one entry for each range or group, whatever the order in which AWS tells them."""
    return {
        (one["IpProtocol"], one.get("FromPort"), one.get("ToPort"), end)
        for one in permissions
        for end in (
            *(r["CidrIp"] for r in one.get("IpRanges", ())),
            *(p["GroupId"] for p in one.get("UserIdGroupPairs", ())),
        )
    }


def _wanted_ranges(rules: list[Inputs]) -> set[tuple[object, ...]]:
    return _ranges([_permission(rule, "self") for rule in rules])


def _rule(permission: Inputs) -> Inputs:
    return {
        "protocol": permission["IpProtocol"],
        "fromPort": permission.get("FromPort", 0),
        "toPort": permission.get("ToPort", 0),
        "cidrBlocks": [one["CidrIp"] for one in permission.get("IpRanges", ())],
        "securityGroups": [one["GroupId"] for one in permission.get("UserIdGroupPairs", ())],
    }
