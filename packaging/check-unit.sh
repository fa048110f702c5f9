#!/bin/sh
# Has systemd check the units as they are installed, and rate how exposed each service is. Without systemd-analyze it says so
# and succeeds. BIN is the program as built.
set -eu
cd "$(dirname "$0")/.."

# The highest exposure allowed: systemd counts from 0 (safe) to 10, here in tenths.
MOST=20

command -v systemd-analyze >/dev/null || { echo "check-unit: systemd-analyze is not installed; the units were not checked"; exit 0; }
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
PREFIX=$stage DESTDIR='' SYSCONFDIR=$stage/etc packaging/install.sh data >/dev/null
install -D -m 755 "${BIN:-target/release/dropkeep}" "$stage/bin/dropkeep"

for unit in "$stage"/lib/systemd/system/*; do
    said=$(systemd-analyze verify --man=no --recursive-errors=no "$unit" 2>&1) || true
    # Other units of this machine may have faults, too.
    said=$(printf '%s\n' "$said" | grep -F dropkeep || true)
    [ -z "$said" ] || { printf '%s\n' "$said" >&2; exit 1; }
done
for unit in "$stage"/lib/systemd/system/*.service; do
    said=$(systemd-analyze security --offline=true --no-pager --threshold=$MOST "$unit") || {
        printf '%s\n' "$said" >&2
        exit 1
    }
    printf '%s\n' "$said" | tail -n 1
done
