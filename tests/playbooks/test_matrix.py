"""Roles by what may happen to them (fresh, second run, upgrade, changed setting, removed), on one real host.

A role is added by one entry of `CASES`. `make test-roles` runs this; the changes that people make by hand are in
tests/hosts/test_tampering.py. Packages of the makers of accelerators are fakes (`fake_vendor`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from leptonctl.health.readings import Declared
from leptonctl.planning.observed import RoleState
from leptonctl.sitefile.software import ROLE_DATA, ROLE_NEEDS, ROLES_THAT_STAY, RoleName
from tests.hosts import hdfs_box
from tests.hosts.box import Box, fresh_box, role
from tests.playbooks.fake_vendor import SERVED, URI, FakeVendor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.hosts, pytest.mark.matrix]


@dataclass(frozen=True)
class Case:
    """What a role is given, and what is to be seen of it from outside.

    `changed` are settings to change, and `shows` a command with the text that it prints only after that. `package` is
    downgraded by hand to see it upgraded; of a role without packages `file` is an older one. `gone` are paths that are
    not there once the role was taken off; its data (`ROLE_DATA`) has to be. `bring` puts there what the
    host takes its software from. `flaws` are the live checks, by title, that fail because the host is a container.
    `maker` is where the fake maker has the role's packages.
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
}
CASES |= {
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
}
CASES |= {
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
}
# A cluster is more than a host: its roles go through the same stages in a file of their own.
ELSEWHERE: dict[RoleName, str] = {
    "kubernetes": "tests/e2e/test_host_cluster.py",
    "edge_gateway": "tests/e2e/test_edge_pull.py",
}
CASES |= {
    "storage_hdfs": Case(
        settings=hdfs_box.SETTINGS,
        changed={"scan_days": 7},
        shows=("grep --after-context=0 scan.period /etc/leptonctl/hadoop/hdfs-site.xml || :", "<value>168</value>"),
        package="openjdk-17-jre-headless",
        gone=("/opt/leptonctl/hadoop", "/etc/leptonctl/hadoop", "/usr/lib/jvm/default-java", hdfs_box.UNIT),
        bring=hdfs_box.bring_hadoop,
    ),
}
CASES |= {
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
        gone=("/etc/ganesha/ganesha.conf", "/usr/bin/ganesha.nfsd", "/etc/systemd/system/srv-other.mount"),
        flaws=("homes is served", "other is mounted"),
    ),
}
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
CASES |= {
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
}
CASES |= {
    # Without a tunnel: its other end is another host (tests/e2e/test_edge_pull.py has both).
    "edge": Case(
        settings={"targets": [TARGET], "write_to": ["http://127.0.0.1:9/api/v1/write"]},
        changed={"buffer_hours": 48},
        shows=("cat /etc/default/prometheus", "--storage.agent.retention.max-time=48h"),
        package="prometheus",
        gone=(
            "/etc/prometheus/agent.yml",
            "/usr/bin/prometheus",
            "/etc/systemd/system.conf.d/61-leptonctl-watchdog.conf",
        ),
        flaws=("the machine's watchdog is armed",),
    ),
}
STAGES = ("fresh", "second run", "upgrade", "changed setting", "removed")
FINGERPRINT = f"{SERVED}/fingerprint"


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    folder = tmp_path_factory.mktemp("matrix")
    with fresh_box(folder, "matrix") as made:
        vendor = FakeVendor(made, folder)
        vendor.serve()
        vendor.publish_all()
        made.run(f"echo {vendor.fingerprint} > {FINGERPRINT}")
        yield made


def needed(name: RoleName) -> tuple[RoleName, ...]:
    """The role and all that it needs, in running order."""
    found = {name, *(need for direct in ROLE_NEEDS[name] for need in needed(direct))}
    return tuple(one for one in ROLE_NEEDS if one in found)


def give(box: Box, name: RoleName, **changed: object) -> None:
    """Let the host be one that should have the role, and what it needs."""
    settings = {one: given(box, one) | (changed if one == name else {}) for one in needed(name)}
    box.target = replace(box.target, roles=tuple(role(one, **own) for one, own in settings.items()))


def given(box: Box, name: RoleName) -> dict[str, Any]:
    """The settings of a role's case, with the source that the fake maker has on the host."""
    case = CASES[name]
    if case.maker is None:
        return case.settings
    key = box.run(f"cat {FINGERPRINT}").strip()
    return {**case.settings, "repository": f"{URI}{case.maker}", "repository_key": key}


def run(box: Box, *names: RoleName) -> None:
    """Run roles and have it written down; the host is in order then."""
    box.configure(*names)
    assert box.record().problem is None
    assert box.found() == {}


