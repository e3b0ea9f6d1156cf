# shellcheck shell=sh
# Runs inside the new image, once, as root.

# Every host gets its own: the host keys are planted when it is created, the machine id is made at its first start.
rm -f /etc/ssh/ssh_host_*
: >/etc/machine-id
rm -f /var/lib/dbus/machine-id

# Things that cannot work in a container, or that only cost time there.
systemctl mask \
    console-getty.service \
    e2scrub_all.timer \
    e2scrub_reap.service \
    getty.target \
    systemd-binfmt.service \
    systemd-modules-load.service \
    systemd-remount-fs.service \
    systemd-udevd.service
systemctl enable ssh.service
systemctl set-default multi-user.target

# Built anew by apt from the lists when it is next asked.
rm -f /var/cache/apt/*.bin
