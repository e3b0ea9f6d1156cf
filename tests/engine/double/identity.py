"""The double's identity types: roles, policies, instance profiles; and the log groups that roles write to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.engine.double.cloud import ACCOUNT
from tests.engine.double.kind import Inputs, Kind, forgiving

if TYPE_CHECKING:
    from tests.engine.double.cloud import Cloud


class Role(Kind):
    autonamed = {"name": 48}  # noqa: RUF012 - a table
    replaces = frozenset({"name", "path"})

    def create(self, cloud: Cloud, inputs: Inputs) -> str:
        names = {"description": "Description", "path": "Path", "maxSessionDuration": "MaxSessionDuration",
                 "permissionsBoundary": "PermissionsBoundary"}  # fmt: skip
        more = {word: inputs[name] for name, word in names.items() if inputs.get(name)}
        iam = cloud.client("iam")
        iam.create_role(
            RoleName=inputs["name"],
            AssumeRolePolicyDocument=inputs["assumeRolePolicy"],
            Tags=cloud.tag_list(inputs),
            **more,
        )
        return str(inputs["name"])

    def read(self, cloud: Cloud, made: str, _inputs: Inputs) -> Inputs | None:
        there = forgiving(lambda: cloud.client("iam").get_role(RoleName=made)["Role"])
        if not there:
            return None
        tags = cloud.own_tags(there.get("Tags"))
        return {"name": made, "arn": there["Arn"], "uniqueId": there["RoleId"], "tags": tags}

    def update(self, cloud: Cloud, made: str, olds: Inputs, news: Inputs) -> None:
        iam = cloud.client("iam")
        if olds.get("assumeRolePolicy") != news["assumeRolePolicy"]:
            iam.update_assume_role_policy(RoleName=made, PolicyDocument=news["assumeRolePolicy"])
        gone = sorted(cloud.tags(olds).keys() - cloud.tags(news).keys())
        if gone:
            iam.untag_role(RoleName=made, TagKeys=gone)
        iam.tag_role(RoleName=made, Tags=cloud.tag_list(news))

    def delete(self, cloud: Cloud, made: str, _olds: Inputs) -> None:
        forgiving(lambda: cloud.client("iam").delete_role(RoleName=made))


class RolePolicy(Kind):
    autonamed = {"name": 48}  # noqa: RUF012 - a table
    replaces = frozenset({"name", "role"})

    def create(self, cloud: Cloud, inputs: Inputs) -> str:
        cloud.client("iam").put_role_policy(
            RoleName=inputs["role"], PolicyName=inputs["name"], PolicyDocument=inputs["policy"]
        )
        return f"{inputs['role']}:{inputs['name']}"

    def read(self, cloud: Cloud, made: str, _inputs: Inputs) -> Inputs | None:
        role, _, name = made.partition(":")
        if forgiving(lambda: cloud.client("iam").get_role_policy(RoleName=role, PolicyName=name)) is None:
            return None
        return {"role": role, "name": name}

    def update(self, cloud: Cloud, _made: str, _olds: Inputs, news: Inputs) -> None:
        self.create(cloud, news)

    def delete(self, cloud: Cloud, made: str, _olds: Inputs) -> None:
        role, _, name = made.partition(":")
        forgiving(lambda: cloud.client("iam").delete_role_policy(RoleName=role, PolicyName=name))


class RolePolicyAttachment(Kind):
    replaces = frozenset({"role", "policyArn"})

    def create(self, cloud: Cloud, inputs: Inputs) -> str:
        cloud.client("iam").attach_role_policy(RoleName=inputs["role"], PolicyArn=inputs["policyArn"])
        return f"{inputs['role']}/{inputs['policyArn']}"

    def read(self, cloud: Cloud, made: str, _inputs: Inputs) -> Inputs | None:
        role, _, arn = made.partition("/")
        found = forgiving(lambda: cloud.client("iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"])
        is_there = any(one["PolicyArn"] == arn for one in found or ())
        return {"role": role, "policyArn": arn} if is_there else None

    def delete(self, cloud: Cloud, made: str, _olds: Inputs) -> None:
        role, _, arn = made.partition("/")
        forgiving(lambda: cloud.client("iam").detach_role_policy(RoleName=role, PolicyArn=arn))


class Policy(Kind):
    autonamed = {"name": 48}  # noqa: RUF012 - a table
    replaces = frozenset({"name", "path", "description"})

    def create(self, cloud: Cloud, inputs: Inputs) -> str:
        answer = cloud.client("iam").create_policy(
            PolicyName=inputs["name"], PolicyDocument=inputs["policy"], Tags=cloud.tag_list(inputs)
        )
        return str(answer["Policy"]["Arn"])

    def read(self, cloud: Cloud, made: str, _inputs: Inputs) -> Inputs | None:
        there = forgiving(lambda: cloud.client("iam").get_policy(PolicyArn=made)["Policy"])
        if not there:
            return None
        return {"arn": made, "name": there["PolicyName"]}

    def update(self, cloud: Cloud, made: str, _olds: Inputs, news: Inputs) -> None:
        iam = cloud.client("iam")
        iam.create_policy_version(PolicyArn=made, PolicyDocument=news["policy"], SetAsDefault=True)

    def delete(self, cloud: Cloud, made: str, _olds: Inputs) -> None:
        forgiving(lambda: cloud.client("iam").delete_policy(PolicyArn=made))


class InstanceProfile(Kind):
    autonamed = {"name": 48}  # noqa: RUF012 - a table
    replaces = frozenset({"name", "path"})

    def create(self, cloud: Cloud, inputs: Inputs) -> str:
        iam = cloud.client("iam")
        iam.create_instance_profile(InstanceProfileName=inputs["name"], Tags=cloud.tag_list(inputs))
        if inputs.get("role"):
            iam.add_role_to_instance_profile(InstanceProfileName=inputs["name"], RoleName=inputs["role"])
        return str(inputs["name"])

    def read(self, cloud: Cloud, made: str, _inputs: Inputs) -> Inputs | None:
        there = forgiving(lambda: cloud.client("iam").get_instance_profile(InstanceProfileName=made)["InstanceProfile"])
        if not there:
            return None
        return {"name": made, "arn": there["Arn"], "tags": cloud.own_tags(there.get("Tags"))}

    def update(self, cloud: Cloud, made: str, _olds: Inputs, news: Inputs) -> None:
        cloud.client("iam").tag_instance_profile(InstanceProfileName=made, Tags=cloud.tag_list(news))

    def delete(self, cloud: Cloud, made: str, olds: Inputs) -> None:
        iam = cloud.client("iam")
        if olds.get("role"):
            forgiving(lambda: iam.remove_role_from_instance_profile(InstanceProfileName=made, RoleName=olds["role"]))
        forgiving(lambda: iam.delete_instance_profile(InstanceProfileName=made))


class LogGroup(Kind):
    autonamed = {"name": 48}  # noqa: RUF012 - a table
    replaces = frozenset({"name", "kmsKeyId"})

    def create(self, cloud: Cloud, inputs: Inputs) -> str:
        logs = cloud.client("logs")
        tags = cloud.tags(inputs)
        logs.create_log_group(logGroupName=inputs["name"], **({"tags": tags} if tags else {}))
        self.update(cloud, inputs["name"], {}, inputs)
        return str(inputs["name"])

    def read(self, cloud: Cloud, made: str, _inputs: Inputs) -> Inputs | None:
        found = cloud.client("logs").describe_log_groups(logGroupNamePrefix=made)["logGroups"]
        own = [one for one in found if one["logGroupName"] == made]
        if not own:
            return None
        return {"name": made, "arn": cloud.arn("logs", f"log-group:{made}")}

    def update(self, cloud: Cloud, made: str, _olds: Inputs, news: Inputs) -> None:
        if news.get("retentionInDays"):
            logs = cloud.client("logs")
            logs.put_retention_policy(logGroupName=made, retentionInDays=news["retentionInDays"])

    def delete(self, cloud: Cloud, made: str, _olds: Inputs) -> None:
        forgiving(lambda: cloud.client("logs").delete_log_group(logGroupName=made))


def get_caller(cloud: Cloud, _arguments: Inputs) -> Inputs:
    """Who asks."""
    found = cloud.client("sts").get_caller_identity()
    return {"id": found["Account"], "accountId": found["Account"], "arn": found["Arn"], "userId": found["UserId"]}


def get_partition(cloud: Cloud, _arguments: Inputs) -> Inputs:
    """The partition that the region is in."""
    gov = cloud.region.startswith("us-gov-")
    partition = "aws-us-gov" if gov else "aws"
    return {"id": partition, "partition": partition, "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws"}


def get_region(cloud: Cloud, _arguments: Inputs) -> Inputs:
    """The region itself."""
    return {"id": cloud.region, "name": cloud.region, "region": cloud.region, "accountId": ACCOUNT}
