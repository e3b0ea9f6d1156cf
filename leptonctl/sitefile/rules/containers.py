"""Rules on container runtimes: what holds on a host has to fit together, wherever in the file it was set."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from leptonctl.sitefile.findings import Finding
from leptonctl.sitefile.rules.forms import is_host_and_port, is_host_name
from leptonctl.sitefile.rules.parts import groups, sections
from leptonctl.sitefile.settings import resolve
from leptonctl.sitefile.words import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from leptonctl.sitefile.findings import Path
    from leptonctl.sitefile.model import Site
    from leptonctl.sitefile.settings import Resolved

# The registry whose mirrors Docker knows: https://docs.docker.com/docker-hub/image-library/mirror/
_OF_DOCKER = "docker.io"


def check_containers(site: Site) -> Iterator[Finding]:
    """Names of registries are such, and the settings that hold on a host fit together."""
    for path, software, _ in sections(site):
        for registry in software.container_runtime.registry_logins if software.container_runtime else ():
            if not (is_host_name(registry) or is_host_and_port(registry)):
                place = (*path, "container_runtime", "registry_logins", registry)
                message = f"{quoted(registry)} is not a registry"
                yield Finding("bad-registry", place, message, "write its host, such as docker.io", at="key")
    # What is set for several groups is told once.
    told: set[Path] = set()
    for path, _, name, group in groups(site):
        if "container_runtime" in group.roles:
            settings = resolve(site, "/".join(map(str, path[:-2])), name, "container_runtime")
            for finding in _check_settings(settings, path):
                if finding.path not in told:
                    told.add(finding.path)
                    yield finding


def _check_settings(settings: Mapping[str, Resolved], group: Path) -> Iterator[Finding]:
    start, stop = settings["image_gc_start_percent"], settings["image_gc_stop_percent"]
    if cast("int", stop.value) >= cast("int", start.value):
        message = f"images would be removed from {start.value} percent on, until {stop.value} percent are used"
        yield Finding("image-gc", stop.origin or start.origin or group, message, "let the stop be below the start")
    mirrors = settings["registry_mirrors"]
    if settings["runtime"].value != "docker":
        return
    for registry in cast("dict[str, str]", mirrors.value):
        if registry != _OF_DOCKER:
            place = (*(mirrors.origin or group), registry)
            message = f"Docker knows mirrors of {_OF_DOCKER} alone, not of {registry}"
            yield Finding("docker-mirror", place, message, "take another runtime, or remove this mirror", at="key")
