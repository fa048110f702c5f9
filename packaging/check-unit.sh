#!/bin/sh
# Has systemd read the unit, as it is installed, and say how exposed the service is. Without systemd-analyze it says so and
# is content. BIN is the program as built.
set -eu
cd "$(dirname "$0")/.."

# Tenths of the exposure that systemd counts, from 0 (safe) to 100.
MOST=20

command -v systemd-analyze >/dev/null || { echo "check-unit: no systemd-analyze here; the unit was not checked"; exit 0; }
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
PREFIX=$stage DESTDIR='' SYSCONFDIR=$stage/etc packaging/install.sh data >/dev/null
install -D -m 755 "${BIN:-target/release/dropkeep}" "$stage/bin/dropkeep"
unit=$stage/lib/systemd/system/dropkeep.service

said=$(systemd-analyze verify --man=no --recursive-errors=no "$unit" 2>&1) || true
# Other units of this machine are none of ours.
said=$(printf '%s\n' "$said" | grep -F dropkeep || true)
[ -z "$said" ] || { printf '%s\n' "$said" >&2; exit 1; }
said=$(systemd-analyze security --offline=true --no-pager --threshold=$MOST "$unit") || {
    printf '%s\n' "$said" >&2
    exit 1
}
printf '%s\n' "$said" | tail -n 1
