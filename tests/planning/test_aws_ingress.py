from __future__ import annotations

from leptonctl.planning.aws import location_args
from leptonctl.sitefile.load import load_text

SITE = """
site: demo
owner: ops@example.com
core:
  platform: aws
  network: {cidr: 10.64.0.0/20}
  aws: {region: eu-central-1, ssh_from: [203.0.113.0/24]}
  nodes:
    watch: {count: 1, machine: {type: t3.small}, roles: [base, monitoring_agent, monitoring_server]}
    disks: {count: 3, machine: {type: t3.small}, roles: [base, storage_ceph]}
  software:
    storage_ceph: {monitor: true}
regions:
  west:
    platform: aws
    network: {cidr: 10.65.0.0/20}
    aws: {region: eu-west-1}
    nodes:
      watch: {count: 1, machine: {type: t3.small}, roles: [base, monitoring_agent, monitoring_server]}
      gate: {count: 1, machine: {type: t3.small}, aws: {public: true}, roles: [base, edge_gateway]}
    software:
      edge_gateway: {boxes_from: [198.51.100.0/24]}
edges:
  shop:
    platform: aws
    parent: west
    network: {cidr: 10.66.0.0/20}
    aws: {region: eu-west-1}
    nodes:
      box: {count: 1, machine: {type: t3.small}, roles: [base, monitoring_agent, edge]}
  mill:
    platform: local
    parent: west
    nodes:
      box: {count: 1, roles: [base, monitoring_agent, edge]}
"""


def rules(address: str, group: str) -> dict[str, str]:
    """Who may come to what: `PROTOCOL PORTS` by rule, with the source."""
    args = location_args(load_text(SITE, file="site.yaml", environ={}).site, address)
    assert args is not None
    (found,) = (one for one in args.groups if one.name == group)
    return {
        rule.name: f"{rule.protocol} {rule.ports.first}-{rule.ports.last} {rule.cidr}"
        if rule.ports
        else f"all {rule.cidr}"
        for rule in found.ingress
    }


def test_a_server_takes_what_the_locations_below_send_to_it() -> None:
    assert rules("core", "watch") == {
        "own-network": "all 10.64.0.0/20",
        "ssh-203-0-113-0-24": "tcp 22-22 203.0.113.0/24",
        "metrics-10-65-0-0-20": "tcp 9100-9100 10.65.0.0/20",
        "monitoring-server-9090-10-65-0-0-20": "tcp 9090-9090 10.65.0.0/20",
        "monitoring-server-9090-10-66-0-0-20": "tcp 9090-9090 10.66.0.0/20",
        "monitoring-server-9093-10-65-0-0-20": "tcp 9093-9093 10.65.0.0/20",
        "monitoring-server-9093-10-66-0-0-20": "tcp 9093-9093 10.66.0.0/20",
    }


def test_daemons_that_only_their_own_location_has_are_open_to_nobody_else() -> None:
    assert [name for name in rules("core", "disks") if not name.startswith(("own-", "ssh-"))] == [
        "storage-ceph-9283-10-65-0-0-20"
    ]


def test_a_gateway_takes_tunnels_from_boxes_on_aws_and_from_the_ranges_that_are_named() -> None:
    assert rules("regions/west", "gate") == {
        "own-network": "all 10.65.0.0/20",
        "ssh-10-64-0-0-20": "tcp 22-22 10.64.0.0/20",
        "edge-gateway-51820-10-66-0-0-20": "udp 51820-51820 10.66.0.0/20",
        "edge-gateway-51820-198-51-100-0-24": "udp 51820-51820 198.51.100.0/24",
    }
