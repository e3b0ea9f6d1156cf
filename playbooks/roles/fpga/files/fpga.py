#!/usr/bin/python3
# Managed by leptonctl: the next run puts this file back.
"""Says which FPGA cards a host has, and whether they are as the site file declares. It only looks.

Usage: fpga [look] | check | metrics

look     prints every card on the PCI bus as JSON; also where the program comes by standard input
check    prints `in order`, or fails with everything that is not
metrics  writes the cards for Prometheus where the node exporter reads them

A card is a slot of the PCI bus with one or more functions. Shells are read from what the drivers show in /sys: VBNV of
AMD's (xclmgmt, xocl), the bitstream's id of Intel's (dfl-fme).
"""

import json
import secrets
import sys
from pathlib import Path

ROOT = Path("/")
SETTINGS = Path("etc/leptonctl-fpga.json")
METRICS = Path("var/lib/prometheus/node-exporter/leptonctl_fpga.prom")
AMD, INTEL = "0x10ee", "0x8086"
# Vendor 10ee makes nothing else that is a processing accelerator; of Intel's devices only these are FPGAs (pci.ids; the
# table of product names in opae-sdk, pull request 2566).
ACCELERATOR = "0x12"
INTEL_FPGAS = {
    **dict.fromkeys(("0x09c4", "0x09c5"), "PAC Arria 10 GX"),
    **dict.fromkeys(("0x0b2b", "0x0b2c"), "PAC D5005"),
    "0x0b30": "PAC N3000",
    **dict.fromkeys(("0xbcce", "0xbccf"), "N6000"),
}
# Both functions of a card, management and user (pci.ids; recorded machines).
AMD_FPGAS = {
    **dict.fromkeys(("0x5000", "0x5001"), "U200"),
    **dict.fromkeys(("0x5004", "0x5005"), "U250"),
    **dict.fromkeys(("0x500c", "0x500d"), "U280"),
    **dict.fromkeys(("0x5020", "0x5021"), "U50"),
    **dict.fromkeys(("0x505c", "0x505d"), "U55C"),
    **dict.fromkeys(("0x50b4", "0x50b5"), "V80"),
}
# A card that runs only what brings it back to life: pci.ids calls it the golden image.
GOLDEN = {"0xd000": "U200", "0xd004": "U250", "0xd00c": "U280", "0xd020": "U50"}


def text(path: Path) -> str:
    """What a file of the kernel's says; empty where there is none."""
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def first(folder: Path, *patterns: str) -> str:
    """The text of the first file under a folder that one of the patterns finds."""
    return next((text(path) for pattern in patterns for path in sorted(folder.glob(pattern)) if text(path)), "")


def cards() -> "list[dict[str, object]]":
    """Every FPGA card, by its slot."""
    found = {}
    for folder in sorted((ROOT / "sys/bus/pci/devices").glob("*")):
        vendor, device = text(folder / "vendor"), text(folder / "device")
        is_amd = vendor == AMD and text(folder / "class").startswith(ACCELERATOR)
        if not is_amd and not (vendor == INTEL and device in INTEL_FPGAS):
            continue
        slot = folder.name.rpartition(".")[0]
        model = {**AMD_FPGAS, **GOLDEN}.get(device, "") if is_amd else INTEL_FPGAS[device]
        new = {"slot": slot, "vendor": "amd" if is_amd else "intel", "model": model, "is_golden": device in GOLDEN}
        card = found.setdefault(slot, {**new, "driver": "", "shell": "", "faults": []})
        card["driver"] = card["driver"] or ((folder / "driver").resolve().name if (folder / "driver").exists() else "")
        card["shell"] = card["shell"] or first(
            folder, "rom*/VBNV", "fpga_region/region*/dfl-fme.*/bitstream_id", "fpga_region/region*/fme/bitstream_id"
        )
        card["celsius"] = card.get("celsius") or first(
            folder, "hwmon/hwmon*/temp1_input", "xmc*/hwmon/hwmon*/temp1_input"
        )
        card["faults"] += faults(folder)
    return list(found.values())


def faults(folder: Path) -> "list[str]":
    """What the PCI bus knows against a function."""
    found = []
    for name in ("link_speed", "link_width"):
        now, most = text(folder / f"current_{name}"), text(folder / f"max_{name}")
        if now and most and now != most:
            found.append(f"{folder.name}: {name.replace('_', ' ')} is {now}, can be {most}")
    for name in ("fatal", "nonfatal"):
        lines = dict(line.rsplit(" ", 1) for line in text(folder / f"aer_dev_{name}").splitlines() if " " in line)
        count = lines.get(f"TOTAL_ERR_{name.upper()}", "0")
        if count != "0":
            found.append(f"{folder.name}: {count} {name} errors of the PCI bus")
    return found


def problems() -> "list[str]":
    """What is not as declared, and what is broken."""
    settings = json.loads(text(ROOT / SETTINGS) or "{}")
    declared, vendor = settings.get("declared") or {}, settings.get("vendor", "amd")
    there = [card for card in cards() if card["vendor"] == vendor]
    count = declared.get("count")
    found = []
    if count is not None and len(there) != count:
        found.append("{} FPGA cards of {} are declared, {} on the PCI bus".format(count, vendor, len(there) or "none"))
    elif not there:
        found.append(f"no FPGA card of {vendor} is on the PCI bus")
    for card in there:
        slot = card["slot"]
        if declared.get("model") and card["model"] != declared["model"]:
            found.append(
                "{}: is {}, should be {}".format(slot, card["model"] or "a model not known", declared["model"])
            )
        if card["is_golden"]:
            found.append(f"{slot}: runs its golden image: program its shell")
        elif declared.get("shell") and card["shell"] != declared["shell"]:
            is_shell = card["shell"] or "not known (no driver shows it)"
            found.append(f"{slot}: its shell is {is_shell}, should be {declared['shell']}")
        if settings.get("has_runtime") and not card["driver"]:
            found.append(f"{slot}: no driver has it")
        found += card["faults"]
    return found


def check() -> int:
    """Tell all of them."""
    found = problems()
    if found:
        sys.stderr.write("; ".join(found) + "\n")
        return 1
    print("in order")
    return 0


def metrics() -> int:
    """Write what is measured, whole or not at all."""
    lines = [f"leptonctl_fpga_problems {len(problems())}"]
    for card in cards():
        labels = ",".join(f'{name}="{card[name]}"' for name in ("slot", "vendor", "model", "shell", "driver"))
        lines.append(f"leptonctl_fpga_card{{{labels}}} 1")
        lines.append('leptonctl_fpga_faults{{slot="{}"}} {}'.format(card["slot"], len(card["faults"])))
        if str(card["celsius"]).lstrip("-").isdigit():
            lines.append(
                'leptonctl_fpga_celsius{{slot="{}"}} {}'.format(card["slot"], int(str(card["celsius"])) / 1000)
            )
    path = ROOT / METRICS
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    new.write_text("\n".join(lines) + "\n")
    new.chmod(0o644)
    new.replace(path)
    return 0


def look() -> int:
    """Print the cards."""
    print(json.dumps({"cards": cards()}))
    return 0


if __name__ == "__main__":
    sys.exit({"look": look, "check": check, "metrics": metrics}[sys.argv[1] if sys.argv[1:] else "look"]())
