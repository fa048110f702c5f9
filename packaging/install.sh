#!/bin/sh
# Puts dropkeep where GNU's conventions say, and takes it away again. `make install` and `make uninstall` call it, and the
# Debian package is made of what it lays out.
#
#   install.sh install     all of it
#   install.sh data        all but the program itself
#   install.sh uninstall   what was installed; the configuration, the archive and its account stay
#
# Variables: BIN, the program as built; PREFIX; DESTDIR, a folder in place of /; SYSCONFDIR; ZSH_DIR, below PREFIX.
set -eu
cd "$(dirname "$0")/.."

BIN=${BIN:-target/release/dropkeep}
PREFIX=${PREFIX:-/usr/local}
DESTDIR=${DESTDIR:-}
SYSCONFDIR=${SYSCONFDIR:-/etc}
ZSH_DIR=${ZSH_DIR:-share/zsh/site-functions}

root=$DESTDIR$PREFIX
etc=$DESTDIR$SYSCONFDIR/dropkeep
state=/var/lib/dropkeep
units=lib/systemd/system
users=lib/sysusers.d
man=share/man/man1
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
    grep -q '^# data_dir = "data"$' config/dropkeep.toml || fail "config/dropkeep.toml shows no data_dir = \"data\""
    sed -e "s|^# data_dir = \"data\"$|data_dir = \"$state\"|" \
        -e "0,/^\$/s|^\$|# What it calls docs/ is $PREFIX/$doc/docs.\n|" config/dropkeep.toml
}

install_program() {
    [ -x "$BIN" ] || fail "there is no $BIN: run make build first, or say BIN=program"
    # The symbols are six times the program.
    install -D -m 755 "$BIN" "$root/bin/dropkeep"
    if command -v strip >/dev/null; then strip "$root/bin/dropkeep"; fi
    say "the program is $root/bin/dropkeep"
}

install_data() {
    [ -x "$BIN" ] || fail "there is no $BIN: run make build first, or say BIN=program"
    made=$(mktemp -d)
    trap 'rm -rf "$made"' EXIT

    sed -e "s|/usr/bin/dropkeep|$PREFIX/bin/dropkeep|" -e "s|/usr/share|$PREFIX/share|" \
        -e "s|/etc/dropkeep/dropkeep.toml|$SYSCONFDIR/dropkeep/dropkeep.toml|" \
        packaging/systemd/dropkeep.service >"$made/unit"
    put "$made/unit" "$root/$units/dropkeep.service"
    say "the systemd unit is $root/$units/dropkeep.service"

    mkdir "$made/man"
    "$BIN" manual "$made/man"
    for page in "$made"/man/*; do put "$page" "$root/$man/$(basename "$page")"; done
    for shell in bash zsh fish; do "$BIN" completions $shell >"$made/$shell"; done
    put "$made/bash" "$root/$bash"
    put "$made/zsh" "$root/$zsh"
    put "$made/fish" "$root/$fish"
    say "man pages and completions for bash, zsh and fish are in $root/share"

    find dashboards -type f | while read -r file; do put "$file" "$root/share/dropkeep/$file"; done
    say "dashboards and rules are in $root/share/dropkeep/dashboards"
    find docs README.md CHANGELOG.md -type f -name '*.md' | while read -r file; do put "$file" "$root/$doc/$file"; done
    configuration >"$made/config"
    put "$made/config" "$root/$doc/dropkeep.toml"
    say "the documents are in $root/$doc"

    if [ -e "$etc/dropkeep.toml" ]; then
        say "the configuration $etc/dropkeep.toml stays as it is"
    else
        install -d -m 750 "$etc"
        install -m 640 "$made/config" "$etc/dropkeep.toml"
        say "a configuration without a profile is $etc/dropkeep.toml"
    fi
}

# The account, and what it may read.
settle() {
    put packaging/systemd/sysusers.conf "$root/$users/dropkeep.conf"
    if ! on_this_machine; then
        [ -n "$DESTDIR" ] || say "not root: the account dropkeep was not created"
        return 0
    fi
    if id dropkeep >/dev/null 2>&1; then
        say "the account dropkeep is there"
    elif command -v systemd-sysusers >/dev/null; then
        systemd-sysusers "$root/$users/dropkeep.conf"
        say "the account dropkeep was created by systemd-sysusers"
    elif command -v useradd >/dev/null; then
        useradd --system --user-group --home-dir $state --no-create-home --shell /usr/sbin/nologin dropkeep
        say "the account dropkeep was created"
    else
        fail "no systemd-sysusers and no useradd here: create an account dropkeep with a group of that name"
    fi
    chown root:dropkeep "$etc" "$etc/dropkeep.toml"
    [ -d $state ] || install -d -m 700 -o dropkeep -g dropkeep $state
    if has_systemd; then systemctl daemon-reload; fi
    say "now write your profile into $etc/dropkeep.toml, try it (sudo -u dropkeep dropkeep test PROFILE),"
    say "and let it run: systemctl enable --now dropkeep"
}

uninstall() {
    if on_this_machine && has_systemd; then
        systemctl disable --now dropkeep.service 2>/dev/null || true
    fi
    rm -f "$root/bin/dropkeep" "$root/$units/dropkeep.service" "$root/$users/dropkeep.conf" \
        "$root/$man/dropkeep.1" "$root/$man"/dropkeep-*.1 "$root/$bash" "$root/$zsh" "$root/$fish"
    rm -rf "$root/share/dropkeep" "${root:?}/$doc"
    if on_this_machine && has_systemd; then systemctl daemon-reload; fi
    say "removed from $root"
    say "what stays: the configuration ($etc), the archive ($state) and the account dropkeep that owns it"
}

case ${1:-} in
    install) install_program; install_data; settle ;;
    data) install_data ;;
    uninstall) uninstall ;;
    *) fail "install.sh install, data or uninstall" ;;
esac
