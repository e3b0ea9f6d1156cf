"""Recorded answers of real cards (tests/data/gpu/SOURCES.md says whose), and what can be made of them by an edit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from leptonctl.health.readings import Declared, HostReading
from leptonctl.health.smi import read_smi

DATA = Path(__file__).parents[1] / "data" / "gpu"
A10G, A100, T4, ADA = "a10g.xml", "a100-sxm4-v12.xml", "tesla-t4.xml", "rtx-4000-sff-ada-v13.xml"
NOW_S = 1_700_000_000.0


def text_of(name: str) -> str:
    """A recorded answer as it is."""
    return (DATA / name).read_text()


def edited(name: str, *edits: tuple[str, str]) -> str:
    """A recorded answer with one place changed for each edit; a text that is not there once fails."""
    text = text_of(name)
    for old, new in edits:
        assert text.count(old) == 1, (old, text.count(old))
        text = text.replace(old, new)
    return text


def host(smi: str, **more: object) -> HostReading:
    """A host that answered everything: the GPUs of an answer of nvidia-smi, all on the bus, nothing in the log."""
    reading = read_smi(smi)
    whole = HostReading(
        now_s=NOW_S,
        booted_s=NOW_S - 10 * 86400,
        smi=reading,
        pci_bus_ids=tuple(gpu.bus_id for gpu in reading.gpus),
        xids=(),
    )
    return replace(whole, **more)  # type: ignore[arg-type]


ONE = Declared(count=1)
