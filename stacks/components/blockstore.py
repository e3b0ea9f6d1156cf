"""BlockStore: a volume for each host of the groups that a store names. It holds data, and is protected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from leptonctl.planning.aws_names import device_names
from stacks.components.tagging import tags_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leptonctl.planning.aws_types import LocationArgs


@dataclass(frozen=True, slots=True)
class BlockStoreArgs:
    """The location, the store's name, and the instances by host name."""

    location: LocationArgs
    store: str
    instances: Mapping[str, aws.ec2.Instance]


class BlockStore(pulumi.ComponentResource):
    """Encrypted volumes of one size, each attached to its host: `volumes` by address, `LOCATION/STORE/HOST`."""

    def __init__(self, name: str, args: BlockStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("leptonctl:blockstore:BlockStore", name, None, opts)
        location = args.location
        is_protected = f"{location.location}/{args.store}" not in location.deletable
        self.volumes: dict[str, aws.ebs.Volume] = {}
        for volume in location.volumes:
            if volume.store != args.store:
                continue
            instance = args.instances[volume.host]
            made = aws.ebs.Volume(
                f"{name}.{volume.host}",
                availability_zone=instance.availability_zone,
                size=volume.size_gib,
                type=volume.type,
                encrypted=True,
                tags=tags_of(
                    location,
                    "volume",
                    f"{volume.host}.{args.store}",
                    address=volume.address,
                    host=volume.host,
                    store=args.store,
                ),
                # A volume stays where its data is, wherever its host is made anew.
                opts=pulumi.ResourceOptions(parent=self, protect=is_protected, ignore_changes=["availabilityZone"]),
            )
            stores = tuple(other.store for other in location.volumes if other.host == volume.host)
            aws.ec2.VolumeAttachment(
                f"{name}.{volume.host}",
                device_name=device_names(stores)[args.store],
                instance_id=instance.id,
                volume_id=made.id,
                # A host that is taken away is stopped before its volume is taken off.
                stop_instance_before_detaching=True,
                opts=pulumi.ResourceOptions(parent=self, ignore_changes=["deviceName"], delete_before_replace=True),
            )
            self.volumes[volume.address] = made
        self.register_outputs({})
