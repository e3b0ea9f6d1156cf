"""Real local hosts in place of the machines that moto only lists: one podman container an instance, with its addresses.

A host comes up some time after the cloud said that it runs, as everywhere. At its first start it is given what
cloud-init would do with the user data: its host key, and who may log in as root. It does nothing else of cloud-init,
and no other key of it is accepted. Security groups, routes and volumes are not there: every host reaches every other.
"""

from __future__ import annotations

import base64
import io
import json
import tarfile
import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import boto3

from leptonctl.platforms.image import ensure_image, read_recipe
from leptonctl.platforms.local_host import remove_container
from leptonctl.platforms.local_network import free_ranges, ranges_of_machine, ranges_of_networks
from leptonctl.platforms.podman import Podman, find_podman
from leptonctl.progress import silent
from tests.engine.disturbances import Watcher

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.engine.calls import Answer, Call
    from tests.engine.proxy import Proxy

LABEL = "leptonctl-test.cloud"
ADDRESS_LABEL = "leptonctl-test.address"
_INTERNET = "internet"


@dataclass
class CloudHosts:
    """The hosts of one account of moto. `name` marks them all on this machine.

    `ranges` are free for its networks, each with room for `host_count` addresses. With `is_bare` a host runs its SSH
    server and nothing else: it can be reached and looked at, and not configured.
    """

    name: str
    moto_url: str
    host_count: int = 8
    is_bare: bool = False
    podman: Podman = field(default_factory=find_podman)
    _work: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(4))
    _hosts: dict[str, Future[None]] = field(default_factory=dict)
    _held: dict[str, threading.Event] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        taken = (*ranges_of_networks(self.podman.networks()), *ranges_of_machine())
        self.ranges: Iterator[str] = free_ranges(taken, host_count=self.host_count, seed=self.name)
        public = next(self.ranges)
        self._image = ensure_image(self.podman, read_recipe(), silent, self.name)
        self._network(_INTERNET, public)
        # The first address is this machine's.
        self._public = iter(list(IPv4Network(public).hosts())[1:])

    def stand_in(self, proxy: Proxy) -> None:
        """From now on, machines that are started through the proxy have hosts, and lose them with their end."""
        proxy.add(Watcher(self._started, "RunInstances"))
        proxy.add(Watcher(self._ended, "TerminateInstances"))

    def hold(self, address: str) -> threading.Event:
        """Let the next machine with this address begin to boot only when the event is set."""
        return self._held.setdefault(address, threading.Event())

    def public_address(self) -> str:
        """An address in the network that stands for the internet: what moto would make up leads nowhere."""
        return str(next(self._public))

    def on(self, address: str, *command: str) -> str:
        """Run a command on the host with this address in the site, past everything, as at its console."""
        ids = self.podman.text("ps", "--quiet", *self._mine(), f"--filter=label={ADDRESS_LABEL}={address}").split()
        assert len(ids) == 1, f"{len(ids)} hosts have the address {address}"
        return self.podman.text("exec", ids[0], *command)

    def running(self) -> list[str]:
        """The addresses of the hosts that run, sorted; one that is still being made is waited for."""
        for making in list(self._hosts.values()):
            making.result()
        form = f'{{{{index .Labels "{ADDRESS_LABEL}"}}}}'
        return sorted(self.podman.text("ps", *self._mine(), "--format", form).split())

    def remove(self) -> None:
        """Remove everything. Raises what went wrong while a host was made."""
        self._work.shutdown()
        containers = self.podman.text("ps", "--all", "--quiet", *self._mine()).split()
        for container in containers:
            remove_container(self.podman, container)
        for network in self.podman.networks(f"label={LABEL}={self.name}"):
            self.podman.text("network", "rm", network.name)
        for making in self._hosts.values():
            making.result()

    def _mine(self) -> tuple[str, str]:
        return "--filter", f"label={LABEL}={self.name}"

    def _started(self, call: Call, answer: Answer) -> None:
        config = user_data(base64.b64decode(call.form["UserData"]).decode())
        for instance in _ids(answer):
            with self._lock:
                if instance not in self._hosts:
                    ec2 = boto3.client("ec2", region_name=call.region, endpoint_url=self.moto_url)
                    self._hosts[instance] = self._work.submit(self._make, ec2, instance, config)

    def _ended(self, _call: Call, answer: Answer) -> None:
        for instance in _ids(answer):
            with self._lock:
                made = self._hosts.get(instance)
            if made is not None:
                wait([made])
                remove_container(self.podman, f"{self.name}-{instance}")

    def _make(self, ec2: Any, instance: str, config: dict[str, Any]) -> None:
        machine = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
        tags = {tag["Key"]: tag["Value"] for tag in machine["Tags"]}
        # By its marks: moto does not see the subnet of a machine whose template names its network cards.
        own = [{"Name": f"tag:{key}", "Values": [tags[key]]} for key in ("leptonctl:site", "leptonctl:location")]
        vpc = ec2.describe_vpcs(Filters=own)["Vpcs"][0]
        public = machine.get("PublicIpAddress")
        made = self.podman.text(
            "create",
            *("--name", f"{self.name}-{instance}", "--hostname", instance),
            *("--label", f"{LABEL}={self.name}", "--label", f"{ADDRESS_LABEL}={tags['leptonctl:address']}"),
            *("--network", f"{self._network(vpc['VpcId'], vpc['CidrBlock'])}:ip={machine['PrivateIpAddress']}"),
            *(("--network", f"{self._network(_INTERNET)}:ip={public}") if public else ()),
            *("--privileged", "--ulimit=nofile=10000:10000", "--ulimit=nproc=1000:1000"),
            *(
                (self._image, "/usr/sbin/sshd", "-D")
                if self.is_bare
                else ("--systemd=always", self._image, "/sbin/init")
            ),
        ).split()[-1]
        self.podman.text("cp", "-", f"{made}:/", stdin=planted(config))
        if (held := self._held.pop(tags["leptonctl:address"], None)) is not None:
            held.wait()
        self.podman.text("start", made)

    def _network(self, label: str, cidr: str | None = None) -> str:
        """The name of the network for a VPC, made where it is not there yet."""
        name = f"{self.name}-{label}"
        with self._lock:
            if cidr is not None and not self.podman.networks(f"name=^{name}$"):
                self.podman.text("network", "create", "--label", f"{LABEL}={self.name}", "--subnet", cidr, name)
        return name


