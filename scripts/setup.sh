#!/usr/bin/env bash
# Makes a checkout ready to work: Debian packages that are missing, and a .venv that matches the lock.
# Safe to repeat and to interrupt; where nothing is missing it takes a fraction of a second.
# PYTHON=/path/to/python chooses the Python that the .venv is made with.
set -euo pipefail
cd "$(dirname "$0")/.."
# Two runs at once (make demo beside make test) would make the same .venv: the second one waits.
exec 9<.
flock 9

readonly packages=(podman runc uidmap netavark iptables mmdebstrap openssh-client iproute2 make)
readonly commands=(podman runc newuidmap mmdebstrap ssh ip make)
readonly lock=requirements/dev.txt
readonly stamp=.venv/.setup-stamp
readonly min_python='import ensurepip, sys, venv; raise SystemExit(sys.version_info < (3, 11))'

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$@"; exit 9; }

as_root() {
  if [[ $EUID -eq 0 ]]; then env "$@"; else sudo env "$@"; fi
}

install_packages() {
  local sudo=sudo package failed=()
  [[ $EUID -eq 0 ]] && sudo=
  if [[ -n $sudo ]] && ! command -v sudo >/dev/null; then
    die "these packages are missing: $*. You are not root and there is no sudo. As root, run: apt-get install $*"
  fi
  say "installing $*"
  as_root DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 update >&2 ||
    say "the package lists could not be refreshed; going on with the ones that are there"
  as_root DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 install "$@" >&2 && return
  # Together it failed: one by one, to be able to name the ones that are to blame.
  for package in "$@"; do
    as_root DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 install "$package" >&2 ||
      failed+=("$package")
  done
  ((${#failed[@]} == 0)) || die "could not be installed (apt's reason is above): ${failed[*]}." \
    "Install by hand, then run this again: ${sudo:+$sudo }apt-get install ${failed[*]}"
}

missing_packages() {
  comm -23 <(printf '%s\n' "$@" | sort) \
    <(dpkg-query --show --showformat='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
      sed -n 's/^installed //p' | sort)
}

ensure_packages() {
  local missing command absent=()
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    for command in "${commands[@]}"; do command -v "$command" >/dev/null || absent+=("$command"); done
    ((${#absent[@]} == 0)) && return
    die "this is not a Debian machine (no apt-get), and these commands are missing: ${absent[*]}." \
      "Install them with this system's package manager, then run this again."
  fi
  mapfile -t missing < <(missing_packages "${packages[@]}")
  ((${#missing[@]} == 0)) || install_packages "${missing[@]}"
}

find_python() {
  local candidate
  for candidate in ${PYTHON:+"$PYTHON"} python3.11 python3.12 python3.13 python3 /usr/bin/python3; do
    "$candidate" -c "$min_python" 2>/dev/null && command -v "$candidate" && return
  done
  return 1
}

ensure_python() {
  find_python >/dev/null && return
  command -v apt-get >/dev/null || die "no Python 3.11 or later with venv was found. Install one, or name it: PYTHON=..."
  install_packages python3-venv
  find_python >/dev/null ||
    die "no Python 3.11 or later with venv was found, also after installing python3-venv. Name one: PYTHON=..."
}

# What the .venv depends on. A moved checkout counts too: the paths in .venv/bin are absolute.
fingerprint() {
  { pwd -P; cat "$lock"; } | sha256sum
}

# True only where the last installation ran to its end, for this lock, and its Python still starts.
is_venv_ready() {
  [[ -f $stamp && $(<"$stamp") == "$(fingerprint)" ]] && .venv/bin/python -c '' 2>/dev/null
}

ensure_venv() {
  local python pip=(.venv/bin/python -m pip --quiet --disable-pip-version-check --no-input --retries 10)
  is_venv_ready && return
  ensure_python
  python=$(find_python)
  say "making .venv with $python, from $lock"
  # Anew, never repaired: what an interrupted pip left behind can look installed.
  rm -rf .venv
  "$python" -m venv .venv
  "${pip[@]}" install --only-binary :all: --require-hashes --requirement "$lock" ||
    die "the Python packages of $lock could not be installed (pip's reason is above)." \
      "Does this machine reach a package index? Run this again when it does."
  "${pip[@]}" install --no-index --no-deps --no-build-isolation --editable . ||
    die "this checkout could not be installed into .venv (the reason is above)."
  fingerprint >"$stamp"
}

ensure_packages
ensure_venv
