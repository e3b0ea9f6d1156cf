"""Runs on a host under a Python that has PyTorch: writes and reads the memory of every GPU, and multiplies on it.

It is given to that Python on its standard input, with `BURN_S` seconds in the environment. It prints one JSON object.
It has not been run on a GPU of ours yet.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
import time
from typing import Any

PATTERNS = (0x55, 0xAA, 0x00, 0xFF)
# What the driver and PyTorch themselves need is left alone.
SHARE = 0.85
BLOCK_BYTES = 256 * 1024 * 1024
EDGE = 4096


def burn_memory(torch: Any, device: str, free_bytes: int, end: float) -> int:  # noqa: ANN401 - a module without types
    """Write patterns into most of the free memory and read them back; give how many bytes were wrong."""
    blocks = [
        torch.empty(BLOCK_BYTES, dtype=torch.uint8, device=device)
        for _ in range(int(free_bytes * SHARE) // BLOCK_BYTES)
    ]
    wrong = 0
    for pattern in PATTERNS:
        for block in blocks:
            block.fill_(pattern)
        wrong += sum(int((block != pattern).sum().item()) for block in blocks)
        if time.monotonic() > end:
            break
    return wrong


def burn_products(torch: Any, device: str, end: float) -> tuple[int, int]:  # noqa: ANN401 - a module without types
    """Multiply the same two matrices again and again; give how many products there were, and how many differed."""
    left = torch.randn(EDGE, EDGE, dtype=torch.float16, device=device)
    right = torch.randn(EDGE, EDGE, dtype=torch.float16, device=device)
    first = left @ right
    count, differing = 1, 0
    while time.monotonic() < end:
        differing += int(not torch.equal(first, left @ right))
        count += 1
    return count, differing


def burn(torch: Any, index: int, seconds: float, found: dict[int, dict[str, int]]) -> None:  # noqa: ANN401 - as above
    """Burn one GPU and put down what came of it."""
    device, begun = f"cuda:{index}", time.monotonic()
    free_bytes, _ = torch.cuda.mem_get_info(index)
    wrong = burn_memory(torch, device, free_bytes, begun + seconds / 2)
    torch.cuda.empty_cache()
    count, differing = burn_products(torch, device, begun + seconds)
    found[index] = {"index": index, "memory_errors": wrong, "products": count, "wrong_products": differing}


def main() -> int:
    """Burn every GPU at the same time: only then power and heat are those of a full load."""
    # It is the host's, not ours, and this file is never imported: it is given to the Python that has it.
    torch = importlib.import_module("torch")
    seconds = float(os.environ.get("BURN_S", "60"))
    found: dict[int, dict[str, int]] = {}
    threads = [
        threading.Thread(target=burn, args=(torch, index, seconds, found)) for index in range(torch.cuda.device_count())
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(found) < len(threads):
        sys.stderr.write("a GPU did not come to the end of its burn\n")
        return 1
    sys.stdout.write(json.dumps({"gpus": [found[index] for index in sorted(found)]}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
