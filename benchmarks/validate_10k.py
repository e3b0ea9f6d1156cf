"""How quickly 10,000 explicit hosts are checked: `leptonctl validate` against PyYAML's CSafeLoader alone.

Both start a process and read the same file of 2.6 MB; only leptonctl also checks it. In the judged file each host is
written out in full (name, address, login, port, size, roles and settings), as by a program that writes site files. The
same number of hosts as one plain list, where there is less to read for each, is measured and shown as well.
Wall time is judged, and peak memory against its own goal; both must hold.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from harness import Measured, interleaved, tool, verdict

GOAL = 0.40
MEMORY_GOAL = 0.80
MEMORY_LIMIT_MIB = 1024
HOSTS = 10_000
_REGIONS = 10
_HEAD = "site: big\nowner: ops@example.com\ncore: {platform: ssh}\nregions:\n"
_READ = "import sys, yaml\nwith open(sys.argv[1]) as file:\n    yaml.load(file.read(), yaml.CSafeLoader)\n"


def main() -> int:
    """Measure and judge."""
    with tempfile.TemporaryDirectory() as folder:
        in_full = Path(folder, "in-full.yaml")
        in_full.write_text(_HEAD + "".join(_in_full()), encoding="utf-8")
        listed = Path(folder, "listed.yaml")
        listed.write_text(_HEAD + "".join(_listed()), encoding="utf-8")
        print(f"{HOSTS:,} hosts as one list, {listed.stat().st_size / 1e6:.1f} MB (shown, not judged):")
        _show(*_measure(listed))
        print(f"\n{HOSTS:,} hosts written out in full, {in_full.stat().st_size / 1e6:.1f} MB:")
        ours, peer = _measure(in_full)
    memory_ratio = _show(ours, peer)
    print(
        f"memory ratio {memory_ratio:.2f} goal {MEMORY_GOAL:.2f}, {ours.peak_mib:.0f} of at most {MEMORY_LIMIT_MIB} MiB"
    )
    is_small = memory_ratio <= MEMORY_GOAL and ours.peak_mib <= MEMORY_LIMIT_MIB
    return verdict(ours.wall_s / peer.wall_s, GOAL) or int(not is_small)


def _measure(file: Path) -> tuple[Measured, Measured]:
    commands = {
        "leptonctl validate": [tool("leptonctl"), "validate", str(file)],
        "CSafeLoader alone": [sys.executable, "-c", _READ, str(file)],
    }
    measured = interleaved(commands, runs=5)
    return measured["leptonctl validate"], measured["CSafeLoader alone"]


def _show(ours: Measured, peer: Measured) -> float:
    memory = ours.peak_mib / peer.peak_mib
    wall, cpu = ours.wall_s / peer.wall_s, ours.cpu_s / peer.cpu_s
    print(f"of the peer's: wall {wall:.2f}, CPU {cpu:.2f}, memory {memory:.2f}")
    return memory


def _in_full() -> Iterator[str]:
    """Regions whose hosts are each a node group of its own."""
    for region in range(_REGIONS):
        yield f"  r{region}:\n    platform: ssh\n    nodes:\n"
        for number in range(region, HOSTS, _REGIONS):
            name = f"n{number:05d}"
            yield (
                f"      {name}:\n"
                f"        hosts: [{{name: {name}, address: {_address(number)}, user: ops, port: 22}}]\n"
                f"        machine: {{cpus: 8, memory_gib: 64}}\n"
                f"        roles: [base, container_runtime, monitoring_agent]\n"
                f"        software: {{base: {{open_files: 65536}}, monitoring_agent: {{port: 9101}}}}\n"
            )


def _listed() -> Iterator[str]:
    """Regions with one node group each, whose hosts are mappings with their host key."""
    from base64 import b64encode  # noqa: PLC0415 - the other file needs no keys

    for region in range(_REGIONS):
        yield f"  r{region}:\n    platform: ssh\n    nodes:\n      box:\n        hosts:\n"
        for number in range(region, HOSTS, _REGIONS):
            key = b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + number.to_bytes(32, "big")).decode()
            yield (
                f"          - name: box-{number:05d}.r{region}.example.com\n"
                f"            address: {_address(number)}\n"
                f"            user: operator\n"
                f"            port: 2222\n"
                f"            host_key: ssh-ed25519 {key} box-{number:05d}\n"
            )


def _address(number: int) -> str:
    return f"10.{number // 62_500}.{number // 250 % 250}.{number % 250 + 1}"


if __name__ == "__main__":
    raise SystemExit(main())
