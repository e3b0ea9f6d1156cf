#!/usr/bin/env bash
# Installs Maven where it is missing: it fetches the jars that Hadoop on local hosts is made of.
set -euo pipefail
command -v mvn >/dev/null && exit
sudo=sudo
[[ $EUID -eq 0 ]] && sudo=
$sudo apt-get -q -y install --no-install-recommends maven default-jre-headless >&2
