#!/bin/bash
# Installs what the tests and the demonstration need and this machine lacks, from Debian's packages.
# `install-tools.sh bench` adds what the benchmark compares with, `install-tools.sh monitoring` Prometheus and promtool,
# and npm where that is possible, `install-tools.sh popa3d` a POP3 server that takes one command at a time.
# Says nothing when nothing is missing.
set -euo pipefail

packages=()
missing() { # package, why
    echo "install-tools: $1 is missing: $2"
    packages+=("$1")
}
# What needs them is skipped without them.
wanted=()
would_help() { # package, why
    echo "install-tools: $1 is missing: $2"
    wanted+=("$1")
}
# A package that cannot be installed beside the others: it is unpacked into target/. What needs it is skipped without it.
unpack() { # package, why
    echo "install-tools: $1 is missing: $2; unpacking it into target/$1"
    local folder
    folder=$(mktemp -d)
    if (cd "$folder" && apt-get download "$1" && dpkg -x "$1"_*.deb files) >/dev/null 2>&1; then
        mkdir -p target && rm -rf "target/$1" && mv "$folder/files" "target/$1"
    else
        echo "install-tools: going on without $1 (apt-get download $1); what needs it is skipped" >&2
    fi
    rm -rf "$folder"
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
        have node || would_help nodejs "it runs the check of the dashboards against Grafana's types"
        have npm || would_help npm "it brings these types"
        ;;
    popa3d) [ -x target/popa3d/usr/sbin/popa3d ] || unpack popa3d "a real POP3 server without PIPELINING" ;;
    *) echo "install-tools: there is no part $part; there are bench, monitoring and popa3d" >&2; exit 2 ;;
    esac
done
all=("${packages[@]}" "${wanted[@]}")
[ ${#all[@]} -gt 0 ] || exit 0
cannot() { # why
    echo "install-tools: $1" >&2
    [ ${#packages[@]} -gt 0 ] && exit 1
    echo "install-tools: going on without ${wanted[*]}; what needs them is skipped" >&2
    exit 0
}

have apt-get || cannot "no apt-get here; install ${all[*]} by the means of this system"
as_root=()
if [ "$(id -u)" != 0 ]; then
    # Asks for a password only where there is someone to ask.
    if sudo -n true 2>/dev/null; then as_root=(sudo -n)
    elif [ -t 0 ] && have sudo; then as_root=(sudo)
    else
        cannot "needs root to run: apt-get install ${all[*]}"
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
install() { root apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@" >"$log" 2>&1; }
echo "install-tools: installing ${all[*]} with apt-get"
# The lists of a fresh machine are empty or old.
if ! install "${all[@]}"; then
    root apt-get update >"$log" 2>&1 || { cat "$log" >&2; cannot "apt-get update failed"; }
    # What is wanted does not keep off what is needed.
    if ! install "${all[@]}"; then
        cat "$log" >&2
        [ ${#packages[@]} -gt 0 ] && [ ${#wanted[@]} -gt 0 ] || cannot "apt-get install ${all[*]} failed"
        install "${packages[@]}" || { cat "$log" >&2; cannot "apt-get install ${packages[*]} failed"; }
        echo "install-tools: going on without ${wanted[*]}; what needs them is skipped" >&2
    fi
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
