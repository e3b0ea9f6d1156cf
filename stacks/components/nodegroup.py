"""NodeGroup: equal machines of a location, each with its planted host key, and what may reach them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from leptonctl.planning import aws_tags
from stacks.components.launch import Launch, LaunchArgs
from stacks.components.scaling import ScalingGroup, ScalingGroupArgs
from stacks.components.tagging import tags_of
from stacks.components.user_data import first_start

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leptonctl.planning.aws_types import GroupArgs, HostArgs, LocationArgs, LocationSecrets

ANYWHERE = "0.0.0.0/0"
_RECORD_TTL_S = 60
_PLANTED = tuple(f'tags["{name}"]' for name in (aws_tags.HOST_KEY, aws_tags.ZONE))


@dataclass(frozen=True, slots=True)
class NodeGroupArgs:
    """The location and group, the secrets, and where in the network the machines go."""

    location: LocationArgs
    group: GroupArgs
    secrets: LocationSecrets
    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    """A subnet for each zone."""
    zone_id: pulumi.Input[str]
    zone_name: str
    profile_name: pulumi.Input[str]


class NodeGroup(pulumi.ComponentResource):
    """A security group, a launch template, and for each host an instance with a DNS name, or a scaling group.

    Gives `instances` by host name, `scaling` where it is scaled, `image_id`, and `root_device` where it is asked for.
    """

    def __init__(self, name: str, args: NodeGroupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("leptonctl:nodegroup:NodeGroup", name, None, opts)
        self._name, self._args = name, args
        self._own = pulumi.ResourceOptions(parent=self)
        security_group = self._security_group()
        self._launch = Launch(
            f"{name}-launch",
            LaunchArgs(
                location=args.location,
                group=args.group,
                security_group_id=security_group.id,
                # Machines with EFA are all in one zone.
                subnet_id=args.subnet_ids[args.group.hosts[0].zone] if args.group.hosts else None,
                profile_name=args.profile_name,
                first_start=self._group_start(),
            ),
            pulumi.ResourceOptions(parent=self),
        )
        self.image_id, self.root_device = self._launch.image_id, self._launch.root_device
        self.scaling = self._scaling()
        self.instances = {host.name: self._instance(host, security_group) for host in args.group.hosts}
        for host_name, instance in self.instances.items():
            aws.route53.Record(
                host_name,
                zone_id=args.zone_id,
                name=f"{host_name}.{args.zone_name}",
                type="A",
                ttl=_RECORD_TTL_S,
                records=[instance.private_ip],
                opts=self._own,
            )
        self.register_outputs({"image_id": self.image_id})

    def _scaling(self) -> ScalingGroup | None:
        args, scaling = self._args, self._args.group.scaling
        if scaling is None:
            return None
        return ScalingGroup(
            f"{self._name}-scaling",
            ScalingGroupArgs(
                location=args.location,
                group=args.group,
                scaling=scaling,
                template=self._launch.template,
                subnet_ids=[args.subnet_ids[zone] for zone in scaling.zones],
            ),
            pulumi.ResourceOptions(parent=self),
        )

    def _group_start(self) -> str | None:
        scaling = self._args.group.scaling
        if scaling is None:
            return None
        return first_start(
            host_key_private=self._args.secrets.group_keys.get(self._name, ""),
            host_key_public=scaling.host_key or "",
            public_keys=self._args.location.public_keys,
        )

    def _security_group(self) -> aws.ec2.SecurityGroup:
        args, label = self._args, f"{self._name}-access"
        group = aws.ec2.SecurityGroup(
            label,
            vpc_id=args.vpc_id,
            description=f"leptonctl: hosts of {args.group.name}",
            tags=self._tags("access"),
            opts=self._own,
        )
        for rule in args.group.ingress:
            aws.vpc.SecurityGroupIngressRule(
                f"{self._name}-{rule.name}",
                security_group_id=group.id,
                cidr_ipv4=rule.cidr,
                ip_protocol="-1" if rule.ports is None else rule.protocol,
                from_port=None if rule.ports is None else rule.ports.first,
                to_port=None if rule.ports is None else rule.ports.last,
                tags=self._tags(rule.name),
                opts=self._own,
            )
        aws.vpc.SecurityGroupEgressRule(
            f"{self._name}-out",
            security_group_id=group.id,
            cidr_ipv4=ANYWHERE,
            ip_protocol="-1",
            tags=self._tags("out"),
            opts=self._own,
        )
        if args.group.network_cards:
            # EFA passes only between members of a group that names itself, in both directions.
            aws.vpc.SecurityGroupIngressRule(
                f"{self._name}-efa",
                security_group_id=group.id,
                referenced_security_group_id=group.id,
                ip_protocol="-1",
                tags=self._tags("efa"),
                opts=self._own,
            )
            aws.vpc.SecurityGroupEgressRule(
                f"{self._name}-efa",
                security_group_id=group.id,
                referenced_security_group_id=group.id,
                ip_protocol="-1",
                tags=self._tags("efa-out"),
                opts=self._own,
            )
        return group

    def _instance(self, host: HostArgs, security_group: aws.ec2.SecurityGroup) -> aws.ec2.Instance:
        args, group = self._args, self._args.group
        # In a preview before the keys are made there is none; a real run always has both halves.
        public = host.host_key or ""
        user_data = first_start(
            host_key_private=args.secrets.host_keys.get(host.name, ""),
            host_key_public=public,
            public_keys=args.location.public_keys,
        )
        has_cards = bool(group.network_cards)
        tags = tags_of(
            args.location,
            "host",
            host.name,
            address=host.address,
            group=group.name,
            host=host.name,
            host_key=public,
            zone=str(host.zone),
        )
        return aws.ec2.Instance(
            host.name,
            ami=self.image_id,
            instance_type=host.machine_type,
            launch_template=aws.ec2.InstanceLaunchTemplateArgs(
                id=self._launch.template.id, version=self._launch.template.latest_version.apply(str)
            ),
            # The network cards of the launch template say subnet and security group where there are some.
            subnet_id=None if has_cards else args.subnet_ids[host.zone],
            vpc_security_group_ids=None if has_cards else [security_group.id],
            associate_public_ip_address=True if group.is_public else None,
            user_data=pulumi.Output.secret(user_data),
            metadata_options=aws.ec2.InstanceMetadataOptionsArgs(
                http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=1
            ),
            root_block_device=aws.ec2.InstanceRootBlockDeviceArgs(
                encrypted=True,
                volume_type="gp3",
                volume_size=group.root_gib,
                delete_on_termination=True,
                tags=tags_of(
                    args.location, "host", f"{host.name}-root", address=host.address, group=group.name, host=host.name
                ),
            ),
            tags=tags,
            opts=pulumi.ResourceOptions(
                parent=self,
                # How it was started cannot change while it runs: a new template, key or zone is for new machines.
                ignore_changes=["launchTemplate", "userData", "subnetId", *_PLANTED],
            ),
        )

    def _tags(self, label: str) -> dict[str, str]:
        return tags_of(self._args.location, "access", f"{self._name}-{label}", group=self._args.group.name)
