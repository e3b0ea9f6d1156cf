"""What the roles of `ten_hosts.py` manage, by name: for a peer that is told it in its own words."""

FOLDERS = (
    "/etc/sysctl.d",
    "/etc/security/limits.d",
    "/etc/systemd/system.conf.d",
    "/etc/systemd/journald.conf.d",
    "/usr/local/lib/leptonctl",
    "/etc/containerd",
    "/etc/containerd/certs.d",
)
FILES = {
    "/etc/apt/apt.conf.d/60leptonctl": "644",
    "/etc/default/locale": "644",
    "/etc/timezone": "644",
    "/etc/sysctl.d/60-leptonctl.conf": "644",
    "/etc/security/limits.d/60-leptonctl.conf": "644",
    "/etc/systemd/system.conf.d/60-leptonctl.conf": "644",
    "/etc/systemd/journald.conf.d/60-leptonctl.conf": "644",
    "/usr/local/lib/leptonctl/kernel_settings": "755",
    "/etc/sudoers.d/leptonctl": "440",
    "/etc/containerd/config.toml": "644",
    "/usr/local/lib/leptonctl/probe_image": "755",
    "/usr/local/lib/leptonctl/containers": "755",
    "/usr/local/lib/leptonctl/image_gc": "755",
    "/etc/systemd/system/leptonctl-image-gc.service": "644",
    "/etc/systemd/system/leptonctl-image-gc.timer": "644",
    "/etc/default/prometheus-node-exporter": "644",
}
PACKAGES = ["sudo", "tzdata", "unattended-upgrades", "containerd", "busybox-static", "prometheus-node-exporter"]
SERVICES = (
    "systemd-journald.service",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "containerd.service",
    "leptonctl-image-gc.timer",
    "prometheus-node-exporter.service",
)
# The host that watches has more.
WATCHING_FOLDERS = ("/etc/prometheus/rules", "/etc/prometheus/targets", "/usr/local/share/leptonctl/dashboards")
WATCHING_FILES = {
    "/etc/prometheus/rules/leptonctl.yml": "644",
    "/etc/prometheus/targets/leptonctl.json": "644",
    "/etc/prometheus/prometheus.yml": "644",
    "/etc/prometheus/alertmanager.yml": "640",
    "/etc/default/prometheus": "644",
    "/etc/default/prometheus-alertmanager": "644",
    **{
        f"/usr/local/share/leptonctl/dashboards/{name}.json": "644"
        for name in (
            *("base", "container_runtime", "monitoring_agent", "monitoring_server"),
            *("site_energy", "site_gpu", "site_location", "site_overview", "site_storage"),
        )
    },
}
WATCHING_PACKAGES = ["prometheus", "prometheus-alertmanager"]
WATCHING_SERVICES = ("prometheus.service", "prometheus-alertmanager.service")
