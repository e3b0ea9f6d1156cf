#!/usr/bin/env bash
# The checks that need no hosts, fast first: `check.sh lint` is the linters alone, `check.sh` runs the tests beside them.
# The tests' JUnit report is left in build/, for the closing line of `make test`.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
[[ -t 1 ]] || export NO_COLOR=1
mkdir -p build

say() { printf '== %s\n' "$*"; }

quick_linters() {
  say "ruff"
  ruff check --quiet --output-format concise .
  ruff format --quiet --check .
  say "shellcheck"
  # What Ansible fills in first is not shell yet.
  git ls-files -z --cached --others --exclude-standard -- '*.sh' .ci/run | xargs -0 shellcheck
}

slow_linters() {
  local failed=0
  say "mypy"
  mypy || failed=1
  say "ansible-lint"
  ansible-lint --offline -q || failed=1
  return "$failed"
}

quick_linters
if [[ ${1:-} == lint ]]; then
  slow_linters
  exit
fi
# Side by side: neither can use two processors for all of its time.
slow_linters >build/lint.log 2>&1 &
linters=$!
say "tests that need no hosts"
failed=0
pytest -q -m "not hosts and not engine" -n "${JOBS:-2}" --dist loadfile --junitxml build/quick.xml || failed=$?
wait "$linters" || failed=1
cat build/lint.log
exit "$failed"
