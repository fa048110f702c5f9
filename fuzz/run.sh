#!/bin/sh
# Runs one fuzz target for some seconds: run.sh TARGET SECONDS. What it learns stays in fuzz/corpus, what it finds in
# fuzz/artifacts.
set -eu
cd "$(dirname "$0")/.."
target=$1
seconds=$2

if [ ! -f "fuzz/fuzz_targets/$target.rs" ]; then
    echo "No fuzz target is named $target. There are: $(cd fuzz/fuzz_targets && echo *.rs | sed 's/\.rs//g')" >&2
    exit 2
fi
case $target in
    imap | pop3 | config | query | strangers) words=$target ;;
    screen) words=imap ;;
    recipients | journal | addresses | attachments) words=mail ;;
    *) words= ;;
esac
mkdir -p "fuzz/corpus/$target"
echo "Fuzzing $target for $seconds seconds."
# The compiler is a stable one; its flags for fuzzing are not, and are for these targets only.
RUSTC_BOOTSTRAP=1 cargo fuzz run --release --sanitizer none "$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -- \
    -max_total_time="$seconds" -rss_limit_mb=512 -timeout=60 -max_len=16384 -print_final_stats=1 \
    ${words:+-dict=fuzz/dictionaries/$words}
