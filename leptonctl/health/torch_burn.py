"""Reads what the burn program of `hosts.remote.burn_torch` prints: one JSON object, a line a GPU in it."""

from __future__ import annotations

import json

from leptonctl.health.readings import BurnReading, BurnResult
from leptonctl.health.smi import NotUnderstood

PROGRAM = "PyTorch burn"


def read_torch_burn(text: str) -> BurnReading:
    """Two results a GPU, of its memory and of its arithmetic. Raises NotUnderstood where it has another shape."""
    try:
        gpus = json.loads(text)["gpus"]
        results = tuple(
            BurnResult(test=test, is_load=True, status="pass" if ok else "fail", gpu=int(gpu["index"]), text=str(said))
            for gpu in gpus
            for test, ok, said in (
                ("memory", gpu["memory_errors"] == 0, f"{gpu['memory_errors']} words read back wrong"),
                ("matrix multiply", gpu["wrong_products"] == 0, f"{gpu['wrong_products']} products differ"),
            )
        )
    except (KeyError, TypeError, ValueError) as odd:
        raise NotUnderstood(f"the burn's answer has another shape: {odd!r}") from odd
    if not results:
        raise NotUnderstood("the burn found no GPU")
    return BurnReading(program=PROGRAM, results=results)
