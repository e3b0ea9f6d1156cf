"""Writes the text beside each invalid site again, after a message was changed. Read the difference before you keep it.

.venv/bin/python tests/sites/write_expected.py
"""

import json
import os
from pathlib import Path

from leptonctl.errors import InvalidSite
from leptonctl.sitefile.load import load_site
from leptonctl.sitefile.report import as_text

FOLDER = Path(__file__).parent


def main() -> None:
    """Write every text; a site that has become valid loses its."""
    environ = json.loads((FOLDER / "environ.json").read_text(encoding="utf-8"))
    os.chdir(FOLDER / "invalid")
    for old in Path().glob("*.txt"):
        old.unlink()
    for path in sorted(Path().glob("*.yaml")):
        try:
            load_site(path, environ=environ)
        except InvalidSite as error:
            path.with_suffix(".txt").write_text(as_text(error.problems), encoding="utf-8")


if __name__ == "__main__":
    main()
