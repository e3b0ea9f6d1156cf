"""A folder tree like /sys/bus/pci/devices, made from what `lspci -nn` printed on real machines (tests/data/gpu)."""

from __future__ import annotations

import re
from pathlib import Path

DATA = Path(__file__).parents[1] / "data" / "gpu" / "lspci"
_LINE = re.compile(
    r"((?:[0-9a-f]{4}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f]) .*?\[([0-9a-f]{4})\]: .*\[([0-9a-f]{4}):([0-9a-f]{4})\]"
)


def write_tree(root: Path, *names: str, without: tuple[str, ...] = ()) -> Path:
    """Make the tree of one or more recorded machines under `root`, without the devices at these addresses."""
    for name in names:
        for line in (DATA / name).read_text().splitlines():
            match = _LINE.match(line)
            assert match, line
            address, kind, vendor, device = match.groups()
            bus_id = address if address.count(":") > 1 else f"0000:{address}"
            if bus_id in without:
                continue
            folder = root / "sys/bus/pci/devices" / bus_id
            folder.mkdir(parents=True)
            (folder / "class").write_text(f"0x{kind}00\n")
            (folder / "vendor").write_text(f"0x{vendor}\n")
            (folder / "device").write_text(f"0x{device}\n")
    return root
