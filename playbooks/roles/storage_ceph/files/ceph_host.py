#!/usr/bin/python3 -B
# Managed by leptonctl: the next run puts this file back.
"""Makes this host what it should be in its Ceph cluster: monitor, manager, metadata server, OSDs, client.

What is wanted is in /etc/leptonctl/ceph.json. Reads from stdin, as JSON, the keyrings that another monitor gave for
this host, by name; no secret is in an argument, and none is in a file but the keyrings themselves, which are
root's or Ceph's alone. Prints `changed: ...` for each thing that it did.
With `--leave` it stops all daemons of this host, for good, and leaves their data.
With `--check` it changes nothing and prints `as asked`, or what is not.
"""

import json
import shutil
import socket
import subprocess
import sys
import uuid
from pathlib import Path

from ceph_daemons import (
    AS_CEPH,
    LIB,
    OWN,
    Failed,
    ceph,
    folder,
    is_older_than_its_files,
    keyring_of,
    put_over,
    run,
    switch_on,
    uncover,
    unit_is_on,
    wait_until,
    write_private,
)
from ceph_devices import osd_homes
from ceph_osds import BOOTSTRAP, ensure_osd

WANTED = Path("/etc/leptonctl/ceph.json")
ETC = Path("/etc/ceph")
ADMIN = ETC / "ceph.client.admin.keyring"
ADMIN_CAPS = ("mon", "allow *", "osd", "allow *", "mds", "allow *", "mgr", "allow *")
DONE = "done"


def as_caps(*caps: str) -> list[str]:
    """The same capabilities as arguments of ceph-authtool."""
    return [word for kind, cap in zip(caps[::2], caps[1::2], strict=True) for word in ("--cap", kind, cap)]


def mon_address(wanted: dict) -> str:
    """Where this monitor is reached, as Ceph writes it."""
    name = next(one["address"] for one in wanted["monitors"] if one["name"] == wanted["name"])
    address = socket.getaddrinfo(name, None, socket.AF_INET)[0][4][0]
    return f"[v2:{address}:3300/0,v1:{address}:6789/0]"


def make_monitor(wanted: dict, given: dict) -> None:
    """Begin the cluster, or join it as one more monitor."""
    name = wanted["name"]
    home = LIB / "mon" / f"ceph-{name}"
    if not (home / DONE).exists():
        begun = OWN / "making-monitor"
        if home.exists() and any(home.iterdir()):
            if not begun.exists():
                raise Failed(f"{home} holds a monitor that leptonctl did not make: move it away")
            shutil.rmtree(home)
        begun.touch()
        folder(home)
        fill_monitor(wanted, given)
        (home / DONE).touch()
        shutil.chown(home / DONE, "ceph", "ceph")
        begun.unlink()
        print("changed: made a monitor")
    switch_on(f"ceph-mon@{name}.service")
    if not ADMIN.exists():
        key = run("ceph", "--name", "mon.", "--keyring", str(home / "keyring"), "auth", "print-key", "client.admin")
        write_private(ADMIN, keyring_of("client.admin", key.strip(), *ADMIN_CAPS))
        print("changed: the administrator's key")
    wait_until(f"{name} is in the quorum", lambda: name in json.loads(ceph("quorum_status"))["quorum_names"])


def fill_monitor(wanted: dict, given: dict) -> None:
    """Make the data of a monitor: with keys and members of the cluster that is there, or with new ones."""
    name, address = wanted["name"], mon_address(wanted)
    keyring, monmap = OWN / "mon.keyring", OWN / "monmap"
    if "mon" in given:
        write_private(keyring, keyring_of("mon.", given["mon"], "mon", "allow *"), "ceph")
        ceph("mon", "getmap", "-o", str(monmap))
    elif not wanted["begins"]:
        raise Failed("no monitor of the cluster answered: its first one has to be there before this host")
    else:
        keyring.unlink(missing_ok=True)
        own = ("-n", "mon.", *as_caps("mon", "allow *"))
        run("ceph-authtool", "--create-keyring", str(keyring), "--gen-key", *own)
        if not ADMIN.exists():
            admin = ("-n", "client.admin", *as_caps(*ADMIN_CAPS))
            run("ceph-authtool", "--create-keyring", str(ADMIN), "--gen-key", *admin)
        run("ceph-authtool", str(keyring), "--import-keyring", str(ADMIN))
        identity = ("--fsid", str(uuid.uuid4()))
        run("monmaptool", "--create", "--clobber", "--addv", name, address, *identity, str(monmap))
    for path in (keyring, monmap):
        shutil.chown(path, "ceph", "ceph")
    files = ("--monmap", str(monmap), "--keyring", str(keyring))
    run("ceph-mon", *AS_CEPH, "--mkfs", "-i", name, *files, "--public-addrv", address)
    if "mon" in given:
        join(name, address)
    for path in (keyring, monmap):
        path.unlink()


