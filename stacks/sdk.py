"""The SDKs' modules, made whole before programs run side by side.

They load themselves when they are first used, and Python's lazy loader is not safe there before 3.12: of two programs
that begin together, one may find a module that is half there.
"""

from __future__ import annotations

from functools import reduce
from importlib import import_module

AWS = ("autoscaling", "cloudwatch", "ebs", "ec2", "efs", "fsx", "iam", "route53", "s3", "vpc")
CLUSTER = ("eks", "kms")
KUBERNETES = (
    "apiregistration.v1",
    "apps.v1",
    "core.v1",
    "meta.v1",
    "networking.v1",
    "rbac.v1",
    "scheduling.v1",
    "storage.v1",
)


def load(*, has_cluster: bool) -> None:
    """Load what the programs use. To be called by one thread at a time; the second time it takes no time."""
    found: dict[str, tuple[str, ...]] = {"pulumi_aws": AWS + CLUSTER if has_cluster else AWS}
    if has_cluster:
        found["pulumi_kubernetes"] = KUBERNETES
    for package, names in found.items():
        top = import_module(package)
        for name in names:
            # Asking for a name in it is what loads it, and every one of them has this.
            hasattr(reduce(getattr, name.split("."), top), "_utilities")
