"""Settings of the role that keeps files in HDFS."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from leptonctl.sitefile.base import Text
from leptonctl.sitefile.effects import forbidden, no_effect, rolling
from leptonctl.sitefile.software.fields import Settings

Part = Literal["name_node", "checkpoint_node", "journal_node", "data_node"]


class StorageHdfs(Settings):
    """A part of the site's one HDFS. Hadoop is not in Debian: the archive and its digest have to be written."""

    archive: Annotated[Text | None, rolling("it is fetched where its digest is another one")] = None
    """URL (https, http, or file on the host) of Hadoop's own tar archive, or of a mirror's."""
    archive_digest: Annotated[Text | None, rolling("the daemons start again with the jars of the new archive")] = None
    """The archive's digest, as `sha512:HEX` (what Apache publishes) or `sha256:HEX`; another content is refused."""
    parts: Annotated[
        tuple[Part, ...],
        Field(strict=False, min_length=1),
        forbidden(
            "names and blocks do not move from one host to another",
            instead="take the role off the hosts (its data is kept until you name it), then give them the other parts",
        ),
    ] = ("data_node",)
    """What these hosts are; one name node may have a checkpoint node, two need three or five journal nodes."""
    disks: Annotated[
        tuple[Text, ...], Field(strict=False, min_length=1), rolling("blocks on a disk that is removed are copied anew")
    ] = ("data",)
    """Folders below `/var/lib/hadoop` for blocks; a volume may be mounted on each."""
    replication: Annotated[int, Field(ge=1, le=512), no_effect("files that are written from now on")] = 3
    """How often a block is kept where neither its path nor its writer says otherwise (HDFS's own default)."""
    block_mib: Annotated[int, Field(ge=1, le=2047), no_effect("files that are written from now on")] = 128
    """Size of a block in MiB (HDFS's own default)."""
    heap_mib: Annotated[int, Field(ge=128, le=1_048_576)] = 1024
    """Memory for each daemon's objects in MiB: about 1 GiB for a million blocks on the name node."""
    reserved_mib: Annotated[int, Field(ge=0, le=1_073_741_824)] = 1024
    """MiB of each disk that blocks leave free."""
    dead_after_s: Annotated[int, Field(ge=40, le=86400)] = 630
    """Seconds of silence after which a data node is dead and its blocks are copied anew (default: HDFS's own)."""
    scan_days: Annotated[int, Field(ge=1, le=3650)] = 21
    """Days in which every block is compared with its checksum once (HDFS's own default)."""
