"""Rules on HDFS: parts that go together, an archive with its digest, as many data nodes as the redundancy needs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, cast, get_args

from leptonctl.sitefile.findings import Finding
from leptonctl.sitefile.ranges import host_count
from leptonctl.sitefile.rules.forms import is_plain_path
from leptonctl.sitefile.rules.parts import groups, locations, spoken
from leptonctl.sitefile.settings import resolve
from leptonctl.sitefile.stores.hdfs import ErasurePolicy, HdfsPath
from leptonctl.sitefile.words import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from leptonctl.sitefile.findings import Path
    from leptonctl.sitefile.model import NodeGroup, Site
    from leptonctl.sitefile.settings import Resolved

_ROLE: Literal["storage_hdfs"] = "storage_hdfs"
_URL = re.compile(r"(https?|file)://[^\s\"@]+")
_Member = tuple["Path", "NodeGroup"]
# A name node with its standby, and the journal nodes that they take.
_PAIR = 2
_MAJORITIES = (3, 5)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_DISK = re.compile(r"[a-z][a-z0-9-]*")
# The other parts' folders, beside those for blocks.
_TAKEN = frozenset({"name", "checkpoint", "journal", "zookeeper"})
_STANDBY = "(or two, with journal_node on three or five other hosts)"


def check_hdfs(site: Site) -> Iterator[Finding]:
    """The site's one HDFS."""
    members = [(path, group) for path, _, _, group in groups(site) if _ROLE in group.roles]
    if not members:
        return
    settings = {path: resolve(site, spoken(path[:-2]), str(path[-1]), _ROLE) for path, _ in members}
    for path, group in members:
        if group.scaling is not None:
            message = "hosts that hold files stay, and those of a scaling group come and go"
            hint = "give the role to a group with a count or hosts"
            yield Finding("scaled-hosts", _place(path, group), message, hint)
        yield from _check_archive(settings[path], _place(path, group))
        yield from _check_disks(settings[path], _place(path, group))
    yield from _check_parts(members, settings)
    yield from _check_replication(members, settings)


def _check_parts(members: list[_Member], settings: Mapping[Path, Mapping[str, Resolved]]) -> Iterator[Finding]:
    """As many hosts of each part as go together, those that make one name service in one location."""
    having = {
        part: [(path, group) for path, group in members if part in _parts(settings[path])]
        for part in ("name_node", "checkpoint_node", "journal_node")
    }
    count = {part: sum(host_count(group) for _, group in found) for part, found in having.items()}

    def told(part: str, message: str, hint: str) -> Finding:
        path, group = having[part][-1] if having[part] else members[0]
        place = settings[path]["parts"].origin if having[part] else None
        return Finding("hdfs-parts", place or _place(path, group), message, hint)

    for part, most in (("name_node", _PAIR), ("checkpoint_node", 1)):
        if count[part] > most or (part == "name_node" and not count[part]):
            more = f" {_STANDBY}" if part == "name_node" else ""
            hint = f"set software.storage_hdfs.parts: [{part}] for one group of one host{more}, and for no other"
            yield told(part, f"this site's HDFS has {count[part] or 'no'} hosts with the part {part}", hint)
    journals = count["journal_node"]
    if count["name_node"] == _PAIR and journals not in _MAJORITIES:
        message = f"two name nodes need three or five journal nodes, and this site's HDFS has {journals or 'none'}"
        hint = (
            "add journal_node to software.storage_hdfs.parts of three hosts that are no name nodes: data nodes may be"
        )
        yield told("journal_node" if journals else "name_node", message, hint)
    if count["name_node"] == _PAIR and count["checkpoint_node"]:
        hint = "take checkpoint_node out of software.storage_hdfs.parts"
        yield told("checkpoint_node", "of two name nodes the standby copies the names: no other node does", hint)
    if count["name_node"] == 1 and journals:
        hint = "have two hosts with the part name_node, or take journal_node out of software.storage_hdfs.parts"
        yield told("journal_node", "journal nodes keep the edits of two name nodes, and there is one", hint)
    if any("name_node" in _parts(settings[path]) for path, _ in having["journal_node"]):
        message = "a host is name node and journal node: the journal nodes are there before it, and outlive it"
        yield told("journal_node", message, "give the part journal_node to other hosts, such as data nodes")
    if len({path[:-2] for part in ("name_node", "journal_node") for path, _ in having[part]}) > 1:
        message = "two name nodes and their journal nodes are in more than one location"
        yield told("name_node", message, "put them into one: each change of a name waits for them")


