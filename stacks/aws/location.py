"""What the programs of all tiers have in common: the components of a location, wired, and its exports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi

from leptonctl.planning.aws_names import zone_name
from leptonctl.planning.aws_tags import HOST_KEY
from stacks.components.addons import Addons, AddonsInputs
from stacks.components.blockstore import BlockStore, BlockStoreArgs
from stacks.components.cluster import Cluster, ClusterInputs
from stacks.components.filestore import FileStore, FileStoreArgs
from stacks.components.identity import Identity, IdentityArgs
from stacks.components.network import Network, NetworkInputs
from stacks.components.nodegroup import NodeGroup, NodeGroupArgs
from stacks.components.objectstore import ObjectStore, ObjectStoreArgs
from stacks.components.peering import Peering, PeeringArgs

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pulumi_aws as aws

    from leptonctl.planning.aws_types import LocationArgs, LocationSecrets


class LocationStack:
    """A location's components, made in the order in which they need one another."""

    def __init__(self, args: LocationArgs, secrets: LocationSecrets) -> None:
        self.args = args
        self.network = Network("network", NetworkInputs(args))
        self.buckets = {bucket.name: ObjectStore(bucket.name, ObjectStoreArgs(args, bucket)) for bucket in args.buckets}
        self.groups = {group.name: self._group(group.name, secrets) for group in args.groups}
        instances = self._instances()
        self.block_stores = {
            store: BlockStore(store, BlockStoreArgs(args, store, instances))
            for store in dict.fromkeys(volume.store for volume in args.volumes)
        }
        self.file_stores = {
            system.name: FileStore(
                system.name,
                FileStoreArgs(args, system, self.network.vpc.id, [one.id for one in self.network.private_subnets]),
            )
            for system in args.file_systems
        }
        self.cluster = self._cluster()

    def peer(self) -> None:
        """Connect the network with those of the locations above."""
        for peer in self.args.peers:
            Peering(
                f"peering-{peer.address.replace('/', '-')}",
                PeeringArgs(
                    location=self.args,
                    peer=peer,
                    vpc_id=self.network.vpc.id,
                    route_table_ids=[table.id for table in self.network.route_tables],
                    zone_id=self.network.zone.zone_id,
                ),
            )

    def export(self) -> None:
        """Export each field of `LocationOutputs` under its name."""
        for name, value in self._outputs().items():
            pulumi.export(name, value)

    def _cluster(self) -> Cluster | None:
        args = self.args
        if args.cluster is None:
            return None
        cluster = Cluster(
            "cluster", ClusterInputs(args, args.cluster, [subnet.id for subnet in self.network.private_subnets])
        )
        if args.cluster.addons is not None:
            Addons(
                "addons",
                AddonsInputs(args, args.cluster.addons, cluster.control),
                pulumi.ResourceOptions(depends_on=cluster.is_ready),
            )
        return cluster

    def _group(self, name: str, secrets: LocationSecrets) -> NodeGroup:
        args, network = self.args, self.network
        group = next(one for one in args.groups if one.name == name)
        identity = Identity(
            f"{name}-identity",
            IdentityArgs(
                location=args,
                group=name,
                bucket_arns=[self.buckets[bucket.name].bucket.arn for bucket in args.buckets if name in bucket.groups],
            ),
        )
        subnets = network.public_subnets if group.is_public else network.private_subnets
        return NodeGroup(
            name,
            NodeGroupArgs(
                location=args,
                group=group,
                secrets=secrets,
                vpc_id=network.vpc.id,
                subnet_ids=[subnet.id for subnet in subnets],
                zone_id=network.zone.zone_id,
                zone_name=zone_name(args),
                profile_name=identity.profile.name,
            ),
        )

    def _instances(self) -> dict[str, aws.ec2.Instance]:
        return {name: instance for group in self.groups.values() for name, instance in group.instances.items()}

    def _outputs(self) -> dict[str, Any]:
        args, network = self.args, self.network
        public = [host.address for group in args.groups if group.is_public for host in group.hosts]
        return {
            "location": args.location,
            "region": args.region,
            "vpc_id": network.vpc.id,
            "cidr": network.vpc.cidr_block,
            "public_subnet_ids": [subnet.id for subnet in network.public_subnets],
            "private_subnet_ids": [subnet.id for subnet in network.private_subnets],
            "route_table_ids": [table.id for table in network.route_tables],
            "zone_id": network.zone.zone_id,
            "zone_name": zone_name(args),
            "images": {
                group.name: {
                    "query": group.image.text,
                    "image_id": self.groups[group.name].image_id,
                    "root_device": self.groups[group.name].root_device,
                }
                for group in args.groups
            },
            "groups": self._scaling_groups(),
            "hosts": self._hosts(),
            "stores": self._stores(),
            "jump": public[0] if public else None,
            "section": args.section,
            "cluster": self._cluster_outputs(),
        }

    def _cluster_outputs(self) -> dict[str, Any] | None:
        cluster = self.cluster
        if cluster is None:
            return None
        return {
            "name": cluster.control.name,
            "version": cluster.control.version,
            "endpoint": cluster.control.endpoint,
            "certificate": cluster.control.certificate_authority.data,
            "oidc_issuer": cluster.issuer.url,
            "oidc_provider_arn": cluster.issuer.arn,
            "nodes": {name: group.node_group_name for name, group in cluster.nodes.groups.items()},
        }

    def _hosts(self) -> dict[str, Any]:
        found = {}
        for group in self.args.groups:
            for host in group.hosts:
                instance = self.groups[group.name].instances[host.name]
                found[host.address] = {
                    "address": host.address,
                    "group": group.name,
                    "instance_id": instance.id,
                    "private_ip": instance.private_ip,
                    # What was planted, not what would be now.
                    "host_key": instance.tags.apply(host_key_of),
                    "zone": host.zone,
                    "machine_type": host.machine_type,
                    "wanted": group.wanted,
                    "public_ip": instance.public_ip if group.is_public else None,
                }
        return found

    def _scaling_groups(self) -> dict[str, Any]:
        found = {}
        for group in self.args.groups:
            made = self.groups[group.name].scaling
            if group.scaling is not None and made is not None:
                found[group.scaling.address] = {
                    "address": group.scaling.address,
                    "name": made.group.name,
                    "host_key": group.scaling.host_key or "",
                }
        return found

    def _stores(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for block_store in self.block_stores.values():
            for address, volume in block_store.volumes.items():
                found[address] = {"address": address, "kind": "volume", "id": volume.id}
        for bucket in self.args.buckets:
            made = self.buckets[bucket.name].bucket
            found[bucket.address] = {
                "address": bucket.address,
                "kind": "bucket",
                "id": made.id,
                "endpoint": made.bucket,
            }
        for system in self.args.file_systems:
            store = self.file_stores[system.name]
            found[system.address] = {
                "address": system.address,
                "kind": system.kind,
                "id": store.system.id,
                "endpoint": store.system.dns_name,
                "mount_name": store.mount_name,
            }
        return found


def host_key_of(tags: Mapping[str, str] | None) -> str:
    """The planted public host key, from an instance's tags."""
    return (tags or {}).get(HOST_KEY, "")
