"""Prints those of the packages named, a line each, of which a file is not as packed. Reads only.

Settings (conffiles) may differ, and images leave out manuals and translations.
"""

import re
import subprocess
import sys

LEFT_OUT = re.compile(r"missing\s+/usr/share/(doc|man|info|locale|lintian|help)/")

for name in sys.argv[1:]:
    done = subprocess.run(["dpkg", "--verify", name], capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if not re.match(r"\S+\s+c\s", line) and not LEFT_OUT.match(line)]
    if any(" /" in line for line in lines):
        print(name)
