#!/bin/sh
# A fake of the vendor's installer: takes its arguments, fetches nothing, and puts a fake engine there that only says
# the version in FAKE_VERSION. With FAKE_FAILS it says so and fails, as the vendor's does where the archive is not there.
set -eu
while [ "$#" -gt 0 ]; do
  case $1 in
    --install-root) root=$2; shift ;;
    --version) version=$2; shift ;;
    *) ;;
  esac
  shift
done
if [ -n "${FAKE_FAILS:-}" ]; then
  echo "error: failed to download pulumi $version"
  exit 1
fi
mkdir -p "$root/bin"
printf '#!/bin/sh\necho v%s\n' "${FAKE_VERSION:-$version}" >"$root/bin/pulumi"
chmod 755 "$root/bin/pulumi"
