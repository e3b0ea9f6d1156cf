"""The labels and names that everything of the local platform carries from its first moment: its only state.

A name holds site, location and host with dots between them. The words themselves have no dots, so that no two sites can
ever come to the same name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leptonctl.platforms.base import Context

MANAGED = "leptonctl.managed-by"
SITE = "leptonctl.site"
OWNER = "leptonctl.owner"
LOCATION = "leptonctl.location"
GROUP = "leptonctl.group"
HOST = "leptonctl.host"
STORE = "leptonctl.store"
ADDRESS = "leptonctl.address"
HOST_KEY = "leptonctl.host-key"
SITE_KEY = "leptonctl.site-key"
IMAGE = "leptonctl.image"
RECIPE = "leptonctl.recipe"
# What a location's containers must have; one that lacks any was not made to its end.
HOST_LABELS = (MANAGED, SITE, LOCATION, GROUP, HOST, ADDRESS, HOST_KEY, SITE_KEY)


def object_name(site: str, location: str, *more: str) -> str:
    """The name in podman: `lepton-SITE.LOCATION[.MORE]`, the slash of the location written as a dash."""
    return ".".join((f"lepton-{site}", location.replace("/", "-"), *more))


def location_and_host(name: str) -> tuple[str, str]:
    """Location and host of a container's name."""
    _, location, host = name.split(".", 2)
    return location.replace("-", "/", 1), host


def common_labels(context: Context, location: str) -> dict[str, str]:
    """The labels of everything that belongs to a location."""
    # podman reads the labels of a volume as CSV: marks of CSV in the free text of the owner are escaped.
    owner = quote(context.owner, safe=" @.-_+/:=()&'")
    return {MANAGED: "leptonctl", SITE: context.site, OWNER: owner, LOCATION: location}


def label_arguments(labels: Mapping[str, str]) -> list[str]:
    """The labels as arguments of podman."""
    return [f"--label={name}={value}" for name, value in labels.items()]


def is_ours(labels: Mapping[str, str], site: str, location: str | None = None) -> bool:
    """Whether labels say that a thing belongs to this site (and location): asked again before anything is removed."""
    here = location is None or labels.get(LOCATION) == location
    return labels.get(MANAGED) == "leptonctl" and labels.get(SITE) == site and here
