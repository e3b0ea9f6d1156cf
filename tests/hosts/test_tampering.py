"""Every kind of thing that a role manages, changed by hand: told alone, under its role, and mended by the next run.

The changes of a round are made one after the other on the same host, and each has to add its own message and nothing
else; then the roles run once for all of them. A kind that hides another one (a masked unit, a missing package) stands
in another round.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hosts.tampering import (
    RELOAD,
    Change,
    Round,
    content,
    disabled,
    drop_in,
    held,
    hold,
    missing,
    mode,
    put_over,
    stopped,
)

if TYPE_CHECKING:
    from tests.hosts.box import Box

pytestmark = [pytest.mark.hosts, pytest.mark.matrix]

AGENT = "prometheus-node-exporter"
SUDOERS = "install -m 0440 /dev/stdin /etc/sudoers.d/eve"
OLD_AGENT = f"""
cd "$(mktemp -d)" && apt-get -qq download {AGENT} && dpkg-deb -R ./*.deb package &&
sed -i 's/^Version:.*/Version: 0.1/' package/DEBIAN/control && dpkg-deb -b package old.deb &&
DEBIAN_FRONTEND=noninteractive dpkg --force-confold --install old.deb
"""


def replaced(path: str) -> str:
    """A command that puts another program in the place of one, also while that runs."""
    return f"rm {path} && cp /bin/true {path}"


ROUNDS = {
    "files, accounts and what stopped": Round(
        (
            content("base", "/etc/apt/apt.conf.d/60leptonctl"),
            mode("base", "/etc/default/locale", "0666", "0644"),
            Change(
                "base",
                "/etc/security/limits.d/60-leptonctl.conf: owner ops, should be root",
                "chown ops /etc/security/limits.d/60-leptonctl.conf",
            ),
            Change(
                "base",
                "/etc/systemd/system.conf.d/60-leptonctl.conf: group ops, should be root",
                "chgrp ops /etc/systemd/system.conf.d/60-leptonctl.conf",
            ),
            missing("base", "/etc/timezone"),
            Change(
                "base",
                "/etc/localtime points to /usr/share/zoneinfo/Asia/Tokyo, should point to /usr/share/zoneinfo/Etc/UTC",
                "ln -sfn /usr/share/zoneinfo/Asia/Tokyo /etc/localtime",
            ),
            mode("base", "/etc/systemd/journald.conf.d", "0777", "0755"),
            held("base", "sudo"),
            stopped("base", "apt-daily.timer"),
            disabled("base", "apt-daily-upgrade.timer"),
            Change("base", "user ops: shell is /bin/sh, should be /bin/bash", "usermod -s /bin/sh ops"),
            Change("base", "user ops: comment is eve, should be Operator", "usermod -c eve ops"),
            Change("base", "user ops: groups is sudo, should be empty", "usermod -aG sudo ops"),
            Change("base", "user ops: the password changed", "echo ops:abc | chpasswd"),
            Change(
                "base",
                "/home/ops/.ssh/authorized_keys: content changed",
                "echo 'ssh-ed25519 AAAA eve' >> /home/ops/.ssh/authorized_keys",
            ),
            Change("base", "/home/ops/.ssh: group root, should be ops", "chgrp root /home/ops/.ssh"),
            content("container_runtime", "/etc/containerd/config.toml"),
            mode("container_runtime", "/usr/local/lib/leptonctl/probe_image", "0777", "0755"),
            missing("container_runtime", "/etc/containerd/certs.d/docker.io/hosts.toml"),
            content("container_runtime", "/etc/systemd/system/leptonctl-image-gc.service"),
            stopped("container_runtime", "leptonctl-image-gc.timer"),
            Change(
                "container_runtime",
                "package podman is there, should be absent",
                "DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends podman",
            ),
            held("container_runtime", "busybox-static"),
            stopped("container_runtime", "containerd.service"),
            Change(
                "monitoring_agent",
                f"/etc/default/{AGENT}: owner ops, should be root",
                f"chown ops /etc/default/{AGENT}",
            ),
            Change("monitoring_agent", f"package {AGENT} is 0.1, should be {{version}} or newer", OLD_AGENT),
            disabled("monitoring_agent", f"{AGENT}.service"),
            content("monitoring_server", "/etc/prometheus/prometheus.yml"),
            mode("monitoring_server", "/etc/prometheus/alertmanager.yml", "0644", "0640"),
            missing("monitoring_server", "/etc/prometheus/rules/leptonctl.yml"),
            Change(
                "monitoring_server",
                "/etc/prometheus/targets/leptonctl.json is a link, should be a file",
                "cd /etc/prometheus/targets && mv leptonctl.json /root/ && ln -s /root/leptonctl.json .",
            ),
            held("monitoring_server", "prometheus-alertmanager"),
            stopped("monitoring_server", "prometheus.service"),
            disabled("monitoring_server", "prometheus-alertmanager.service"),
        )
    ),
    "drop-ins, the kernel, and who may become root": Round(
        (
            Change(
                "base",
                "unit apt-daily.timer has an extra drop-in /etc/systemd/system/apt-daily.timer.d/x.conf",
                "echo '[Timer]' | install -D -m 0644 /dev/stdin /etc/systemd/system/apt-daily.timer.d/x.conf",
            ),
            Change(
                "base",
                "kernel settings are in force: no: exit 1: net.core.somaxconn: is 128, should be 4096",
                "sysctl -w net.core.somaxconn=128",
            ),
            put_over("container_runtime", "containerd.service"),
            Change("container_runtime", "package busybox-static is not installed", "dpkg --remove busybox-static"),
            Change(
                "monitoring_agent",
                f"unit {AGENT}.service is replaced by /etc/systemd/system/{AGENT}.service",
                f"cp /lib/systemd/system/{AGENT}.service /etc/systemd/system/ && systemctl daemon-reload",
            ),
            Change(
                "monitoring_agent",
                f"unit {AGENT}.service runs older settings than /etc/default/{AGENT}",
                f"cd /etc/default && cp -p {AGENT} /root && echo ARGS= > {AGENT} && "
                f"systemctl restart {AGENT} && cp -p /root/{AGENT} .",
            ),
            Change(
                "monitoring_server",
                "unit prometheus.service has an extra drop-in /run/systemd/system/prometheus.service.d/x.conf",
                f"{drop_in('/run/systemd/system/prometheus.service.d/x.conf')} && {RELOAD}",
            ),
            Change(
                "monitoring_server",
                "unit prometheus-alertmanager.service is masked",
                "systemctl mask prometheus-alertmanager.service",
            ),
        ),
        left=(
            Change(
                "base",
                "user eve is in group sudo and may become root: run `gpasswd --delete eve sudo`, "
                "or list eve under software.base.users with sudo: true",
                "useradd eve && usermod -aG sudo eve",
            ),
            Change(
                "base",
                "/etc/sudoers.d/eve changes who may become root (eve): take it out, "
                "or list them under software.base.users with sudo: true",
                f"echo 'eve ALL=(ALL) NOPASSWD: ALL' | {SUDOERS}",
            ),
            Change(
                "base",
                "user toor has the number of root (0): remove the account, or give it a number of its own",
                "useradd --non-unique --uid 0 toor",
            ),
        ),
        undo="userdel eve; sed -i /^toor:/d /etc/passwd /etc/shadow; rm /etc/sudoers.d/eve",
    ),
    "what is gone, masked or put over ours": Round(
        (
            Change("base", "user ops is missing", "userdel ops"),
            Change("base", "unit systemd-journald.service is masked", "systemctl mask systemd-journald.service"),
            Change("base", "package tzdata is not installed", "dpkg --remove --force-depends tzdata"),
            Change(
                "base",
                "kernel settings are in force: no: exit 1: "
                "net.core.somaxconn: /etc/sysctl.d/99-x.conf puts 128 in its place at the next start",
                "echo net.core.somaxconn=128 > /etc/sysctl.d/99-x.conf",
            ),
            Change(
                "container_runtime",
                "the image that proves it is there: no: exit 0: it said nothing",
                "ctr images rm localhost/leptonctl/probe:1",
            ),
            Change("monitoring_agent", f"unit {AGENT}.service is masked", f"systemctl mask {AGENT}.service"),
            Change(
                "monitoring_server",
                "package prometheus-alertmanager is not installed",
                "dpkg --remove prometheus-alertmanager",
            ),
            Change("monitoring_server", "unit prometheus.service is masked", "systemctl mask prometheus.service"),
        ),
        tampered=(
            Change("base", "package sudo: /usr/bin/cvtsudoers is not as packed", replaced("/usr/bin/cvtsudoers")),
            Change(
                "container_runtime",
                "package containerd: /usr/bin/containerd-shim-runc-v1 is missing",
                "rm /usr/bin/containerd-shim-runc-v1",
            ),
            Change(
                "monitoring_agent", f"package {AGENT}: /usr/bin/{AGENT} is not as packed", replaced(f"/usr/bin/{AGENT}")
            ),
            Change(
                "monitoring_server",
                "package prometheus: /usr/bin/promtool is not as packed",
                replaced("/usr/bin/promtool"),
            ),
        ),
    ),
}


@pytest.mark.parametrize("name", ROUNDS)
def test_a_change_by_hand_is_told_alone_under_its_role_and_mended(box: Box, name: str) -> None:
    hold(box, ROUNDS[name], {"version": box.run(f"dpkg-query --show --showformat='${{Version}}' {AGENT}")})


def test_what_a_role_cannot_mend_is_refused_and_never_becomes_the_norm(box: Box) -> None:
    number = box.run("id --user ops").strip()
    box.run("usermod --uid 4321 ops")
    try:
        assert box.found() == {"base": (f"user ops: uid is 4321, should be {number}",)}
        box.configure("base")
        assert box.record().problem == f"base: user ops: uid is 4321, should be {number}"
        assert box.found() == {"base": (f"user ops: uid is 4321, should be {number}",)}
    finally:
        box.run(f"usermod --uid {number} ops")
    assert box.record().problem is None
    assert box.found() == {}


def test_a_secret_that_changed_behind_its_reference_is_a_changed_setting(box: Box) -> None:
    from leptonctl.hosts.probe import look  # noqa: PLC0415 - next to its use

    def changed(value: str) -> tuple[str, ...]:
        found = look([box.target], digests=box.digests, secrets={"env:HOOK": value})[box.target.address]
        return found.roles["monitoring_server"].changed_settings

    assert changed("http://127.0.0.1:9/hook?token=one") == ()
    assert changed("http://127.0.0.1:9/hook?token=two") == ("webhook_url",)
    assert "token" not in box.run("cat /var/lib/leptonctl/manifest.json")
