#!/bin/sh
# Installs dropkeep where the GNU conventions say, and removes it. `make install` and `make uninstall` call it, and the Debian
# package is made from the files that it installs.
#
#   install.sh install     everything
#   install.sh data        everything but the program
#   install.sh uninstall   removes what was installed; the configuration, the archive and its account stay
#
# Variables: BIN, the program as built; PREFIX; DESTDIR, a folder in place of /; SYSCONFDIR; ZSH_DIR, below PREFIX; CHANGES, the
# name of the changelog in the documents' folder.
set -eu
cd "$(dirname "$0")/.."

BIN=${BIN:-target/release/dropkeep}
PREFIX=${PREFIX:-/usr/local}
DESTDIR=${DESTDIR:-}
SYSCONFDIR=${SYSCONFDIR:-/etc}
ZSH_DIR=${ZSH_DIR:-share/zsh/site-functions}
CHANGES=${CHANGES:-CHANGELOG.md}

root=$DESTDIR$PREFIX
etc=$DESTDIR$SYSCONFDIR/dropkeep
state=/var/lib/dropkeep
units=lib/systemd/system
users=lib/sysusers.d
man=share/man
doc=share/doc/dropkeep
bash=share/bash-completion/completions/dropkeep
zsh=$ZSH_DIR/_dropkeep
fish=share/fish/vendor_completions.d/dropkeep.fish

say() { echo "dropkeep: $*"; }
fail() { echo "dropkeep: $*" >&2; exit 1; }
# Whether this changes the machine itself, and may.
on_this_machine() { [ -z "$DESTDIR" ] && [ "$(id -u)" = 0 ]; }
has_systemd() { [ -d /run/systemd/system ]; }
put() { install -D -m 644 "$1" "$2"; }

# The sample configuration with the folder of an installed appliance.
configuration() {
    grep -q '^#* *data_dir = "data"$' config/dropkeep.toml || fail "config/dropkeep.toml has no line data_dir = \"data\""
    sed -e "s|^#* *data_dir = \"data\"$|data_dir = \"$state\"|" \
        -e "0,/^\$/s|^\$|# docs/ is $PREFIX/$doc/docs. The man page dropkeep.toml(5) has the same as this file.\n|" config/dropkeep.toml
}

# A unit as it is where PREFIX is another one.
unit() {
    sed -e "s|/usr/bin/dropkeep|$PREFIX/bin/dropkeep|" -e "s|/usr/share|$PREFIX/share|" \
        -e "s|/etc/dropkeep/dropkeep.toml|$SYSCONFDIR/dropkeep/dropkeep.toml|" "$1"
}

# What is of use without the sources: neither tests nor what make starts.
dashboards() { find dashboards -type f ! -path '*/tests/*' ! -path 'dashboards/check/*' ! -name '*.sh'; }
documents() { find docs README.md CHANGELOG.md config/dropkeep.toml -type f; }

# A document whose links lead to what is installed.
document() {
    case $1 in
        *.md) awk -v file="$1" -v changes="$CHANGES" -f packaging/links.awk "$1" ;;
        config/dropkeep.toml) configuration ;;
        *) cat "$1" ;;
    esac
}

install_program() {
    [ -x "$BIN" ] || fail "$BIN does not exist: run make build first, or give BIN=program"
    # The symbols are six times the program.
    install -D -m 755 "$BIN" "$root/bin/dropkeep"
    if command -v strip >/dev/null; then strip "$root/bin/dropkeep"; fi
    say "the program is $root/bin/dropkeep"
}