def check_hdfs_paths(site: Site) -> Iterator[Finding]:
    """Every path: beside the name node, each once, with no more copies or pieces than there are data nodes."""
    having = {part: list(_having(site, part)) for part in ("name_node", "data_node")}
    count = sum(host_count(group) for _, group in having["data_node"])
    homes = {path[:-2] for path, _ in having["name_node"]}
    taken: dict[str, str] = {}
    for path, location in locations(site):
        for name, store in location.stores(HdfsPath).items():
            place = (*path, "storage", name)
            if path not in homes:
                message = f"there is no name node of HDFS in {spoken(path)}"
                home = next((f"write it under {spoken(one)}" for one in homes), "give a group the role storage_hdfs")
                yield Finding("hdfs-parts", place, message, home, at="key")
            first = taken.setdefault(store.path, name)
            if not is_plain_path(store.path) or store.path == "/":
                message = f"{quoted(store.path)} is not an absolute path in its plain form"
                yield Finding("bad-mount-path", (*place, "path"), message, "write one such as /models")
            elif first != name:
                message = f"the store {quoted(first)} is {store.path} already"
                yield Finding("duplicate-mount", (*place, "path"), message, "give each store its own path")
            yield from _check_redundancy(store, place, count)


def _check_redundancy(store: HdfsPath, place: Path, count: int) -> Iterator[Finding]:
    if store.copies is not None and store.erasure is not None:
        message = "a path is kept in copies or in pieces, not both"
        yield Finding("cannot-combine", (*place, "copies"), message, "remove it, or remove `erasure`", at="key")
    key = "erasure" if store.erasure is not None else "copies"
    needed = pieces_of(store.erasure) if store.erasure is not None else store.copies or 0
    if count and needed > count:
        kept = f"{store.erasure} cuts each block into {needed} pieces" if store.erasure else f"{needed} copies"
        fitting = [one for one in get_args(ErasurePolicy) if pieces_of(one) <= count]
        others = f", or write {' or '.join([*fitting, f'copies: {count}'])}"
        message = f"{kept}, each on a data node of its own: there are {count}"
        yield Finding("hdfs-redundancy", (*place, key), message, f"have {needed} data nodes{others}")


def pieces_of(policy: str) -> int:
    """How many data nodes an erasure-coding policy needs: `RS-6-3-1024k` 9."""
    _, data, parity, _ = policy.split("-")
    return int(data) + int(parity)


def _having(site: Site, part: str) -> Iterator[tuple[Path, NodeGroup]]:
    for path, _, name, group in groups(site):
        if _ROLE in group.roles and part in _parts(resolve(site, spoken(path[:-2]), name, _ROLE)):
            yield path, group


def _check_replication(
    members: list[tuple[Path, NodeGroup]], settings: Mapping[Path, Mapping[str, Resolved]]
) -> Iterator[Finding]:
    count = sum(host_count(group) for path, group in members if "data_node" in _parts(settings[path]))
    for path, group in members:
        wanted = cast("int", settings[path]["replication"].value)
        if wanted > count:
            place = settings[path]["replication"].origin or _place(path, group)
            message = f"a block cannot be kept {wanted} times on {count} data nodes"
            hint = f"set software.storage_hdfs.replication to {count} or less, or have {wanted} data nodes"
            yield Finding("hdfs-redundancy", place, message, hint)
            return


def _check_archive(held: Mapping[str, Resolved], place: Path) -> Iterator[Finding]:
    archive, digest = held["archive"], held["archive_digest"]
    if archive.value is None or digest.value is None:
        origin = archive.origin or digest.origin or place
        message = "Hadoop is not in Debian: its archive and the archive's digest have to be written"
        hint = "set software.storage_hdfs.archive and archive_digest (Apache publishes it as sha512)"
        yield Finding("hdfs-archive", origin, message, hint)
        return
    if not _URL.fullmatch(str(archive.value)):
        shown = "this URL" if "@" in str(archive.value) else quoted(str(archive.value))
        yield Finding(
            "hdfs-archive",
            archive.origin or place,
            f"{shown} is not where an archive can be",
            "write it as https://HOST/PATH or file:///PATH, without a login",
            shows_line="@" not in str(archive.value),
        )
    if not _DIGEST.fullmatch(str(digest.value)):
        message = f"{quoted(str(digest.value))} is not a digest"
        yield Finding("hdfs-archive", digest.origin or place, message, "write it as sha512: and 128 hexadecimal digits")


def _check_disks(held: Mapping[str, Resolved], place: Path) -> Iterator[Finding]:
    origin = held["disks"].origin
    for index, disk in enumerate(_texts(held["disks"].value)):
        if not _DISK.fullmatch(disk) or disk in _TAKEN:
            message = f"{quoted(disk)} cannot be a folder for blocks"
            hint = "write a name such as data or disk-1; name, checkpoint, journal and zookeeper are taken"
            yield Finding("hdfs-disk", (*origin, index) if origin else place, message, hint)


def _parts(held: Mapping[str, Resolved]) -> tuple[str, ...]:
    return _texts(held["parts"].value)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, (list, tuple)) else ()


def _place(path: Path, group: NodeGroup) -> Path:
    return (*path, "roles", group.roles.index(_ROLE))
