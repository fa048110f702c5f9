#!/bin/bash
# Installs the Debian packages that the tests and the demo need and this machine does not have.
# `install-tools.sh bench` adds what the benchmark compares with; `install-tools.sh monitoring` adds Prometheus and promtool,
# and npm where it can be installed; `install-tools.sh popa3d` adds a POP3 server that takes one command at a time;
# `install-tools.sh search` adds mu and notmuch; `install-tools.sh console` adds Chromium and what drives it, and npm.
# Prints nothing when nothing is missing.
set -euo pipefail

packages=()
missing() { # package, why
    echo "install-tools: $1 is needed: $2"
    packages+=("$1")
}
# Optional: what needs them is skipped without them.
wanted=()
would_help() { # package, why
    echo "install-tools: $1 is wanted: $2"
    wanted+=("$1")
}
# A package that conflicts with the others: it is unpacked into target/. What needs it is skipped without it.
unpack() { # package, why
    echo "install-tools: $1 is wanted: $2; downloading it and unpacking it into target/$1"
    local folder
    folder=$(mktemp -d)
    if (cd "$folder" && apt-get download "$1" && dpkg -x "$1"_*.deb files) >/dev/null 2>&1; then
        mkdir -p target && rm -rf "target/$1" && mv "$folder/files" "target/$1"
    else
        echo "install-tools: apt-get download $1 failed; going on without $1, and what needs it is skipped" >&2
    fi
    rm -rf "$folder"
}
have() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; }
login=/usr/lib/dovecot

have cc || { missing gcc "it compiles the C code in LMDB, zstd, ring and jemalloc, and links the program"; missing libc6-dev "the headers for that"; }
have dovecot && [ -x $login/imap ] || missing dovecot-imapd "the tests and the demo archive mail from it over IMAP"
have dovecot && [ -x $login/pop3 ] || missing dovecot-pop3d "the tests archive mail from it over POP3"
have python3 || missing python3 "the tests compare with how it reads the mail"
have zstd || missing zstd "it unpacks a corpus of real mail"
for part in "$@"; do
    case $part in
    bench) have mbsync || missing isync "the benchmark compares dropkeep with its mbsync" ;;
    search)
        have mu || missing maildir-utils "its mu is asked the searches that dropkeep is asked"
        have notmuch || missing notmuch "it is asked the searches that dropkeep is asked"
        ;;
    monitoring)
        have prometheus && have promtool \
            || missing prometheus "it evaluates the dashboards and the alerts, and its promtool checks them"
        have node || would_help nodejs "it checks the dashboards against Grafana's types"
        have npm || would_help npm "it installs these types"
        ;;
    console)
        have chromium || missing chromium "the tests use the console in it"
        have chromedriver || missing chromium-driver "it drives Chromium"
        have npm || missing npm "it fetches axe-core, which finds what keeps people from using a page"
        ;;
    popa3d) [ -x target/popa3d/usr/sbin/popa3d ] || unpack popa3d "the tests archive mail from it, a POP3 server without PIPELINING" ;;
    *) echo "install-tools: unknown part $part; the parts are bench, console, monitoring, popa3d and search" >&2; exit 2 ;;
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

have apt-get || cannot "this system has no apt-get: install ${all[*]} with its own package manager"
as_root=()
if [ "$(id -u)" != 0 ]; then
    # Asks for a password only on a terminal.
    if sudo -n true 2>/dev/null; then as_root=(sudo -n)
    elif [ -t 0 ] && have sudo; then as_root=(sudo)
    else
        cannot "only root can install packages; run as root: apt-get install ${all[*]}"
    fi
fi
root() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive "$@"; }

# Debian starts Dovecot and Prometheus as services once they are installed, which nobody asked for: a policy prevents that during
# the installation, and the services are not enabled for the next boot.
policy=/usr/sbin/policy-rc.d
had_dovecot=$(have dovecot && echo yes || true)
had_prometheus=$(have prometheus && echo yes || true)
if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | root tee $policy >/dev/null
    root chmod 755 $policy
    trap 'root rm -f $policy' EXIT
fi

log=$(mktemp)
# Another installation may be running.
install() { root apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@" >"$log" 2>&1; }
echo "install-tools: running apt-get install ${all[*]}; this can take a minute"
# On a fresh machine the package lists are empty or old.
if ! install "${all[@]}"; then
    root apt-get update >"$log" 2>&1 || { cat "$log" >&2; cannot "apt-get update failed"; }
    # Optional packages do not prevent the necessary ones.
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
