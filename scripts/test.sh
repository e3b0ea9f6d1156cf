#!/usr/bin/env bash
# The whole suite, fast first: linters, tests without hosts, tests on real local hosts. The last line sums it up.
set -euo pipefail
cd "$(dirname "$0")/.."
rm -f build/quick.xml build/hosts.xml
close() {
  .venv/bin/python scripts/closing_line.py "$?" build/quick.xml build/hosts.xml
}
trap close EXIT
scripts/check.sh
scripts/raise_watches.sh
echo "== tests on real local hosts, and of the AWS platform on an engine"
# By file: tests that share a site stay in one worker; JOBS sites are up at once.
.venv/bin/pytest -q -m "(hosts or engine) and not matrix" -n "${JOBS:-2}" --dist loadfile --junitxml build/hosts.xml
