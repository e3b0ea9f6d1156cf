# Managed by leptonctl: the next run puts this file back.
"""Makes the OSDs of a host, each on a device that holds nothing, or on a file of its own folder.

Loaded by `ceph_host`, which lies beside it.
"""

import json
import shutil
import uuid
from pathlib import Path

from ceph_daemons import AS_CEPH, LIB, OWN, Failed, folder, run, switch_on, write_private
from ceph_devices import holds, osd_homes

BOOTSTRAP = LIB / "bootstrap-osd/ceph.keyring"


def ensure_osd(on: str, wanted: dict) -> None:
    """An OSD on a device, or on a file of its own folder, that runs."""
    home = osd_homes().get(on) or make_osd(on, wanted)
    switch_on(f"ceph-osd@{home.name.partition('-')[2]}.service")


def make_osd(on: str, wanted: dict) -> Path:
    """A new OSD; its folder."""
    as_bootstrap = ("--name", "client.bootstrap-osd", "--keyring", str(BOOTSTRAP))
    # Noted before it is asked for, so that a run that is killed in between asks for the same one again.
    note = OWN / f"making-osd-{on.replace('/', '-')}"
    if not note.exists():
        there = holds(on) if on.startswith("/dev/") else None
        if there is not None and on in wanted["wipe"]:
            run("wipefs", "--all", on)
        elif there is not None:
            raise Failed(f"{on}: {there}: no OSD is made there unless it is named in storage_ceph.wipe")
        secret = run("ceph-authtool", "--gen-print-key").strip()
        write_private(note, json.dumps({"uuid": str(uuid.uuid4()), "cephx_secret": secret}))
    made = json.loads(note.read_text())
    secrets = json.dumps({"cephx_secret": made["cephx_secret"]})
    number = run(
        "ceph", "--connect-timeout", "60", *as_bootstrap, "osd", "new", made["uuid"], "-i", "-", text=secrets
    ).strip()
    home = LIB / "osd" / f"ceph-{number}"
    begun = home / "leptonctl-making"
    if home.exists() and any(home.iterdir()):
        if not begun.exists():
            raise Failed(f"{home} holds an OSD that leptonctl did not make: move it away first")
        shutil.rmtree(home)
    folder(home)
    begun.touch()
    write_private(home / "keyring", f"[osd.{number}]\n\tkey = {made['cephx_secret']}\n", "ceph")
    size = ()
    if on.startswith("/dev/"):
        (home / "block").symlink_to(on)
        shutil.chown(on, "ceph", "ceph")
    else:
        size = (f"--bluestore-block-size={wanted['file_gib'] << 30}",)
    run("ceph-osd", *AS_CEPH, "--mkfs", "-i", number, "--osd-uuid", made["uuid"], *size)
    write_private(home / "leptonctl-on", on + "\n", "ceph")
    begun.unlink()
    note.unlink()
    print(f"changed: made osd.{number} on {on}")
    return home
