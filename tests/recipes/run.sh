#!/bin/bash
# Replays recipes of docs/servers.md with the real servers, from Debian's packages: `run.sh [SERVER]…`, as root.
# DROPKEEP is the program to read the delivered mail with. Nothing of this machine is changed: a server is installed and
# runs in a copy-on-write view of it, kept in memory, in mount, process and network namespaces of its own.
# Ends with 77 where it cannot be done on this machine at all.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
say() { echo "tests/recipes/run.sh: $*"; }
dropkeep=$(realpath "${DROPKEEP:-$here/../../target/debug/dropkeep}")
[ "$(id -u)" = 0 ] || { say "SKIPPED: root is needed to run mail servers"; exit 77; }
command -v apt-get >/dev/null || { say "SKIPPED: the packages are Debian's, and there is no apt-get here"; exit 77; }
unshare --mount --net --uts --pid --fork true 2>/dev/null || { say "SKIPPED: no namespaces can be made here"; exit 77; }
[ -x "$dropkeep" ] || { say "no dropkeep at $dropkeep: build it, or set DROPKEEP" >&2; exit 2; }
[ $# -gt 0 ] || set -- postfix exim sendmail opensmtpd
# Where a view is mounted, for its own processes alone.
view=$(mktemp -d)
trap 'rmdir "$view"' EXIT

# What runs for one server, in mounts and processes of its own: $1 is its name.
one_server() {
    set -euo pipefail
    mount -t tmpfs tmpfs "$view"
    mkdir "$view/upper" "$view/work" "$view/root"
    mount -t overlay overlay -o "lowerdir=/,upperdir=$view/upper,workdir=$view/work" "$view/root"
    root=$view/root
    mount -t proc proc "$root/proc"
    mount --bind /dev "$root/dev"
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod 755 "$root/usr/sbin/policy-rc.d"
    export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
    packages=$(sed -n 's/^# packages: //p' "$here/$1.sh")
    # shellcheck disable=SC2086 # a word a package
    install() { chroot "$root" apt-get install -y --no-install-recommends $packages >"$view/log" 2>&1; }
    # The lists of a fresh machine are empty or old.
    install || { chroot "$root" apt-get update >"$view/log" 2>&1 && install; } || { cat "$view/log" >&2; exit 1; }
    # 5025: free on Debian.
    chroot "$root" useradd --create-home --uid 5025 --user-group all
    mkdir "$root/recipe"
    cp "$here/$1.sh" "$root/recipe/server.sh"
    failed=0
    for recipe in $(sed -n 's/^recipe_\([a-z_]*\)() {.*/\1/p' "$here/$1.sh"); do
        rm -rf "$root/home/all/Maildir"
        # A network of its own, where port 25 is free, and processes that end with the recipe.
        # shellcheck disable=SC2016 # expanded there
        unshare --net --uts --pid --fork --kill-child bash -euc '
            hostname mx.example.com
            mount -t proc proc "$1/proc"
            python3 "$2/check.py" loopback
            chroot "$1" bash -eu /recipe/server.sh "$3" >"$1/recipe/log" 2>&1 || { cat "$1/recipe/log" >&2; exit 1; }
            python3 "$2/check.py" "$4 $3" "$1/home/all/Maildir" "$1/recipe/rules" "$5"
        ' bash "$root" "$here" "$recipe" "$1" "$dropkeep" || failed=1
    done
    exit $failed
}
export -f one_server say
export here dropkeep view

failed=0
for server in "$@"; do
    [ -f "$here/$server.sh" ] || { say "there are no recipes for $server" >&2; exit 2; }
    unshare --mount --pid --fork --kill-child --propagation private bash -c 'one_server "$1"' bash "$server" || failed=1
done
exit $failed
