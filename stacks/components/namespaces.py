"""ClosedNamespace: a namespace whose pods may look names up and nothing else, until a policy opens more."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

_DNS_PORT = 53


@dataclass(frozen=True, slots=True)
class ClosedNamespaceArgs:
    """Its name and the pod security standard that is enforced in it."""

    name: str
    pod_security: str
    is_kept: bool = True
    """Whether it stays, closed and with what is in it, when it is taken out of the site file."""


class ClosedNamespace(pulumi.ComponentResource):
    """A namespace, closed both ways but for name lookups; gives its `name`."""

    def __init__(self, name: str, args: ClosedNamespaceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("leptonctl:namespaces:ClosedNamespace", name, None, opts)
        own = pulumi.ResourceOptions(parent=self, retain_on_delete=args.is_kept)
        standard = "pod-security.kubernetes.io"
        namespace = k8s.core.v1.Namespace(
            name,
            metadata=k8s.meta.v1.ObjectMetaArgs(
                name=args.name,
                labels={f"{standard}/{mode}": args.pod_security for mode in ("enforce", "audit", "warn")},
            ),
            opts=own,
        )
        self.name = namespace.metadata.name
        every_pod = k8s.meta.v1.LabelSelectorArgs()
        k8s.networking.v1.NetworkPolicy(
            f"{name}-closed",
            metadata=k8s.meta.v1.ObjectMetaArgs(name="closed", namespace=self.name),
            spec=k8s.networking.v1.NetworkPolicySpecArgs(pod_selector=every_pod, policy_types=["Ingress", "Egress"]),
            opts=own,
        )
        k8s.networking.v1.NetworkPolicy(
            f"{name}-names",
            metadata=k8s.meta.v1.ObjectMetaArgs(name="names", namespace=self.name),
            spec=k8s.networking.v1.NetworkPolicySpecArgs(
                pod_selector=every_pod,
                policy_types=["Egress"],
                egress=[
                    k8s.networking.v1.NetworkPolicyEgressRuleArgs(
                        to=[
                            k8s.networking.v1.NetworkPolicyPeerArgs(
                                namespace_selector=k8s.meta.v1.LabelSelectorArgs(
                                    match_labels={"kubernetes.io/metadata.name": "kube-system"}
                                ),
                                pod_selector=k8s.meta.v1.LabelSelectorArgs(match_labels={"k8s-app": "kube-dns"}),
                            )
                        ],
                        ports=[
                            k8s.networking.v1.NetworkPolicyPortArgs(protocol=protocol, port=_DNS_PORT)
                            for protocol in ("UDP", "TCP")
                        ],
                    )
                ],
            ),
            opts=own,
        )
        self.register_outputs({"name": self.name})
