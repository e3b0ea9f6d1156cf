"""Launch: how the machines of a group start: image, disks, network cards, placement, what capacity is bought."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from leptonctl.planning import aws_tags
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
    first_start: str | None = None
    """What every machine of a scaling group is told at its first start; machines with a name are told by themselves."""


class Launch(pulumi.ComponentResource):
    """The launch `template` of a group with its `image_id`, and its placement group where it has one.

    The template of a scaling group says all of a machine, also its root disk (`root_device`) and first start.
    """

    def __init__(self, name: str, args: LaunchArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("leptonctl:launch:Launch", name, None, opts)
        group = args.group
        self._args = args
        self._tags = tags_of(args.location, "access", name, group=group.name)
        self.image_id, self.root_device = self._image()
        is_scaled = group.scaling is not None
        self.template = aws.ec2.LaunchTemplate(
            f"{name}-template",
            image_id=self.image_id,
            instance_type=group.machine_type,
            update_default_version=True,
            iam_instance_profile=aws.ec2.LaunchTemplateIamInstanceProfileArgs(name=args.profile_name),
            metadata_options=aws.ec2.LaunchTemplateMetadataOptionsArgs(
                http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=1
            ),
            user_data=pulumi.Output.secret(b64encode(args.first_start.encode()).decode()) if args.first_start else None,
            block_device_mappings=[self._root_disk()] if is_scaled else None,
            # With network cards the group is said for each card.
            vpc_security_group_ids=None if self._has_cards else [args.security_group_id],
            network_interfaces=self._network_cards(),
            placement=self._placement(name),
            instance_market_options=self._market(),
            capacity_reservation_specification=self._reservation(),
            tag_specifications=[
                aws.ec2.LaunchTemplateTagSpecificationArgs(resource_type=kind, tags=self._started_tags())
                for kind in _TAGGED_AT_START
            ],
            tags=self._own_tags(),
            opts=pulumi.ResourceOptions(
                parent=self,
                # The private host key is nowhere but here: the group keeps it as long as this template lives.
                ignore_changes=["userData"] if is_scaled else None,
            ),
        )
        self.register_outputs({"image_id": self.image_id})

    @property
    def _has_cards(self) -> bool:
        """Whether the template says the network cards itself; a public address is said of a card, too."""
        group = self._args.group
        return bool(group.network_cards) or (group.scaling is not None and group.is_public)

    def _own_tags(self) -> dict[str, str]:
        scaling = self._args.group.scaling
        return self._tags | ({aws_tags.HOST_KEY: scaling.host_key or ""} if scaling is not None else {})

    def _image(self) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        """The image and its root device; the latter is asked for only where the template has to name it."""
        group = self._args.group
        known, device = group.image.image_id or group.pinned_image_id, group.pinned_root_device or ""
        if known and (device or group.scaling is None):
            return pulumi.Output.from_input(known), pulumi.Output.from_input(device)
        by_name = [
            aws.ec2.GetAmiFilterArgs(name="name", values=[group.image.name]),
            aws.ec2.GetAmiFilterArgs(name="architecture", values=[group.image.architecture]),
            aws.ec2.GetAmiFilterArgs(name="state", values=["available"]),
        ]
        found = aws.ec2.get_ami_output(
            owners=None if known else [group.image.owner],
            most_recent=True,
            filters=[aws.ec2.GetAmiFilterArgs(name="image-id", values=[known])] if known else by_name,
            opts=pulumi.InvokeOutputOptions(parent=self),
        )
        return found.id, found.root_device_name

    def _root_disk(self) -> aws.ec2.LaunchTemplateBlockDeviceMappingArgs:
        return aws.ec2.LaunchTemplateBlockDeviceMappingArgs(
            device_name=self.root_device,
            ebs=aws.ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
                encrypted="true",
                delete_on_termination="true",
                volume_type="gp3",
                volume_size=self._args.group.root_gib,
            ),
        )

    def _network_cards(self) -> list[aws.ec2.LaunchTemplateNetworkInterfaceArgs] | None:
        group = self._args.group
        if not self._has_cards:
            return None
        if not group.network_cards:
            return [
                aws.ec2.LaunchTemplateNetworkInterfaceArgs(
                    device_index=0,
                    associate_public_ip_address="true",
                    security_groups=[self._args.security_group_id],
                    delete_on_termination="true",
                )
            ]
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
        group = self._args.group
        if group.capacity == "block":
            return aws.ec2.LaunchTemplateInstanceMarketOptionsArgs(market_type="capacity-block")
        # A scaling group says itself that it buys spot, and refuses a template that does.
        if group.capacity == "on-demand" or group.scaling is not None:
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
        group = self._args.group
        found = tags_of(self._args.location, "host", group.name, group=group.name)
        if group.scaling is not None:
            found |= {aws_tags.ADDRESS: group.scaling.address, aws_tags.HOST_KEY: group.scaling.host_key or ""}
        return found