def user_data(text: str) -> dict[str, Any]:
    """The cloud-config in user data; only what `planted` does is accepted."""
    head, _, document = text.partition("\n")
    assert head == "#cloud-config"
    config: dict[str, Any] = json.loads(document)
    known = {"ssh_deletekeys": True, "ssh_genkeytypes": [], "disable_root": False, "ssh_pwauth": False}
    assert {name: value for name, value in config.items() if name in known} == known
    assert config.keys() - known.keys() == {"ssh_keys", "ssh_authorized_keys"}
    return config


def planted(config: dict[str, Any]) -> bytes:
    """What cloud-init would write, as a tar archive for `/`; the image of local hosts has no host keys to delete."""
    keys = config["ssh_keys"]
    files = {
        "etc/ssh/ssh_host_ed25519_key": (keys["ed25519_private"], 0o600),
        "etc/ssh/ssh_host_ed25519_key.pub": (keys["ed25519_public"] + "\n", 0o644),
        "root/.ssh/authorized_keys": ("".join(f"{key}\n" for key in config["ssh_authorized_keys"]), 0o600),
    }
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        # The server's own folder is made by systemd, where there is one.
        for name, mode in (("root/.ssh", 0o700), ("run/sshd", 0o755)):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, mode
            archive.addfile(folder)
        for name, (text, mode) in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text.encode()), mode
            archive.addfile(entry, io.BytesIO(text.encode()))
    return stream.getvalue()


def _ids(answer: Answer) -> list[str]:
    return [one.text or "" for one in ET.fromstring(answer.body).iter() if one.tag.endswith("}instanceId")]  # noqa: S314 - moto's