def flaws(box: Box, name: RoleName) -> tuple[str, ...]:
    """The live checks of the role that fail, once those that only have not begun yet hold."""
    found: tuple[str, ...] = ()
    for _ in range(20):
        checks = box.look(with_checks=True).checks or ()
        found = tuple(check.message.partition(": no: ")[0] for check in checks if check.role == name)
        if found == CASES[name].flaws:
            break
    return found


def fresh(box: Box, name: RoleName, case: Case) -> None:
    give(box, name)
    # What an earlier case needed, and this one does not.
    gone = box.look().gone_roles
    for other in (one for one in reversed(ROLE_NEEDS) if one in gone):
        box.take_off(other, delete=ROLE_DATA.get(other, ()))
        assert box.record().problem is None
    if case.bring is not None:
        case.bring(box)
    before = box.run("dpkg-query --show; find /etc -type f | sort")
    checked = box.check()
    assert "changed=0 " not in checked
    assert box.run("dpkg-query --show; find /etc -type f | sort") == before
    missing = tuple(one for one, look in box.look().roles.items() if look.state != RoleState.IN_ORDER)
    assert name in missing
    box.configure(*(one for one in needed(name) if one in missing))
    assert box.record().problem is None
    assert box.found() == {}
    assert box.look().roles[name].not_observed == ()
    assert flaws(box, name) == case.flaws
    command, text = case.shows
    assert text not in box.run(command)


def second_run(box: Box, name: RoleName, _case: Case) -> None:
    run(box, name)
    assert box.done.changed_count == 0


def upgrade(box: Box, name: RoleName, case: Case) -> None:
    """An older version, made of the archive's own package, is replaced by the archive's."""
    if case.file:
        whole = box.run(f"cat {case.file}")
        box.run(f"echo older > {case.file}")
        assert f"{case.file}: content changed" in box.found()[name]
        run(box, name)
        assert box.run(f"cat {case.file}") == whole
        return
    version = box.run(f"dpkg-query --show --showformat='${{Version}}' {case.package}")
    box.run(
        f"rm -rf /root/old && mkdir -p /root/old && cd /root/old"
        f" && apt-get download {case.package} && dpkg-deb -R *.deb one"
        f" && sed -i 's/^Version: .*/Version: 0~old/' one/DEBIAN/control && dpkg-deb -Znone -b one old.deb"
        f" && dpkg --install --force-downgrade --force-depends --force-confold old.deb"
    )
    assert any("0~old" in message for message in box.found()[name]), box.found()
    run(box, name)
    assert box.run(f"dpkg-query --show --showformat='${{Version}}' {case.package}") == version
    assert flaws(box, name) == case.flaws


def changed_setting(box: Box, name: RoleName, case: Case) -> None:
    give(box, name, **case.changed)
    found = box.look().roles[name]
    assert (found.state, set(found.changed_settings)) == (RoleState.SETTINGS_CHANGED, set(case.changed))
    run(box, name)
    command, text = case.shows
    assert text in box.run(command)
    run(box, name)
    assert box.done.changed_count == 0
    assert flaws(box, name) == case.flaws


def removed(box: Box, name: RoleName, case: Case) -> None:
    if name in ROLES_THAT_STAY:
        return
    # Of its folders for data those that it uses: one runtime has its own, and not the others'.
    data = [path for path in ROLE_DATA.get(name, ()) if box.run(f"test -d {path} && echo there || :")]
    assert bool(data) == bool(ROLE_DATA.get(name))
    box.target = replace(box.target, roles=tuple(one for one in box.target.roles if one.name != name))
    assert box.look().gone_roles == (name,)
    box.take_off(name)
    assert box.done.removed == (name,)
    assert box.record().problem is None
    assert (box.look().gone_roles, box.found()) == ((), {})
    for path in case.gone:
        box.run(f"test ! -e {path}")
    for path in data:
        box.run(f"test -d {path}")
    # Once more, as a run does that was killed before it wrote the manifest.
    box.take_off(name)
    assert box.done.changed_count == 0
    # And back again: nothing of what it left is in its way.
    give(box, name)
    run(box, name)
    assert flaws(box, name) == case.flaws
    box.take_off(name, delete=ROLE_DATA.get(name, ()))
    assert box.record(replace(box.target, roles=box.target.roles[:-1])).problem is None
    for path in ROLE_DATA.get(name, ()):
        box.run(f"test ! -e {path}")


DONE = dict(zip(STAGES, (fresh, second_run, upgrade, changed_setting, removed), strict=True))


@pytest.mark.parametrize(("name", "stage"), list(product(CASES, STAGES)))
def test_a_role_holds_whatever_happens_to_it(box: Box, name: RoleName, stage: str) -> None:
    DONE[stage](box, name, CASES[name])


def test_every_role_is_taken_through_the_stages() -> None:
    assert set(CASES) | set(ELSEWHERE) == set(ROLE_NEEDS)
