"""Metrics: the metrics server, which `kubectl top` and horizontal scaling ask. It runs in `kube-system`."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

_NAMESPACE = "kube-system"
_NAME = "metrics-server"
_PORT = 10250
_LABELS = {"k8s-app": _NAME}
_RBAC = "rbac.authorization.k8s.io"
_USER = 1000


@dataclass(frozen=True, slots=True)
class MetricsArgs:
    """The server's image."""

    image: str


class Metrics(pulumi.ComponentResource):
    """The server, what it may read, and the API that it stands behind."""

    def __init__(self, name: str, args: MetricsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("leptonctl:metrics:Metrics", name, None, opts)
        self._name, self._own = name, pulumi.ResourceOptions(parent=self)
        account = k8s.core.v1.ServiceAccount(f"{name}-account", metadata=_meta(_NAME, _NAMESPACE), opts=self._own)
        subject = k8s.rbac.v1.SubjectArgs(
            kind="ServiceAccount", name=account.metadata.name, namespace=account.metadata.namespace
        )
        self._what_it_may(subject)
        service = self._service()
        deployment = k8s.apps.v1.Deployment(
            f"{name}-deployment", metadata=_meta(_NAME, _NAMESPACE), spec=_deployment(args.image), opts=self._own
        )
        k8s.apiregistration.v1.APIService(
            f"{name}-api",
            metadata=_meta("v1beta1.metrics.k8s.io"),
            spec=k8s.apiregistration.v1.APIServiceSpecArgs(
                group="metrics.k8s.io",
                version="v1beta1",
                group_priority_minimum=100,
                version_priority=100,
                # The server makes its certificate itself at each start: inside the cluster, nobody can know it.
                insecure_skip_tls_verify=True,
                service=k8s.apiregistration.v1.ServiceReferenceArgs(
                    name=service.metadata.name, namespace=service.metadata.namespace
                ),
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[deployment]),
        )
        self.register_outputs({})

    def _what_it_may(self, subject: k8s.rbac.v1.SubjectArgs) -> None:
        name, own = self._name, self._own
        k8s.rbac.v1.ClusterRole(
            f"{name}-reader",
            metadata=_meta(
                "system:aggregated-metrics-reader",
                labels={f"{_RBAC}/aggregate-to-{role}": "true" for role in ("view", "edit", "admin")},
            ),
            rules=[_rule("metrics.k8s.io", "pods", "nodes")],
            opts=own,
        )
        role = k8s.rbac.v1.ClusterRole(
            f"{name}-role",
            metadata=_meta("system:metrics-server"),
            rules=[
                k8s.rbac.v1.PolicyRuleArgs(api_groups=[""], resources=["nodes/metrics"], verbs=["get"]),
                _rule("", "pods", "nodes"),
            ],
            opts=own,
        )
        for label, role_name in (("role", role.metadata.name), ("delegator", "system:auth-delegator")):
            k8s.rbac.v1.ClusterRoleBinding(
                f"{name}-{label}",
                metadata=_meta("system:metrics-server" if label == "role" else "metrics-server:system:auth-delegator"),
                role_ref=k8s.rbac.v1.RoleRefArgs(api_group=_RBAC, kind="ClusterRole", name=role_name),
                subjects=[subject],
                opts=own,
            )
        k8s.rbac.v1.RoleBinding(
            f"{name}-auth",
            metadata=_meta("metrics-server-auth-reader", _NAMESPACE),
            role_ref=k8s.rbac.v1.RoleRefArgs(
                api_group=_RBAC, kind="Role", name="extension-apiserver-authentication-reader"
            ),
            subjects=[subject],
            opts=own,
        )

    def _service(self) -> k8s.core.v1.Service:
        return k8s.core.v1.Service(
            f"{self._name}-service",
            metadata=_meta(_NAME, _NAMESPACE),
            spec=k8s.core.v1.ServiceSpecArgs(
                selector=_LABELS,
                ports=[k8s.core.v1.ServicePortArgs(name="https", port=443, protocol="TCP", target_port="https")],
            ),
            opts=self._own,
        )


def _meta(name: str, namespace: str | None = None, labels: dict[str, str] | None = None) -> k8s.meta.v1.ObjectMetaArgs:
    return k8s.meta.v1.ObjectMetaArgs(name=name, namespace=namespace, labels={**_LABELS, **(labels or {})})


def _rule(group: str, *resources: str) -> k8s.rbac.v1.PolicyRuleArgs:
    return k8s.rbac.v1.PolicyRuleArgs(api_groups=[group], resources=list(resources), verbs=["get", "list", "watch"])


def _deployment(image: str) -> k8s.apps.v1.DeploymentSpecArgs:
    return k8s.apps.v1.DeploymentSpecArgs(
        selector=k8s.meta.v1.LabelSelectorArgs(match_labels=_LABELS),
        replicas=1,
        strategy=k8s.apps.v1.DeploymentStrategyArgs(
            type="RollingUpdate", rolling_update=k8s.apps.v1.RollingUpdateDeploymentArgs(max_unavailable=0)
        ),
        template=k8s.core.v1.PodTemplateSpecArgs(
            metadata=k8s.meta.v1.ObjectMetaArgs(labels=_LABELS),
            spec=k8s.core.v1.PodSpecArgs(
                service_account_name=_NAME,
                priority_class_name="system-cluster-critical",
                node_selector={"kubernetes.io/os": "linux"},
                containers=[_container(image)],
                volumes=[k8s.core.v1.VolumeArgs(name="tmp", empty_dir=k8s.core.v1.EmptyDirVolumeSourceArgs())],
            ),
        ),
    )


def _container(image: str) -> k8s.core.v1.ContainerArgs:
    return k8s.core.v1.ContainerArgs(
        name=_NAME,
        image=image,
        image_pull_policy="IfNotPresent",
        args=[
            "--cert-dir=/tmp",
            f"--secure-port={_PORT}",
            "--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname",
            "--kubelet-use-node-status-port",
            "--metric-resolution=15s",
        ],
        ports=[k8s.core.v1.ContainerPortArgs(name="https", container_port=_PORT, protocol="TCP")],
        liveness_probe=_probe("/livez", delay_s=0),
        readiness_probe=_probe("/readyz", delay_s=20),
        resources=k8s.core.v1.ResourceRequirementsArgs(requests={"cpu": "100m", "memory": "200Mi"}),
        security_context=k8s.core.v1.SecurityContextArgs(
            allow_privilege_escalation=False,
            read_only_root_filesystem=True,
            run_as_non_root=True,
            run_as_user=_USER,
            capabilities=k8s.core.v1.CapabilitiesArgs(drop=["ALL"]),
            seccomp_profile=k8s.core.v1.SeccompProfileArgs(type="RuntimeDefault"),
        ),
        volume_mounts=[k8s.core.v1.VolumeMountArgs(name="tmp", mount_path="/tmp")],  # noqa: S108 - a volume of the pod
    )


def _probe(path: str, *, delay_s: int) -> k8s.core.v1.ProbeArgs:
    return k8s.core.v1.ProbeArgs(
        http_get=k8s.core.v1.HTTPGetActionArgs(path=path, port="https", scheme="HTTPS"),
        initial_delay_seconds=delay_s,
        period_seconds=10,
        failure_threshold=3,
    )
