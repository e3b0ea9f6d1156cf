# shellcheck shell=sh
# Says what this host is, one "name=value" a line. Read-only; sent to `sh` over SSH by platforms/ssh.py.
LC_ALL=C
export LC_ALL
printf 'os_id=%s\n' "$(. /etc/os-release 2>/dev/null && printf %s "$ID")"
printf 'os_version=%s\n' "$(. /etc/os-release 2>/dev/null && printf %s "$VERSION_ID")"
printf 'os_name=%s\n' "$(. /etc/os-release 2>/dev/null && printf %s "$PRETTY_NAME")"
printf 'python=%s\n' "$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)"
if [ "$(id -u)" = 0 ]; then
    printf 'root=yes\n'
elif sudo -n true >/dev/null 2>&1; then
    printf 'root=sudo\n'
else
    printf 'root=no\n'
fi
printf 'init=%s\n' "$(cat /proc/1/comm 2>/dev/null)"
printf 'cpus=%s\n' "$(nproc 2>/dev/null)"
printf 'memory_kib=%s\n' "$(sed -n 's/^MemTotal: *\([0-9]*\) kB$/\1/p' /proc/meminfo 2>/dev/null)"
printf 'clock_s=%s\n' "$(date +%s)"
printf 'end=yes\n'
