"""Makes the container image on the host, of what is on it: its own Python and the application. Nothing is fetched.

Usage: build_image.py APP IMAGE. Everything in APP comes to /app; libraries that a program or module loads come along.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
from pathlib import Path

PYTHON = Path("/usr/bin/python3").resolve()
LIBRARY = Path("/usr/lib", PYTHON.name)
# Of no use to a server.
LEFT_OUT = {"__pycache__", "test", "tests", "idlelib", "lib2to3", "ensurepip", "pydoc_data", "dist-packages"}


def libraries(programs: list[Path]) -> set[Path]:
    """The shared libraries that the programs load, by the paths at which they look for them."""
    said = subprocess.run(["ldd", *map(str, programs)], capture_output=True, text=True, check=False).stdout
    return {Path(found) for found in re.findall(r"(?:=> )?(/\S+) \(0x", said)}


def main(app: Path, image: str) -> None:
    """Pack, and give it to the runtime."""
    files = {path: path for path in LIBRARY.rglob("*") if path.is_file() and not LEFT_OUT & set(path.parts)}
    files |= {Path("/app") / path.relative_to(app): path for path in app.rglob("*") if path.is_file()}
    files[PYTHON] = PYTHON
    programs = [PYTHON, *(path for path in files.values() if ".so" in path.name)]
    files |= {path: path for path in libraries(programs) if not path.is_relative_to(app)}
    command = ["podman", "import", "--change", "ENV=PYTHONPATH=/app/packages", "--change", "ENV=OPENBLAS_NUM_THREADS=1"]
    with subprocess.Popen([*command, "-", image], stdin=subprocess.PIPE) as imports:
        with tarfile.open(fileobj=imports.stdin, mode="w|") as tar:
            for target, source in sorted(files.items()):
                tar.add(source.resolve(), arcname=str(target).lstrip("/"), recursive=False)
        imports.stdin.close()
    if imports.returncode != 0:
        sys.exit(f"podman import: exit {imports.returncode}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2])
