"""Rules across the file: what no single field can say. Pure functions of a Site; `RULE_SETS` has them all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.sitefile.rules.accelerators import check_accelerators
from leptonctl.sitefile.rules.aws import check_aws
from leptonctl.sitefile.rules.capacity import check_capacity
from leptonctl.sitefile.rules.ceph import check_ceph_pools
from leptonctl.sitefile.rules.ceph_clusters import check_ceph_clusters
from leptonctl.sitefile.rules.containers import check_containers
from leptonctl.sitefile.rules.drivers import check_drivers, check_repositories
from leptonctl.sitefile.rules.edges import check_edge_boxes, check_edge_gateways
from leptonctl.sitefile.rules.hardening import check_hardening
from leptonctl.sitefile.rules.hdfs import check_hdfs, check_hdfs_paths
from leptonctl.sitefile.rules.host_clusters import check_host_clusters
from leptonctl.sitefile.rules.hosts import check_hosts
from leptonctl.sitefile.rules.kubernetes import check_clusters
from leptonctl.sitefile.rules.monitoring import check_dashboards, check_monitoring_servers
from leptonctl.sitefile.rules.networks import check_networks
from leptonctl.sitefile.rules.nfs import check_nfs_exports
from leptonctl.sitefile.rules.objects import check_buckets
from leptonctl.sitefile.rules.parents import check_parents
from leptonctl.sitefile.rules.platforms import check_platforms
from leptonctl.sitefile.rules.roles import check_ports, check_roles, check_unused_settings
from leptonctl.sitefile.rules.rollouts import check_rollouts
from leptonctl.sitefile.rules.ssh import check_ssh
from leptonctl.sitefile.rules.state import check_state
from leptonctl.sitefile.rules.storage import check_storage
from leptonctl.sitefile.rules.users import check_users
from leptonctl.sitefile.rules.values import check_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from leptonctl.sitefile.findings import Finding
    from leptonctl.sitefile.model import Site

RULE_SETS: tuple[Callable[[Site], Iterator[Finding]], ...] = (
    check_parents,
    check_platforms,
    check_aws,
    check_capacity,
    check_accelerators,
    check_drivers,
    check_repositories,
    check_state,
    check_clusters,
    check_networks,
    check_hosts,
    check_ssh,
    check_storage,
    check_ceph_pools,
    check_ceph_clusters,
    check_nfs_exports,
    check_buckets,
    check_roles,
    check_monitoring_servers,
    check_dashboards,
    check_edge_boxes,
    check_edge_gateways,
    check_unused_settings,
    check_ports,
    check_containers,
    check_hardening,
    check_host_clusters,
    check_hdfs,
    check_hdfs_paths,
    check_users,
    check_values,
    check_rollouts,
)


def check(site: Site) -> list[Finding]:
    """Every rule that the site breaks, in no particular order."""
    return [finding for rule_set in RULE_SETS for finding in rule_set(site)]
