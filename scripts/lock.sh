#!/usr/bin/env bash
# Writes requirements/*.txt: every package with its version and hashes, for Python 3.11 and later. Needs a package index.
# Pinned versions stay as they are while they fit; `scripts/lock.sh --upgrade` takes the newest.
set -euo pipefail
cd "$(dirname "$0")/.."

compile() {
  .venv/bin/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" "$@" >/dev/null
}

compile --group dev --extra aws --output-file requirements/dev.txt "$@"
# To run leptonctl, nothing more; the versions are those that were tested.
compile --constraint requirements/dev.txt --output-file requirements/base.txt "$@"
compile --extra aws --constraint requirements/dev.txt --output-file requirements/aws.txt "$@"
# A peer of the benchmarks, which installs it beside itself.
.venv/bin/uv pip compile benchmarks/pyinfra.in --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --output-file benchmarks/pyinfra.txt "$@" >/dev/null
