#!/bin/bash
# Installs what the tests and the demonstration need and this machine lacks, from Debian's packages.
# `install-tools.sh bench` adds what the benchmark compares with, `install-tools.sh monitoring` Prometheus and promtool.
# Says nothing when nothing is missing.
set -euo pipefail

packages=()
missing() { # package, why
    echo "install-tools: $1 is missing: $2"
    packages+=("$1")
}
have() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; }
login=/usr/lib/dovecot

have cc || { missing gcc "compiles the C in LMDB, zstd and ring, and links"; missing libc6-dev "its headers"; }
have dovecot && [ -x $login/imap ] || missing dovecot-imapd "the tests archive from a real mail server"
have dovecot && [ -x $login/pop3 ] || missing dovecot-pop3d "the same, over POP3"
have python3 || missing python3 "a second reading of the mail, to compare with"
have zstd || missing zstd "unpacks a corpus of real mail"
for part in "$@"; do
    case $part in
    bench) have mbsync || missing isync "the benchmark compares with mbsync" ;;
    monitoring)
        have prometheus && have promtool \
            || missing prometheus "it evaluates the dashboards and the alerts, and promtool, which is with it, checks them"
        ;;
    *) echo "install-tools: there is no part $part; there are bench and monitoring" >&2; exit 2 ;;
    esac
done
[ ${#packages[@]} -gt 0 ] || exit 0

if ! have apt-get; then
    echo "install-tools: no apt-get here; install ${packages[*]} by the means of this system" >&2
    exit 1
fi
as_root=()
if [ "$(id -u)" != 0 ]; then
    # Asks for a password only where there is someone to ask.
    if sudo -n true 2>/dev/null; then as_root=(sudo -n)
    elif [ -t 0 ] && have sudo; then as_root=(sudo)
    else
        echo "install-tools: needs root to run: apt-get install ${packages[*]}" >&2
        exit 1
    fi
fi
root() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive "$@"; }

# Debian starts Dovecot and Prometheus as services of this machine once they are installed, and nobody asked for that:
# a policy forbids it meanwhile, and the services are not enabled for the next start either.
policy=/usr/sbin/policy-rc.d
had_dovecot=$(have dovecot && echo yes || true)
had_prometheus=$(have prometheus && echo yes || true)
if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | root tee $policy >/dev/null
    root chmod 755 $policy
    trap 'root rm -f $policy' EXIT
fi

log=$(mktemp)
# Another installation may be going on.
install() { root apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${packages[@]}" >"$log" 2>&1; }
echo "install-tools: installing ${packages[*]} with apt-get"
# The lists of a fresh machine are empty or old.
if ! install; then
    root apt-get update >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
    install || { cat "$log" >&2; exit 1; }
fi
rm -f "$log"
not_as_a_service() { # program, whether it was here before, its units
    local program=$1 had=$2
    shift 2
    if [ -z "$had" ] && have "$program" && have systemctl; then
        root systemctl disable --now "$@" >/dev/null 2>&1 || true
    fi
}
not_as_a_service dovecot "$had_dovecot" dovecot.service dovecot.socket
not_as_a_service prometheus "$had_prometheus" prometheus.service
echo "install-tools: done"
