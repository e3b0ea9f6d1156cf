# shellcheck shell=sh
# Prints what of a host the roles decide, for comparing two ways to configure it. Knows nothing of leptonctl's own look.
LC_ALL=C
export LC_ALL
dpkg-query --show --showformat='package ${Package} ${Version} ${db:Status-Abbrev} ${db:Status-Want}\n'
for unit in systemd-journald.service apt-daily.timer apt-daily-upgrade.timer containerd.service leptonctl-image-gc.timer \
    prometheus-node-exporter.service prometheus.service prometheus-alertmanager.service; do
    printf 'unit %s %s %s\n' "$unit" "$(systemctl is-active "$unit")" "$(systemctl is-enabled "$unit" 2>/dev/null)"
done
# The targets of Prometheus are the hosts' addresses, which differ from one set of hosts to the next.
find /etc/apt/apt.conf.d/60leptonctl /etc/containerd /etc/default /etc/localtime /etc/prometheus /etc/security/limits.d \
    /etc/sudoers.d /etc/sysctl.d /etc/systemd/journald.conf.d /etc/systemd/system.conf.d /etc/timezone \
    /etc/systemd/system /usr/local/lib/leptonctl /usr/local/share/leptonctl -name '*.pyc' -o -path '*/targets/leptonctl.json' -o -printf '%y %p %m %u %g %l\n' 2>/dev/null | sort
find /etc/apt/apt.conf.d/60leptonctl /etc/containerd /etc/default /etc/prometheus /etc/security/limits.d /etc/sudoers.d \
    /etc/sysctl.d /etc/systemd/journald.conf.d /etc/systemd/system.conf.d /etc/timezone \
    /etc/systemd/system /usr/local/lib/leptonctl /usr/local/share/leptonctl \
    -path '*/targets/leptonctl.json' -o -type f -exec sha256sum '{}' + 2>/dev/null | sort
systemctl show --property=DefaultLimitNOFILE --property=DefaultLimitMEMLOCK
ctr image ls --quiet
