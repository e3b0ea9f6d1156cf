#!/usr/bin/env bash
# Runs examples/vision: a site of three tiers on this machine, data in its HDFS, training, serving, faults, figures.
# Needs, beside what setup.sh installs: Maven (Hadoop's jars) and a package index. With --keep the site stays up.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly vision=examples/vision build=build/vision platform=(--python-version 3.11 --python-platform x86_64-manylinux_2_28)

if [[ ${1:-} == --lock ]]; then
  exec .venv/bin/uv pip compile "$vision/requirements.in" --quiet "${platform[@]}" --generate-hashes --no-emit-index-url \
    --no-emit-find-links --custom-compile-command "scripts/example.sh --lock" --output-file "$vision/requirements.txt"
fi
scripts/have_maven.sh
mkdir -p "$build"
# The libraries are for the hosts' Python, whatever this machine's is.
if ! cmp --silent "$vision/requirements.txt" "$build/installed.txt"; then
  rm -rf "$build/packages"
  .venv/bin/uv pip install --quiet --target "$build/packages" "${platform[@]}" --only-binary :all: --require-hashes \
    --requirement "$vision/requirements.txt"
  cp "$vision/requirements.txt" "$build/installed.txt"
fi
exec .venv/bin/python -m examples.vision.run "$build/packages" "$build" "${SITE:-vision}" "$@"
