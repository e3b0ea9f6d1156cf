"""Protection on hosts: what `up` refuses for what is on the hosts now: running containers, blocks, disks with data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.stages.ceph_devices import refuse_devices_with_data
from leptonctl.stages.hdfs_names import refuse_new_names_over_blocks
from leptonctl.stages.looking import targets
from leptonctl.stages.runtimes import refuse_runtime_change

if TYPE_CHECKING:
    from leptonctl.planning.desired import Desired
    from leptonctl.session import Session
    from leptonctl.stages.looking import Looked


def refuse_losses_on_hosts(session: Session, want: Desired, looked: Looked, stop_containers: frozenset[str]) -> None:
    """Raise `Refused` where roles would take something from under those who use it. Asks hosts, changes nothing."""
    aims = targets(session, looked.observed, want)
    refuse_runtime_change(aims, looked, stop_containers)
    refuse_new_names_over_blocks(session, want, looked)
    refuse_devices_with_data(aims, looked)
