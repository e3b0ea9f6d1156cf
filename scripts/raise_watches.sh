#!/usr/bin/env bash
# Sites that are up side by side share one kernel, whose default of 128 inotify instances a user is for a machine with a
# single systemd. Raised until the next boot, where this user may.
set -euo pipefail
readonly limit=/proc/sys/fs/inotify/max_user_instances wanted=1024
[[ ! -r $limit || $(<$limit) -ge $wanted ]] && exit
if [[ -w $limit ]] && echo "$wanted" >"$limit"; then exit; fi
echo "fs.inotify.max_user_instances is $(<$limit): with several sites up at once hosts may miss changes;" \
  "sudo sysctl -w fs.inotify.max_user_instances=$wanted" >&2
