# shellcheck shell=sh
# The floor of a first configuration: package lists and packages, and nothing else. Run on a host as root.
set -e
export DEBIAN_FRONTEND=noninteractive
echo 'Acquire::Languages "none";' >/etc/apt/apt.conf.d/60bare
apt-get update --quiet --quiet
apt-get install --quiet --quiet --yes --no-install-recommends sudo tzdata unattended-upgrades containerd busybox-static \
    prometheus-node-exporter >/dev/null