install_data() {
    [ -x "$BIN" ] || fail "$BIN does not exist: run make build first, or give BIN=program"
    made=$(mktemp -d)
    trap 'rm -rf "$made"' EXIT

    for file in packaging/systemd/*.service packaging/systemd/*.timer; do
        unit "$file" >"$made/unit"
        put "$made/unit" "$root/$units/$(basename "$file")"
    done
    say "the systemd units are in $root/$units (the timers for backup and verify are off)"

    mkdir "$made/man"
    "$BIN" manual "$made/man"
    for page in "$made"/man/*; do put "$page" "$root/$man/man${page##*.}/$(basename "$page")"; done
    for shell in bash zsh fish; do "$BIN" completions $shell >"$made/$shell"; done
    put "$made/bash" "$root/$bash"
    put "$made/zsh" "$root/$zsh"
    put "$made/fish" "$root/$fish"
    say "man pages and completions for bash, zsh and fish are in $root/share"

    dashboards | while read -r file; do put "$file" "$root/share/dropkeep/$file"; done
    say "dashboards and alert rules are in $root/share/dropkeep/dashboards"
    documents | while read -r file; do
        document "$file" >"$made/document"
        put "$made/document" "$root/$doc/$file"
    done
    say "the documents are in $root/$doc"

    if [ -e "$etc/dropkeep.toml" ]; then
        say "the configuration $etc/dropkeep.toml stays as it is"
    else
        install -d -m 750 "$etc"
        install -m 640 "$root/$doc/config/dropkeep.toml" "$etc/dropkeep.toml"
        say "the configuration is $etc/dropkeep.toml; it has no profile yet"
    fi
}

# The account, and what it may read.
settle() {
    put packaging/systemd/sysusers.conf "$root/$users/dropkeep.conf"
    if ! on_this_machine; then
        [ -n "$DESTDIR" ] || say "the account dropkeep was not created: that needs root"
        return 0
    fi
    if id dropkeep >/dev/null 2>&1; then
        say "the account dropkeep exists"
    elif command -v systemd-sysusers >/dev/null; then
        systemd-sysusers "$root/$users/dropkeep.conf"
        say "the account dropkeep was created by systemd-sysusers"
    elif command -v useradd >/dev/null; then
        useradd --system --user-group --home-dir $state --no-create-home --shell /usr/sbin/nologin dropkeep
        say "the account dropkeep was created"
    else
        fail "neither systemd-sysusers nor useradd is installed: create the account dropkeep with a group of that name"
    fi
    chown root:dropkeep "$etc" "$etc/dropkeep.toml"
    # The archive, and the note which one it is.
    for path in $state $state-state; do
        [ -d "$path" ] || install -d -m 700 -o dropkeep -g dropkeep "$path"
    done
    if has_systemd; then systemctl daemon-reload; fi
    say "next, in one of two ways:"
    say "- in a browser: make a key for passwords (README.md, \"In a browser\"), then"
    say "  systemctl enable --now dropkeep; journalctl -u dropkeep | grep console/first"
    say "  shows a link on this machine, which makes the first account and leads to the first profile"
    say "- by the file: write a profile into $etc/dropkeep.toml, try it (dropkeep test PROFILE), then"
    say "  systemctl enable --now dropkeep"
}

uninstall() {
    if on_this_machine && has_systemd; then
        systemctl disable --now dropkeep.service dropkeep-backup.timer dropkeep-verify.timer 2>/dev/null || true
    fi
    for file in packaging/systemd/*.service packaging/systemd/*.timer; do rm -f "$root/$units/$(basename "$file")"; done
    rm -f "$root/bin/dropkeep" "$root/$users/dropkeep.conf" "$root/$bash" "$root/$zsh" "$root/$fish" \
        "$root/$man/man1/dropkeep.1" "$root/$man/man1"/dropkeep-*.1 "$root/$man/man5/dropkeep.toml.5"
    rm -rf "$root/share/dropkeep" "${root:?}/$doc"
    if on_this_machine && has_systemd; then systemctl daemon-reload; fi
    say "removed from $root"
    say "kept: the configuration ($etc), the archive ($state) and the account dropkeep, which owns it"
}

case ${1:-} in
    install) install_program; install_data; settle ;;
    data) install_data ;;
    uninstall) uninstall ;;
    *) fail "usage: install.sh install|data|uninstall" ;;
esac
