"""A finding: one mistake as a value with a path, before anybody knows where the path stands in the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Path = tuple[object, ...]
"""Keys and list indexes from the top of the file: `("core", "nodes", "box", "hosts", 0)`."""

At = Literal["key", "value"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong at `path`: with its key or with its value. `shows_line` is False where the line holds a secret."""

    rule: str
    path: Path
    message: str
    hint: str | None = None
    at: At = "value"
    shows_line: bool = True


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with the text itself. Line and column count from 1; None where the file has no such place."""

    rule: str
    message: str
    hint: str | None = None
    line: int | None = None
    column: int | None = None
    width: int = 1


# Every rule that a site file can break, with what it holds. Fixtures in tests/sites/invalid carry these names.
RULES: dict[str, str] = {
    # the file
    "unreadable": "The site file is a regular file that can be read.",
    "too-large": "The site file has at most 32 MiB.",
    "encoding": "The site file is UTF-8 text without a byte order mark.",
    "control-character": "No control characters, line ends in values, or text direction marks.",
    "empty-file": "The site file is not empty.",
    # YAML
    "syntax": "The site file is YAML.",
    "nesting": "Mappings and lists are nested at most 32 deep.",
    "documents": "The site file is one YAML document without directives.",
    "alias": "Anchors and aliases are not read.",
    "merge-key": "Merge keys are not read.",
    "tag": "Tags are not read.",
    "complex-key": "A key is plain text.",
    "duplicate-key": "A key stands once in its mapping.",
    # the environment
    "variable-syntax": "Variables are written ${NAME} or ${NAME:-default}.",
    "variable-unset": "Every variable is set or has a default.",
    "variable-in-key": "Variables are read in values only.",
    "variable-in-secret": "Secret references hold no variables.",
    # the shape
    "unknown-key": "Every key is one that its section has.",
    "missing-key": "Every key without a default is set.",
    "wrong-type": "Every value has the type that its key wants.",
    "unknown-value": "A value with a fixed set of choices is one of them.",
    "out-of-range": "Numbers, lengths and lists are within their limits.",
    "bad-name": "Names have lower-case letters, digits and dashes.",
    "bad-value": "A value has the form that its key wants.",
    "template-mark": "No template marks: {{, {% and {#.",
    "secret-in-clear": "Secrets are references: env:NAME, file:PATH or exec:COMMAND.",
    # platforms
    "wrong-platform": "A section or key is used only on the platforms that have it.",
    "missing-aws": "A location on aws says where: an aws section with a region.",
    "missing-machine-type": "A node group on aws has a machine type.",
    "missing-hosts": "A node group says how many hosts it has, or which.",
    "count-and-hosts": "A node group has a count or hosts, not both.",
    "count-and-scaling": "A node group has a count or scaling, not both.",
    "bad-scaling": "A scaling group goes from min over desired to max.",
    "missing-reservation": "A capacity block is named by its reservation.",
    "scaled-hosts": "What needs hosts with fixed names is not asked of a scaling group.",
    "missing-network": "A location on aws has a network.",
    "bad-zone": "Availability zones are at most three, and lie in the location's AWS region.",
    "missing-state-key": "A state in a bucket has a KMS key or a passphrase that seals what is secret in it.",
    "missing-state-region": "A state in a bucket, or with a KMS key, says its region.",
    "two-partitions": "The AWS regions of a site are in one part of AWS.",
    "open-to-world": "No host can be reached by the whole world.",
    "location-size": "A location on aws has at most 400 hosts and volumes; a scaling group counts as one.",
    "missing-plain-nodes": "A cluster has machines without taints, for its own pods.",
    "bad-count": "The fewest, wanted and most machines of a cluster's group stand in rising order.",
    "bad-label": "Labels and taints have the form that Kubernetes wants.",
    "cannot-combine": "Settings that exclude each other are not set together.",
    # networks
    "bad-network": "A network is an IPv4 range such as 10.80.1.0/24.",
    "network-not-private": "Networks use private address ranges.",
    "network-size": "A network is neither too small nor too large for its platform.",
    "network-full": "A network has an address for every host of its location.",
    "network-overlap": "Networks of two locations do not overlap.",
    # locations and hosts
    "unknown-parent": "An edge's parent is a region of the file.",
    "bad-range": "A range of hosts counts up, with ends of equal width.",
    "too-many-hosts": "A site has at most 100,000 hosts.",
    "bad-host-name": "Host names and addresses follow RFC 1123.",
    "duplicate-host": "A host's name stands once in its location.",
    "duplicate-address": "An address stands once in the site.",
    "bad-host-key": "A host key is a public key.",
    "bad-login": "Login names, jump hosts and key files have the form that ssh wants.",
    # roles and settings
    "duplicate-role": "A role stands once in its group.",
    "role-needs": "A role has the roles beside it that it needs.",
    "several-monitoring-servers": "A location has at most one monitoring server, and the core has one where others do.",
    "dashboard-login": "Grafana has a password for its administrator, and listens on an address.",
    "edge-gateway": "A region has at most one gateway for its edges, with room for their boxes.",
    "edge-box": "The role edge is on hosts of edges, and not beside a monitoring server.",
    "unused-setting": "Settings are for a role that some host in their scope has.",
    "port-clash": "Two services of a host use two ports.",
    "cluster-settings": "The hosts of a cluster agree on its settings.",
    "cluster-runtime": "A cluster's hosts run their containers by containerd.",
    "cluster-firewall": "The firewall of hardening, which does not know the pod network, is not on hosts of a cluster.",
    "cluster-version": "A cluster's version is written, and known.",
    "control-plane": "A cluster has one or three control plane hosts.",
    "api-address": "Several control plane hosts share a free address of the location's network.",
    "cni-digest": "A manifest from elsewhere comes with its SHA-256.",
    "object-user": "Who may use a bucket is a user of its server's settings.",
    "bucket-name": "A bucket's name has the form that S3 wants.",
    "hdfs-parts": "A site has one HDFS, whose name nodes, journal nodes and checkpoint node go together.",
    "hdfs-archive": "Hadoop comes from an archive that the file names, with its digest.",
    "hdfs-disk": "A folder for blocks has a name of its own.",
    "hdfs-redundancy": "Blocks are not kept more often than there are data nodes for.",
    "docker-mirror": "Docker has mirrors of docker.io alone.",
    "image-gc": "Removing unused images stops at a smaller share of the disk than it starts at.",
    "cut-off": "Whoever runs leptonctl may come by SSH, as far as the file tells where that is from.",
    "bad-time": "A time of day is written as 03:30, one for each tier.",
    # rollouts
    "bad-share": "A share of hosts is a number of them or a percentage.",
    "rollout-budget": "Batches of a rollout have hosts, its canary is a part of them, and its threshold can be passed.",
    # storage
    "store-role": "A store is served by a role that groups of its location have, and used where it is too.",
    "deleted-store": "A store that is asked for is not named as one to delete.",
    "pool-redundancy": "A pool has as many hosts, or locations, as it has copies or pieces.",
    "ceph-monitors": "A Ceph cluster has one, three or five monitors.",
    "unknown-group": "A store names node groups of its location.",
    "duplicate-group": "A store names a group once.",
    "missing-mount-path": "A volume on local says where it is mounted.",
    "bad-mount-path": "A mount path is absolute and in its plain form.",
    "system-mount": "A store is not mounted over the system.",
    "duplicate-store": "Stores and node groups of a location on aws have names of their own.",
    "duplicate-mount": "Two stores of a host have two mount paths.",
    # accelerators
    "unknown-threshold": "A threshold is one that the health policy has.",
    "interface-name": "The name of a network interface is one that the kernel takes.",
    "links-without-gpus": "Links are judged with the GPUs of their group.",
    "links-of-another-maker": "NVLinks are NVIDIA's and XGMI is AMD's: what the GPUs cannot have is not declared.",
    "unknown-serial-host": "Serial numbers are given for hosts of the group.",
    "too-few-serials": "Each host with serial numbers has as many as it has GPUs.",
    "no-accelerators": "The role gpu_health is on groups that declare GPUs.",
    "impossible-driver": "A driver is one that there is, from this source and for these GPUs.",
    # values of role settings
    "duplicate-user": "A user stands once in a list.",
    "reserved-user": "Accounts that the system makes are not managed here.",
    "bad-timezone": "A time zone is an IANA name.",
    "bad-locale": "A locale is a name such as C.UTF-8 or de_DE.UTF-8.",
    "bad-sysctl": "A kernel setting is a dotted name such as vm.swappiness.",
    "bad-version": "A package version has the characters that Debian allows.",
    "bad-url": "A proxy or mirror is an http or https URL without a login.",
    "bad-probe": "What is tried from outside is a URL of http or https, or HOST:PORT.",
    "bad-fingerprint": "The fingerprint of a key is given whole.",
    "bad-registry": "A registry is a host name, with a port where needed.",
    "bad-ssh-key": "A user's key is a public key.",
    "bad-shell": "A login shell is an absolute path.",
    "bad-full-name": "A full name has no colon, comma or equals sign.",
    "bad-mail": "A mail address is NAME@HOST.",
    "bad-smarthost": "A mail server is HOST:PORT.",
    "mail-login": "A login at the mail server has both a username and a password.",
}
