"""For pyinfra: the same settings, packages and services as the roles of `ten_hosts.py`. Run by `no_change_up.py`.

The files are those of a configured host, copied into the folder that the inventory names: what is measured is looking
whether anything changed.
"""

from pathlib import Path

from pyinfra import host
from pyinfra.operations import apt, files, systemd

import managed


def ensure(folders: tuple[str, ...], modes: dict[str, str], packages: list[str], services: tuple[str, ...]) -> None:
    """Packages, folders, files and services, in this order."""
    apt.packages(packages=packages, no_recommends=True)
    for folder in folders:
        files.directory(path=folder, user="root", group="root", mode="755")
    for path, mode in modes.items():
        group = "prometheus" if path.endswith("alertmanager.yml") else "root"
        files.put(src=str(Path(host.data.copies, path.lstrip("/"))), dest=path, user="root", group=group, mode=mode)
    for service in services:
        systemd.service(service=service, running=True, enabled=None if "journald" in service else True)


ensure(managed.FOLDERS, managed.FILES, managed.PACKAGES, managed.SERVICES)
files.link(path="/etc/localtime", target="/usr/share/zoneinfo/Etc/UTC")
if host.data.watches:
    ensure(managed.WATCHING_FOLDERS, managed.WATCHING_FILES, managed.WATCHING_PACKAGES, managed.WATCHING_SERVICES)
