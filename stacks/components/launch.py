"""Launch: how the machines of a group start: image, disks, network cards, placement, what capacity is bought."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from stacks.components.tagging import tags_of

if TYPE_CHECKING:
    from leptonctl.planning.aws_types import GroupArgs, LocationArgs

_TAGGED_AT_START = ("instance", "volume", "network-interface")


@dataclass(frozen=True, slots=True)
class LaunchArgs:
    """The location and group, and what a machine with network cards must know before it starts."""

    location: LocationArgs
    group: GroupArgs
    security_group_id: pulumi.Input[str]
    subnet_id: pulumi.Input[str] | None
    profile_name: pulumi.Input[str]


class Launch(pulumi.ComponentResource):
    """The launch `template` of a group with its `image_id`, and its placement group where it has one."""

    def __init__(self, name: str, args: LaunchArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("leptonctl:launch:Launch", name, None, opts)
        group = args.group
        self._args = args
        self._tags = tags_of(args.location, "access", name, group=group.name)
        self.image_id = self._image_id()
        self.template = aws.ec2.LaunchTemplate(
            f"{name}-template",
            image_id=self.image_id,
            instance_type=group.machine_type,
            update_default_version=True,
            iam_instance_profile=aws.ec2.LaunchTemplateIamInstanceProfileArgs(name=args.profile_name),
            metadata_options=aws.ec2.LaunchTemplateMetadataOptionsArgs(
                http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=1
            ),
            # With network cards the group is said for each card.
            vpc_security_group_ids=None if group.network_cards else [args.security_group_id],
            network_interfaces=self._network_cards(),
            placement=self._placement(name),
            instance_market_options=self._market(),
            capacity_reservation_specification=self._reservation(),
            tag_specifications=[
                aws.ec2.LaunchTemplateTagSpecificationArgs(resource_type=kind, tags=self._started_tags())
                for kind in _TAGGED_AT_START
            ],
            tags=self._tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"image_id": self.image_id})

    def _image_id(self) -> pulumi.Output[str]:
        group = self._args.group
        known = group.image.image_id or group.pinned_image_id
        if known:
            return pulumi.Output.from_input(known)
        return aws.ec2.get_ami_output(
            owners=[group.image.owner],
            most_recent=True,
            filters=[
                aws.ec2.GetAmiFilterArgs(name="name", values=[group.image.name]),
                aws.ec2.GetAmiFilterArgs(name="architecture", values=[group.image.architecture]),
                aws.ec2.GetAmiFilterArgs(name="state", values=["available"]),
            ],
            opts=pulumi.InvokeOutputOptions(parent=self),
        ).id

    def _network_cards(self) -> list[aws.ec2.LaunchTemplateNetworkInterfaceArgs] | None:
        group = self._args.group
        if not group.network_cards:
            return None
        return [
            aws.ec2.LaunchTemplateNetworkInterfaceArgs(
                # The first card carries the ordinary network as well; the others are for EFA alone.
                interface_type="efa" if card == 0 else "efa-only",
                network_card_index=card,
                device_index=0 if card == 0 else 1,
                subnet_id=self._args.subnet_id,
                security_groups=[self._args.security_group_id],
                delete_on_termination="true",
            )
            for card in range(group.network_cards)
        ]

    def _placement(self, name: str) -> aws.ec2.LaunchTemplatePlacementArgs | None:
        if self._args.group.placement is None:
            return None
        placement = aws.ec2.PlacementGroup(
            f"{name}-placement",
            strategy=self._args.group.placement,
            tags=self._tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return aws.ec2.LaunchTemplatePlacementArgs(group_name=placement.name)

    def _market(self) -> aws.ec2.LaunchTemplateInstanceMarketOptionsArgs | None:
        if not self._args.group.is_spot:
            return None
        return aws.ec2.LaunchTemplateInstanceMarketOptionsArgs(
            market_type="spot",
            spot_options=aws.ec2.LaunchTemplateInstanceMarketOptionsSpotOptionsArgs(spot_instance_type="one-time"),
        )

    def _reservation(self) -> aws.ec2.LaunchTemplateCapacityReservationSpecificationArgs | None:
        if self._args.group.reservation is None:
            return None
        target = aws.ec2.LaunchTemplateCapacityReservationSpecificationCapacityReservationTargetArgs(
            capacity_reservation_id=self._args.group.reservation
        )
        return aws.ec2.LaunchTemplateCapacityReservationSpecificationArgs(capacity_reservation_target=target)

    def _started_tags(self) -> dict[str, str]:
        """What everything that a machine brings with it carries; the host's own tags come over these."""
        return tags_of(self._args.location, "host", self._args.group.name, group=self._args.group.name)
