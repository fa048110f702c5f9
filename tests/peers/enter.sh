#!/bin/bash
# Runs a server in the foreground: `enter.sh ROOT FOLDER [NAME=PATH]…`, as the first process of process and mount
# namespaces of its own. ROOT is what install.sh made. FOLDER, one server's own, is ROOT/peer while it runs, and what is
# called NAME in it is PATH in ROOT. FOLDER/start starts the server and ends with it.
# When standard input ends, or the server, this ends, and every process and mount with it.
set -euo pipefail

root=$1
folder=$2
shift 2
mount --bind "$folder" "$root/peer"
for bind in "$@"; do
    mount --bind "$folder/${bind%%=*}" "$root${bind#*=}"
done
mount -t proc proc "$root/proc"
chroot "$root" bash /peer/start </dev/null &
cat <&0 >/dev/null &
wait -n