def join(name: str, address: str) -> None:
    """Run the new monitor once with its address, which brings it into the quorum; from then on the others know it."""
    with subprocess.Popen(
        ["ceph-mon", "-f", *AS_CEPH, "-i", name, "--public-addrv", address],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            wait_until(f"{name} joins the quorum", lambda: name in json.loads(ceph("quorum_status"))["quorum_names"])
        finally:
            process.terminate()


def make_daemon(kind: str, name: str, *caps: str) -> None:
    """A manager or metadata server, with a key of its own."""
    home = folder(LIB / kind / f"ceph-{name}")
    keyring = home / "keyring"
    if not keyring.exists():
        write_private(keyring, ceph("auth", "get-or-create", f"{kind}.{name}", *caps), "ceph")
        print(f"changed: made {kind}.{name}")
    switch_on(f"ceph-{kind}@{name}.service")


def ensure(wanted: dict, given: dict) -> None:
    """Do what is missing."""
    folder(OWN)
    if "admin" in given:
        write_private(ADMIN, keyring_of("client.admin", given["admin"], *ADMIN_CAPS))
    if wanted["is_monitor"]:
        make_monitor(wanted, given)
        make_daemon("mgr", wanted["name"], "mon", "allow profile mgr", "osd", "allow *", "mds", "allow *")
        for system in wanted["file_systems"]:
            caps = ("mon", "allow profile mds", "mgr", "allow profile mds", "osd", "allow rwx", "mds", "allow *")
            make_daemon("mds", f"{system}.{wanted['name']}", *caps)
    if wanted["osds"]:
        key = key_for(given, "bootstrap_osd", "client.bootstrap-osd", "mon", "allow profile bootstrap-osd")
        if key is not None:
            folder(BOOTSTRAP.parent)
            write_private(BOOTSTRAP, keyring_of("client.bootstrap-osd", key), "ceph")
        elif not BOOTSTRAP.exists():
            raise Failed("no monitor of the cluster gave the key that OSDs are made with")
        for on in wanted["osds"]:
            ensure_osd(on, wanted)
    for client in wanted["clients"]:
        make_client(client, given)


def key_for(given: dict, kind: str, name: str, *caps: str) -> str | None:
    """The key that was given; on a monitor, the one that the cluster has or makes; None where there is neither."""
    if kind in given or not ADMIN.exists():
        return given.get(kind)
    try:
        key = ceph("auth", "print-key", name).strip()
    except Failed:
        return ceph("auth", "get-or-create-key", name, *caps).strip()
    ceph("auth", "caps", name, *caps)
    return key


def make_client(client: dict, given: dict) -> None:
    """The key of a store that this host uses, and its file system mounted."""
    name = f"client.{client['name']}"
    path = ETC / f"ceph.{name}.keyring"
    key = key_for(given, name, name, *client["caps"])
    if key is None and not path.exists():
        raise Failed(f"no monitor of the cluster gave the key of {client['name']}")
    if key is not None and write_private(path, keyring_of(name, key)):
        print(f"changed: the key of {client['name']}")
    if client["mount_path"]:
        mount(f"leptonctl-cephfs-{client['name']}.service")


def mount(unit: str) -> None:
    """Have a file system mounted as its unit says now. It is not waited for: the cluster may not be whole yet."""
    uncover(unit)
    state = subprocess.run(["systemctl", "is-active", unit], text=True, capture_output=True, check=False).stdout
    is_older = is_older_than_its_files(unit)
    if is_older or state.strip() not in {"active", "activating"}:
        run("systemctl", "restart" if is_older else "start", "--no-block", unit)
        print(f"changed: {unit} starts")


def leave() -> None:
    """Stop all daemons of this host. A monitor leaves the quorum first, where another one is left; data stays."""
    wanted = json.loads(WANTED.read_text()) if WANTED.exists() else {"is_monitor": False}
    if wanted["is_monitor"] and len(json.loads(ceph("quorum_status"))["monmap"]["mons"]) > 1:
        ceph("mon", "remove", wanted["name"])
        print("changed: left the quorum")
    done = subprocess.run(
        ["systemctl", "list-units", "--all", "--plain", "--no-legend", "ceph-*@*.service"],
        text=True,
        capture_output=True,
        check=False,
    )
    for unit in [line.split()[0] for line in done.stdout.splitlines()]:
        run("systemctl", "disable", "--now", unit)
        print(f"changed: {unit} does not run")


def flaws(wanted: dict) -> list[str]:
    """What this host lacks of what is asked for."""
    units = []
    if wanted["is_monitor"]:
        units += [f"ceph-mon@{wanted['name']}.service", f"ceph-mgr@{wanted['name']}.service"]
        units += [f"ceph-mds@{system}.{wanted['name']}.service" for system in wanted["file_systems"]]
    homes = osd_homes()
    found = [f"there is no OSD on {on}" for on in wanted["osds"] if on not in homes]
    units += [f"ceph-osd@{homes[on].name.partition('-')[2]}.service" for on in wanted["osds"] if on in homes]
    found += [f"{unit} does not run" for unit in units if not unit_is_on(unit)]
    found += sorted({f"{path} is put over what was packed" for unit in units for path in put_over(unit)})
    kept = [f"osd.{home.name.partition('-')[2]} on {on}" for on, home in homes.items() if on not in wanted["osds"]]
    return found + [f"{one} is not in the site file: kept until it is removed by hand" for one in kept]


if __name__ == "__main__":
    try:
        if sys.argv[1:] == ["--leave"]:
            leave()
        elif sys.argv[1:] == ["--check"]:
            print("; ".join(flaws(json.loads(WANTED.read_text()))) or "as asked")
        else:
            ensure(json.loads(WANTED.read_text()), json.load(sys.stdin))
    except (Failed, subprocess.TimeoutExpired) as failure:
        sys.exit(str(failure))
