"""FileStore: a shared file system in the location's network: EFS, which grows, or FSx for Lustre, which is fast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from stacks.components.tagging import tags_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leptonctl.planning.aws_types import FileSystemArgs, LocationArgs

# NFS; for Lustre the servers' port, and those that clients answer on.
_PORTS = {"efs": ((2049, 2049),), "lustre": ((988, 988), (1018, 1023))}


@dataclass(frozen=True, slots=True)
class FileStoreArgs:
    """The location, the file system, and the private subnet of each zone."""

    location: LocationArgs
    system: FileSystemArgs
    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]


class FileStore(pulumi.ComponentResource):
    """An encrypted file system that only the location's own network reaches. It holds data, and is protected.

    Gives `system`, and `mount_name`: what a Lustre client mounts behind the DNS name; "" for EFS.
    """

    def __init__(self, name: str, args: FileStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("leptonctl:filestore:FileStore", name, None, opts)
        self._name, self._args = name, args
        self._own = pulumi.ResourceOptions(parent=self)
        self._kept = pulumi.ResourceOptions(parent=self, protect=args.system.address not in args.location.deletable)
        group = self._security_group()
        self.mount_name = pulumi.Output.from_input("")
        self.system: aws.efs.FileSystem | aws.fsx.LustreFileSystem
        if args.system.kind == "efs":
            self.system = self._efs(group)
        else:
            self.system = lustre = self._lustre(group)
            self.mount_name = lustre.mount_name
        self.register_outputs({"id": self.system.id})

    def _security_group(self) -> aws.ec2.SecurityGroup:
        args = self._args
        group = aws.ec2.SecurityGroup(
            f"{self._name}-access",
            vpc_id=args.vpc_id,
            description=f"leptonctl: clients of {args.system.name}",
            tags=self._tags("access"),
            opts=self._own,
        )
        for first, last in _PORTS[args.system.kind]:
            aws.vpc.SecurityGroupIngressRule(
                f"{self._name}-{first}",
                security_group_id=group.id,
                cidr_ipv4=args.location.network.cidr,
                ip_protocol="tcp",
                from_port=first,
                to_port=last,
                tags=self._tags(str(first)),
                opts=self._own,
            )
        # Lustre's servers open connections to their clients and to one another.
        if args.system.kind == "lustre":
            aws.vpc.SecurityGroupEgressRule(
                f"{self._name}-out",
                security_group_id=group.id,
                cidr_ipv4=args.location.network.cidr,
                ip_protocol="-1",
                tags=self._tags("out"),
                opts=self._own,
            )
        return group

    def _efs(self, group: aws.ec2.SecurityGroup) -> aws.efs.FileSystem:
        system = aws.efs.FileSystem(
            f"{self._name}-files",
            encrypted=True,
            throughput_mode="elastic",
            tags=self._tags(),
            opts=self._kept,
        )
        for number, subnet_id in enumerate(self._args.subnet_ids):
            aws.efs.MountTarget(
                f"{self._name}-{number + 1}",
                file_system_id=system.id,
                subnet_id=subnet_id,
                security_groups=[group.id],
                opts=self._own,
            )
        return system

    def _lustre(self, group: aws.ec2.SecurityGroup) -> aws.fsx.LustreFileSystem:
        return aws.fsx.LustreFileSystem(
            f"{self._name}-files",
            # Encrypted by AWS in this deployment type, always.
            deployment_type="PERSISTENT_2",
            storage_type="SSD",
            storage_capacity=self._args.system.size_gib,
            per_unit_storage_throughput=self._args.system.mbps_per_tib,
            data_compression_type="LZ4",
            subnet_ids=self._args.subnet_ids[0],
            security_group_ids=[group.id],
            copy_tags_to_backups=True,
            tags=self._tags(),
            opts=self._kept,
        )

    def _tags(self, label: str = "") -> dict[str, str]:
        system = self._args.system
        name = f"{system.name}-{label}" if label else system.name
        return tags_of(self._args.location, "store", name, address=system.address, store=system.name)
