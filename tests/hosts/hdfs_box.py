"""One host that is all of an HDFS: what its role is told, and the archive that it takes Hadoop from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from examples.hadoop.archive import DIGEST, archive
from tests.e2e.serving import served

if TYPE_CHECKING:
    from tests.hosts.box import Box

UNIT = "/etc/systemd/system/leptonctl-hdfs-name-node.service"
ARCHIVE = "/srv/hadoop.tar"
SETTINGS: dict[str, Any] = {
    "archive": f"file://{ARCHIVE}",
    "archive_digest": DIGEST,
    "parts": ["name_node", "checkpoint_node", "data_node"],
    "replication": 1,
    "heap_mib": 192,
    "reserved_mib": 16,
    "name_nodes": ["127.0.0.1"],
    "journal_nodes": [],
    "checkpoint_node": "127.0.0.1",
    "address": "127.0.0.1",
    "nodes": [{"host": "core/box-1", "address": "127.0.0.1", "rack": "/core"}],
    "paths": [{"path": "/models", "owner": "trainer", "policy": None, "copies": 1}],
}


def bring_hadoop(box: Box) -> None:
    """Put the archive on the host."""
    made = archive(box.folder)
    with served(box.folder) as url_for:
        get = f"import urllib.request as u; u.urlretrieve('{url_for(made.path.name)}', '{ARCHIVE}')"
        box.run(f'python3 -c "{get}"')
