"""A host's answer about its accelerators becomes readings to judge. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leptonctl.health.amdgpu import read_amdgpu_log
from leptonctl.health.kernel_log import read_kernel_log
from leptonctl.health.nvlink import read_links
from leptonctl.health.ports import read_ethernet, read_infiniband
from leptonctl.health.readings import HostReading, Versions
from leptonctl.health.rocm import read_rocm_smi
from leptonctl.health.smi import NotUnderstood, read_smi

if TYPE_CHECKING:
    from collections.abc import Mapping


def reading_of(answer: Mapping[str, Any]) -> HostReading:
    """A host's answer as readings; a source that failed or was not understood is named in `unread`."""
    unread: dict[str, str] = {}

    def read(source: str, parse: Any, *names: str) -> Any:  # noqa: ANN401 - the sources' kinds differ
        failed = [answer[name]["failed"] for name in names if "failed" in answer[name]]
        if failed:
            unread[source] = failed[0]
            return None
        try:
            return parse(*(answer[name]["text"] for name in names))
        except NotUnderstood as odd:
            unread[source] = odd.message
            return None

    def parsed(source: str, parse: Any, name: str) -> Any:  # noqa: ANN401 - the sources' kinds differ
        if name not in answer:
            return None
        try:
            return parse(answer[name])
        except NotUnderstood as odd:
            unread[source] = odd.message
            return None

    is_amd = answer.get("vendor") == "amd"
    return HostReading(
        now_s=answer["now_s"],
        booted_s=answer["booted_s"],
        smi=(
            read("rocm-smi", lambda text: read_rocm_smi(text, answer["driver"], answer["topology"].get("text")), "smi")
            if is_amd
            else read("nvidia-smi", read_smi, "smi")
        ),
        pci_bus_ids=tuple(answer["pci"]),
        links=read("NVLink", read_links, "links", "link_errors") if "links" in answer else None,
        xids=read("kernel log", lambda text: read_kernel_log(text.splitlines()), "log"),
        driver_errors=read("kernel log", lambda text: read_amdgpu_log(text.splitlines()), "log") if is_amd else None,
        fabric_manager_active={"active": True, "unknown": None}.get(answer["fabric_manager"], False),
        drill=_drill(answer.get("drill")),
        infiniband=parsed("InfiniBand", read_infiniband, "infiniband"),
        ethernet=parsed("Ethernet", read_ethernet, "ethernet"),
        zombie_count=answer.get("zombie_count"),
        versions=parsed("versions", _versions, "versions"),
        unread=unread,
    )


def _versions(said: Mapping[str, Any]) -> Versions:
    names = ("module", "library", "fabric_manager", "toolkit", "toolkit_library")
    odd = [name for name in names if not isinstance(said.get(name), str | None)]
    if odd:
        raise NotUnderstood(f"the versions of {', '.join(odd)} were not understood")
    return Versions(**{name: said.get(name) for name in names}, described=tuple(said.get("described", ())))


def _drill(about: Mapping[str, Any] | None) -> str | None:
    return None if about is None else f"{about['name']}, laid by {about['by']}"
