#!/bin/bash
# Puts Cyrus IMAP and Courier, from Debian's packages, into a folder each: `install.sh FOLDER [cyrus|courier]`.
# Their packages conflict with Dovecot's and with each other's, so none is installed on this machine itself:
# a small Debian in FOLDER/cyrus and FOLDER/courier holds them. Made once; a second call finds them and says nothing.
# Ends with 77 where it cannot be done on this machine at all.
set -euo pipefail

folder=${1:?the folder to put the servers into}
shift
[ $# -gt 0 ] || set -- cyrus courier
say() { echo "tests/peers/install.sh: $*"; }

packages_of() {
    case $1 in
    # sasl2-bin makes the password file.
    cyrus) echo cyrus-imapd cyrus-pop3d sasl2-bin libsasl2-modules libsasl2-modules-db ;;
    courier) echo courier-imap courier-pop courier-authlib-userdb ;;
    *) say "no server is called $1" >&2 && return 1 ;;
    esac
}

if [ "$(id -u)" != 0 ]; then
    say "SKIPPED: root is needed to install servers into folders of their own and to run them there"
    exit 77
fi
wanted=()
for server in "$@"; do
    packages=$(packages_of "$server")
    # The mark is written last: a folder without it is one that was cut off.
    [ "$(cat "$folder/$server/packages-installed" 2>/dev/null)" = "$packages" ] || wanted+=("$server")
done
[ ${#wanted[@]} -gt 0 ] || exit 0

command -v apt-get >/dev/null || { say "SKIPPED: the packages are Debian's, and there is no apt-get here"; exit 77; }

log=$(mktemp)
trap 'rm -f "$log"' EXIT
quietly() { "$@" >"$log" 2>&1 || { cat "$log" >&2; say "this failed: $*" >&2; return 1; }; }

if ! command -v debootstrap >/dev/null; then
    say "installing debootstrap with apt-get"
    # The lists of a fresh machine are empty or old.
    apt-get install -y --no-install-recommends debootstrap >"$log" 2>&1 || {
        quietly apt-get update
        quietly apt-get install -y --no-install-recommends debootstrap
    }
fi

# Where this machine's own packages come from, as its apt has it.
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
archives() {
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(SIGNED_BY)' "Created-By: Packages" |
        awk -v own="$codename" '$2 == own || $2 == own "-updates" || $2 == own "-security"' | sort -u
}
mirror=$(archives | awk -v own="$codename" '$2 == own && $3 == "main" { print $1; exit }')
[ -n "$mirror" ] || { say "apt knows no archive of $codename with a component main" >&2; exit 1; }

# What runs within `root` at the end of an installation, in mounts of its own.
configure() {
    local root=$1
    shift
    mount --bind /dev "$root/dev"
    mount -t proc proc "$root/proc"
    export DEBIAN_FRONTEND=noninteractive
    chroot "$root" apt-get update
    chroot "$root" apt-get install -y --no-install-recommends "$@"
    chroot "$root" apt-get clean
}
export -f configure

for server in "${wanted[@]}"; do
    packages=$(packages_of "$server")
    root=$folder/$server
    say "installing $packages into $root (once; minutes, about 350 MB)"
    rm -rf "$root"
    mkdir -p "$root"
    # In mounts of its own, so that nothing is left mounted whatever happens.
    quietly unshare --mount --propagation private \
        debootstrap --variant=minbase "$codename" "$root" "$mirror"
    # Nothing is to be started by being installed.
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod 755 "$root/usr/sbin/policy-rc.d"
    # Security updates and the way to the archive are this machine's.
    archives | while read -r uri release component key; do
        option=
        if [ -f "$key" ]; then
            install -D -m 644 "$key" "$root$key"
            option="[signed-by=$key] "
        fi
        echo "deb $option$uri $release $component"
    done >"$root/etc/apt/sources.list"
    apt-config dump | grep -i '^Acquire::.*Proxy' >"$root/etc/apt/apt.conf.d/90proxy" || true
    [ ! -e /etc/resolv.conf ] || cp -L /etc/resolv.conf "$root/etc/resolv.conf"
    cp /etc/hosts "$root/etc/hosts"
    # Where enter.sh puts what is one server's own.
    mkdir "$root/peer"
    ln -s /peer/log "$root/dev/log"
    # shellcheck disable=SC2086 # a word a package
    quietly unshare --mount --propagation private bash -euc 'configure "$@"' bash "$root" $packages
    [ "$server" != courier ] || mkdir -p "$root/run/courier"
    echo "$packages" >"$root/packages-installed"
done
say "done"
