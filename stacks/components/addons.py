"""Addons: what is put into a cluster through its API: namespaces, classes, policies, device plug-in, metrics.

The kubeconfig holds no secret: the provider asks `leptonctl cluster-token` for a token whenever it needs one. A token
in it would be good for a quarter of an hour, would lie in the state, and would be stale at the next refresh or removal.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_kubernetes as k8s

from leptonctl.planning import aws_tags
from leptonctl.planning.aws_cluster import CLAIMS
from leptonctl.planning.aws_cluster_resources import PRIORITIES, SYSTEM_NAMESPACE
from stacks.components.deviceplugin import DevicePlugin, DevicePluginArgs
from stacks.components.metrics import Metrics, MetricsArgs
from stacks.components.namespaces import ClosedNamespace, ClosedNamespaceArgs
from stacks.components.tagging import tags_of

if TYPE_CHECKING:
    import pulumi_aws as aws

    from leptonctl.planning.aws_cluster_types import AddonsArgs
    from leptonctl.planning.aws_types import LocationArgs


@dataclass(frozen=True, slots=True)
class AddonsInputs:
    """The location, what is put into its cluster, and the cluster."""

    location: LocationArgs
    addons: AddonsArgs
    control: aws.eks.Cluster


class Addons(pulumi.ComponentResource):
    """The same for every cluster but for namespaces and images."""

    def __init__(self, name: str, inputs: AddonsInputs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("leptonctl:addons:Addons", name, None, opts)
        addons, control = inputs.addons, inputs.control
        api = k8s.Provider(
            f"{name}-api",
            kubeconfig=pulumi.Output.all(
                control.name, control.endpoint, control.certificate_authority.data, inputs.location.region
            ).apply(lambda one: kubeconfig(name=one[0], endpoint=one[1], certificate=one[2], region=one[3])),
            # Another cluster under the same name is another cluster: everything in it is made anew.
            cluster_identifier=control.endpoint,
            # What an interrupted run has made already is taken over.
            upsert_existing_objects=True,
            opts=pulumi.ResourceOptions(parent=self),
        )
        inside = pulumi.ResourceOptions(parent=self, providers=[api])
        own = pulumi.ResourceOptions(parent=self, provider=api)
        # The device plug-in speaks to the kubelet through a folder of the machine, which other standards forbid.
        system = ClosedNamespace(
            f"{name}-{SYSTEM_NAMESPACE}",
            ClosedNamespaceArgs(SYSTEM_NAMESPACE, "privileged", is_kept=False),
            inside,
        )
        for namespace in addons.namespaces:
            ClosedNamespace(
                f"{name}-{namespace.name}", ClosedNamespaceArgs(namespace.name, namespace.pod_security), inside
            )
        self._classes(name, inputs.location, own)
        if addons.device_plugin_image is not None:
            DevicePlugin(f"{name}-device-plugin", DevicePluginArgs(system.name, addons.device_plugin_image), inside)
        Metrics(f"{name}-metrics", MetricsArgs(addons.metrics_server_image), inside)
        self.register_outputs({})

    def _classes(self, name: str, location: LocationArgs, own: pulumi.ResourceOptions) -> None:
        """Storage and priority classes."""
        # A volume that a pod claims carries the site's marks, and is found when the cluster is gone. It holds data.
        address = f"{location.location}/{CLAIMS}/pods"
        marks = tags_of(location, "volume", CLAIMS, address=address, store=CLAIMS)
        # The driver gives each volume a name of its own.
        del marks[aws_tags.NAME]
        k8s.storage.v1.StorageClass(
            f"{name}-gp3",
            metadata=k8s.meta.v1.ObjectMetaArgs(
                name="gp3", annotations={"storageclass.kubernetes.io/is-default-class": "true"}
            ),
            provisioner="ebs.csi.aws.com",
            parameters={
                "type": "gp3",
                "encrypted": "true",
                **{
                    f"tagSpecification_{number}": f"{key}={value}"
                    for number, (key, value) in enumerate(marks.items(), 1)
                },
            },
            allow_volume_expansion=True,
            reclaim_policy="Delete",
            # A volume is in one zone: the pod's.
            volume_binding_mode="WaitForFirstConsumer",
            opts=own,
        )
        for priority, value in PRIORITIES.items():
            k8s.scheduling.v1.PriorityClass(
                f"{name}-{priority}",
                metadata=k8s.meta.v1.ObjectMetaArgs(name=priority),
                value=value,
                global_default=False,
                # What can wait never pushes others out.
                preemption_policy="Never" if priority == "batch" else "PreemptLowerPriority",
                description=f"leptonctl: pods for {priority}",
                opts=own,
            )


def kubeconfig(*, name: str, endpoint: str, certificate: str, region: str) -> str:
    """How the provider reaches the cluster, as JSON, which is YAML too. It holds nothing secret."""
    token = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "leptonctl",
        "args": ["cluster-token", "--cluster", name, "--region", region],
        "interactiveMode": "Never",
        "provideClusterInfo": False,
    }
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": {"server": endpoint, "certificate-authority-data": certificate}}],
            "users": [{"name": name, "user": {"exec": token}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        }
    )
