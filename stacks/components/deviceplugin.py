"""DevicePlugin: NVIDIA's device plug-in on each machine that has its accelerators, so that pods may ask for them."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from leptonctl.planning.aws_cluster import ACCELERATOR_LABEL

_SOCKETS = "/var/lib/kubelet/device-plugins"


@dataclass(frozen=True, slots=True)
class DevicePluginArgs:
    """Where it runs, and its image."""

    namespace: pulumi.Input[str]
    image: str


class DevicePlugin(pulumi.ComponentResource):
    """A DaemonSet on the machines with the label; it needs no network and no API."""

    def __init__(self, name: str, args: DevicePluginArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("leptonctl:deviceplugin:DevicePlugin", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        labels = {"app.kubernetes.io/name": "device-plugin"}
        metadata = k8s.meta.v1.ObjectMetaArgs(name="device-plugin", namespace=args.namespace, labels=labels)
        account = k8s.core.v1.ServiceAccount(name, metadata=metadata, automount_service_account_token=False, opts=own)
        k8s.apps.v1.DaemonSet(
            name,
            metadata=metadata,
            spec=k8s.apps.v1.DaemonSetSpecArgs(
                selector=k8s.meta.v1.LabelSelectorArgs(match_labels=labels),
                update_strategy=k8s.apps.v1.DaemonSetUpdateStrategyArgs(type="RollingUpdate"),
                template=k8s.core.v1.PodTemplateSpecArgs(
                    metadata=k8s.meta.v1.ObjectMetaArgs(labels=labels),
                    spec=k8s.core.v1.PodSpecArgs(
                        service_account_name=account.metadata.name,
                        automount_service_account_token=False,
                        priority_class_name="system-node-critical",
                        node_selector={ACCELERATOR_LABEL: "nvidia"},
                        # Whatever keeps pods off these machines, the plug-in is what makes them useful.
                        tolerations=[k8s.core.v1.TolerationArgs(operator="Exists")],
                        containers=[_container(args.image)],
                        volumes=[
                            k8s.core.v1.VolumeArgs(
                                name="sockets",
                                host_path=k8s.core.v1.HostPathVolumeSourceArgs(path=_SOCKETS, type="Directory"),
                            )
                        ],
                    ),
                ),
            ),
            opts=own,
        )
        self.register_outputs({})


def _container(image: str) -> k8s.core.v1.ContainerArgs:
    return k8s.core.v1.ContainerArgs(
        name="device-plugin",
        image=image,
        image_pull_policy="IfNotPresent",
        # A machine without a working driver shows itself by a pod that fails, not by one that waits.
        env=[k8s.core.v1.EnvVarArgs(name="FAIL_ON_INIT_ERROR", value="true")],
        resources=k8s.core.v1.ResourceRequirementsArgs(
            requests={"cpu": "50m", "memory": "64Mi"}, limits={"memory": "256Mi"}
        ),
        security_context=k8s.core.v1.SecurityContextArgs(
            allow_privilege_escalation=False,
            read_only_root_filesystem=True,
            capabilities=k8s.core.v1.CapabilitiesArgs(drop=["ALL"]),
        ),
        volume_mounts=[k8s.core.v1.VolumeMountArgs(name="sockets", mount_path=_SOCKETS)],
    )
