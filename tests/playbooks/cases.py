"""The roles of the matrix: what each is given, what is changed in it, and what is to be seen of it from outside.

A role is added by one entry of `CASES`. Packages of the makers of accelerators are fakes (`fake_vendor`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from leptonctl.health.readings import Declared
from tests.hosts import edge_box, hdfs_box, kube_box

if TYPE_CHECKING:
    from collections.abc import Callable

    from leptonctl.sitefile.software import RoleName
    from tests.hosts.box import Box


@dataclass(frozen=True)
class Case:
    """What a role is given, and what is to be seen of it from outside.

    `changed` are settings to change, and `shows` a command with the text that it prints only after that. `package`
    is downgraded by hand to see it upgraded; of a role without packages `file` is an older one. `gone` are paths
    that are not there once the role was taken off; its data (`ROLE_DATA`) has to be. `bring` puts there what the
    host takes its software from, or what is made before its roles run. `flaws` are the live checks, by title, that
    fail because the host is a container. `maker` is where the fake maker has the role's packages.
    """

    settings: dict[str, Any]
    changed: dict[str, Any]
    shows: tuple[str, str]
    package: str = ""
    file: str = ""
    maker: str | None = None
    gone: tuple[str, ...] = ()
    bring: Callable[[Box], None] | None = None
    flaws: tuple[str, ...] = field(default=())


TARGET = {"host": "core/box-1", "location": "core", "tier": "core", "endpoint": "127.0.0.1:9100"}
OBJECTS = {
    "name": "objects",
    "place": "core",
    "size": 2,
    "min_size": 1,
    "erasure": None,
    "failure_domain": "host",
    "application": "leptonctl",
    "has_overwrites": False,
    "is_file_system": False,
    "placement_groups": 8,
}

CASES: dict[RoleName, Case] = {
    "base": Case(
        settings={"timezone": "Europe/Vienna"},
        changed={"timezone": "Europe/Berlin"},
        shows=("cat /etc/timezone", "Europe/Berlin"),
        package="unattended-upgrades",
    ),
    "container_runtime": Case(
        settings={"snapshotter": "native"},
        changed={"registry_mirrors": {"docker.io": "http://127.0.0.1:5000"}},
        shows=("cat /etc/containerd/certs.d/docker.io/hosts.toml 2>&1 || :", "http://127.0.0.1:5000"),
        package="containerd",
        gone=("/etc/containerd/config.toml", "/usr/bin/containerd", "/etc/containerd/certs.d/docker.io"),
    ),
    "monitoring_agent": Case(
        settings={},
        changed={"port": 9200},
        shows=("ss --listening --tcp --numeric --no-header", ":9200"),
        package="prometheus-node-exporter",
        gone=("/etc/default/prometheus-node-exporter", "/usr/bin/prometheus-node-exporter"),
    ),
    "monitoring_server": Case(
        settings={"targets": [TARGET], "watched_roles": ["base", "monitoring_agent"], "scrape_interval_s": 1},
        changed={"watched_roles": ["base", "container_runtime", "monitoring_agent"], "host_down_after_s": 77},
        shows=("cat /etc/prometheus/rules/leptonctl.yml", "has not answered for 77 seconds"),
        package="prometheus",
        gone=("/etc/prometheus/prometheus.yml", "/usr/bin/prometheus", "/usr/local/share/leptonctl/dashboards"),
    ),
    "hardening": Case(
        settings={
            "openings": [{"role": "x", "protocol": "tcp", "port": "9100", "sources": ["192.0.2.1", "2001:db8::/32"]}]
        },
        changed={"operators": ["192.0.2.0/24"], "reboot_at": {"core": "03:30"}},
        shows=("cat /etc/apt/apt.conf.d/61leptonctl-reboot", 'Automatic-Reboot-Time "03:30"'),
        package="auditd",
        gone=("/etc/leptonctl/firewall.nft", "/etc/ssh/sshd_config.d/00-leptonctl.conf", "/usr/sbin/auditctl"),
        flaws=("auditd.service is active and enabled", "the audit rules are loaded"),
    ),
    "gpu_driver": Case(
        settings={"source": "vendor", "branch": 570, "declared": {}},
        changed={"branch": 580},
        shows=("dpkg-query --show nvidia-driver-cuda 2>&1 || :", "580.30.03-1"),
        package="nvidia-driver-cuda",
        maker="",
        gone=(
            "/etc/modprobe.d/60-leptonctl-gpu.conf",
            "/etc/apt/sources.list.d/leptonctl-nvidia.sources",
            "/etc/apt/preferences.d/60-leptonctl-gpu-driver",
        ),
        flaws=("the GPU driver is loaded",),
    ),
    "fpga": Case(
        settings={"version": "2.18*", "declared": {}},
        changed={"version": "2.19*"},
        shows=("dpkg-query --show xrt 2>&1 || :", "2.19.194"),
        package="xrt",
        maker="/fpga",
        gone=("/etc/leptonctl-fpga.json", "/etc/apt/sources.list.d/leptonctl-fpga.sources"),
        flaws=("the FPGAs are as declared",),
    ),
    "gpu_container_toolkit": Case(
        settings={"version": "1.17.0*"},
        changed={"mode": "auto"},
        shows=("cat /etc/nvidia-container-runtime/config.toml 2>&1 || :", 'mode = "auto"'),
        package="libnvidia-container1",
        maker="",
        gone=("/etc/nvidia-container-runtime", "/etc/apt/sources.list.d/leptonctl-nvidia-container-toolkit.sources"),
        flaws=("the GPUs are described for containers", "a container sees a GPU"),
    ),
    "gpu_health": Case(
        settings={"declared": {"declared": asdict(Declared(count=1)), "policy": {}}},
        changed={"interval_s": 120},
        shows=("cat /etc/systemd/system/leptonctl-gpu-health.timer 2>&1 || :", "OnUnitActiveSec=120s"),
        file="/usr/local/lib/leptonctl/gpu_health.modules",
        gone=(
            "/usr/local/lib/leptonctl/gpu_health",
            "/etc/leptonctl/gpu_health.json",
            "/var/lib/prometheus/node-exporter/leptonctl_gpu_health.prom",
        ),
    ),
    # A control plane of one host. What joins it, and what a cluster does, is in tests/e2e/test_host_cluster.py.
    "kubernetes": Case(
        settings=kube_box.settings(kube_box.FIRST),
        changed=kube_box.changed(),
        shows=("kubelet --version 2>&1 || :", f"Kubernetes v{kube_box.SECOND}"),
        package="kubelet",
        maker=kube_box.AT,
        gone=(
            "/etc/kubernetes",
            "/usr/bin/kubelet",
            "/usr/local/lib/leptonctl/member",
            "/etc/apt/sources.list.d/leptonctl-kubernetes.sources",
        ),
    ),
    "storage_hdfs": Case(
        settings=hdfs_box.SETTINGS,
        changed={"scan_days": 7},
        shows=("grep --after-context=0 scan.period /etc/leptonctl/hadoop/hdfs-site.xml || :", "<value>168</value>"),
        package="openjdk-17-jre-headless",
        gone=("/opt/leptonctl/hadoop", "/etc/leptonctl/hadoop", "/usr/lib/jvm/default-java", hdfs_box.UNIT),
        bring=hdfs_box.bring_hadoop,
    ),
    # The root of a container is an overlay, which gives no handles of files to serve by, and its kernel has no NFS.
    "storage_nfs": Case(
        settings={
            "exports": [
                {"number": 1, "name": "homes", "path": "/srv/homes", "read_only": False, "clients": ["192.0.2.1"]}
            ],
            "mounts": [
                {
                    "name": "other",
                    "server": "127.0.0.1",
                    "path": "/srv/other",
                    "unit": "srv-other.mount",
                    "read_only": True,
                }
            ],
        },
        changed={"lease_s": 30},
        shows=("cat /etc/ganesha/ganesha.conf", "Lease_Lifetime = 30"),
        package="nfs-ganesha",
        gone=(
            "/etc/ganesha/ganesha.conf",
            "/etc/leptonctl/nfs.json",
            "/usr/bin/ganesha.nfsd",
            "/etc/systemd/system/srv-other.mount",
        ),
        flaws=("homes is served", "other is mounted"),
    ),
    # A monitor with one OSD on a file: enough to be made, too little to be healthy.
    "storage_ceph": Case(
        settings={
            "monitor": True,
            "osd_file_count": 1,
            "osd_file_gib": 2,
            "osd_memory_mib": 896,
            "node_name": "core.box-1",
            "place": "core",
            "places": ["core"],
            "begins": True,
            "pools": [OBJECTS],
            "monitors": [{"name": "core.box-1", "address": "127.0.0.1"}],
            "clients": [{"name": "objects", "caps": ["mon", "allow r", "osd", "allow rw"], "mount_path": None}],
        },
        changed={"options": {"osd": {"osd_deep_scrub_interval": "259200.000000"}}},
        shows=("timeout 60 ceph config get osd osd_deep_scrub_interval || :", "259200"),
        package="ceph-common",
        gone=("/etc/ceph/ceph.conf", "/usr/bin/ceph", "/usr/local/lib/leptonctl/ceph_host"),
        flaws=("the cluster is healthy",),
    ),
    # Without a tunnel: its other end is another host (tests/e2e/test_edge_pull.py has both).
    "edge": Case(
        settings={"targets": [TARGET], "write_to": ["http://127.0.0.1:9/api/v1/write"], "read_only_root": True},
        changed={"buffer_hours": 48},
        shows=("cat /etc/default/prometheus", "--storage.agent.retention.max-time=48h"),
        package="prometheus",
        gone=(
            "/etc/prometheus/agent.yml",
            "/usr/bin/prometheus",
            "/etc/systemd/system.conf.d/61-leptonctl-watchdog.conf",
            "/etc/overlayroot.local.conf",
        ),
        flaws=("the machine's watchdog is armed", "what is written to the root goes to memory"),
    ),
    # Without boxes: what these do with it is in tests/e2e/test_edge_pull.py.
    "edge_gateway": Case(
        settings={"address": "10.213.0.1/16", "boxes": []},
        changed={"package_cache_port": 3143},
        shows=("cat /etc/apt-cacher-ng/zz_leptonctl.conf 2>&1 || :", "Port: 3143"),
        package="docker-registry",
        gone=(
            "/etc/wireguard/lepton.key",
            "/etc/wireguard/lepton.conf",
            "/sys/class/net/lepton",
            "/usr/bin/wg",
            "/etc/docker/registry/config.yml",
            "/etc/systemd/system/leptonctl-states.service",
            "/var/lib/leptonctl-states",
            "/usr/local/lib/leptonctl/boxes",
        ),
        bring=edge_box.make_key,
    ),
    "storage_object": Case(
        settings={"buckets": [{"name": "data-sets", "writers": [], "readers": [], "quota_bytes": None}]},
        changed={"workers": 3},
        shows=("cat /etc/swift/proxy-server.conf.d/10-settings.conf 2>&1 || :", "workers = 3"),
        package="swift-proxy",
        gone=("/etc/swift", "/usr/bin/swift-proxy-server", "/etc/leptonctl/objects.json"),
    ),
    # Its package is the fake maker's: Grafana's own cannot be reached from here.
    "dashboards": Case(
        settings={"version": "12.0*", "admin_password": "env:HOOK"},
        changed={"address": "0.0.0.0"},  # noqa: S104 - written, not listened on
        shows=("cat /etc/grafana/grafana.ini 2>&1 || :", "http_addr = 0.0.0.0"),
        package="grafana",
        maker="/grafana",
        gone=("/etc/grafana", "/etc/apt/sources.list.d/leptonctl-grafana.sources"),
    ),
}
