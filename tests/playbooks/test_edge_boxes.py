"""Whether a gateway lets in its boxes and nobody else, told from WireGuard's table and its file."""

from __future__ import annotations

import runpy

import pytest

from leptonctl.assets import asset

LOOK = runpy.run_path(str(asset("playbooks", "roles", "edge_gateway", "files", "boxes.py")))
BOXES = {"edges/shop/box-1": "10.213.0.5", "edges/shop/box-2": "10.213.0.6"}
FIRST, SECOND, EVE = "A" * 43 + "=", "B" * 43 + "=", "E" * 43 + "="
NOW = f"{FIRST}\t10.213.0.5/32\n{SECOND}\t10.213.0.6/32\n"
FILE = (
    f"[Peer]\nPublicKey = {FIRST}\nAllowedIPs = 10.213.0.5/32\n\n"
    f"[Peer]\nPublicKey = {SECOND}\nAllowedIPs = 10.213.0.6/32\n"
)
OTHERS = "/etc/wireguard/lepton.peers lets in others than come in now"


@pytest.mark.parametrize(
    ("now", "file", "expected"),
    [
        (NOW, FILE, None),
        ("", "", "edges/shop/box-1 is not let in"),
        (f"{FIRST}\t10.213.0.5/32\n{SECOND}\t(none)\n", FILE, "edges/shop/box-2 is not let in"),
        (f"{NOW}{EVE}\t10.213.0.9/32\n", FILE, f"{EVE} is let in as 10.213.0.9/32, and is no box of the site"),
        (f"{NOW}{EVE}\t(none)\n", FILE, f"{EVE} is let in as (none), and is no box of the site"),
        (
            f"{FIRST}\t10.213.0.5/32 0.0.0.0/0\n{SECOND}\t10.213.0.6/32\n",
            FILE,
            f"{FIRST} is let in as 0.0.0.0/0, 10.213.0.5/32, and is no box of the site",
        ),
        (NOW, f"{FILE}\n[Peer]\npublickey={EVE}\nallowedips=10.213.0.9/32\n", OTHERS),
        (NOW, FILE.replace(SECOND, EVE), OTHERS),
        (NOW, "", OTHERS),
    ],
)
def test_boxes_that_are_not_let_in_and_others_that_are_are_told(now: str, file: str, expected: str | None) -> None:
    assert LOOK["problem"](BOXES, now, file) == expected


def test_a_gateway_without_boxes_lets_nobody_in() -> None:
    assert LOOK["problem"]({}, "", "") is None
