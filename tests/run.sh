#!/bin/sh
# Runs all tests, several test programs at a time (JOBS): most of them wait for servers and time-outs more than they
# compute. Shows a line for each program, and the whole output of those that fail.
set -eu
cd "$(dirname "$0")/.."
jobs=${JOBS:-3}
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT INT TERM

# Builds in plain sight; "Executable tests/x.rs (target/…/x-0123)" names the program.
cargo test --no-run 2>"$logs/build" &
build=$!
tail -f --pid="$build" "$logs/build" >&2
wait "$build"
sed -n 's/^ *Executable .*(\(.*\))$/\1/p' "$logs/build" >"$logs/all"

# The longest first, so that none is left over at the end.
longest='hostile verify crash monitoring export journey bad_source notify interrupted http who_got_what'
{
    for name in $longest; do grep -- "/$name-[0-9a-f]*\$" "$logs/all" || true; done
    cat "$logs/all"
} | awk '!seen[$0]++' >"$logs/order"

cat >"$logs/one" <<'END'
log=$1/$(basename "$2").log
name=$(basename "$2" | sed 's/-[0-9a-f]*$//')
began=$(date +%s)
if "$2" >"$log" 2>&1; then verdict=ok; else
    verdict=FAILED
    echo "$log" >>"$1/failed"
fi
tests=$(sed -n 's/^test result: [a-zA-Z]*\. \([0-9]* passed\).*/\1/p' "$log")
printf '%-22s %-7s %-14s %4d s\n' "$name" "$verdict" "$tests" "$(($(date +%s) - began))"
END
xargs -P "$jobs" -n 1 sh "$logs/one" "$logs" <"$logs/order" || true

if [ -s "$logs/failed" ]; then
    while read -r log; do
        echo
        cat "$log"
    done <"$logs/failed"
    echo
    echo "Failed: $(sed 's/.*\///; s/-[0-9a-f]*\.log$//' "$logs/failed" | tr '\n' ' ')(one alone: cargo test --test NAME)"
    exit 1
fi
cargo test --quiet --doc
# The sum, in cargo's own words: there is no doc test yet, and "0 passed" is not what the last line should say.
cat "$logs"/*.log | awk '/^test result: / { passed += $4; failed += $6; ignored += $8 }
    END { printf "test result: ok. %d passed; %d failed; %d ignored; in all test programs\n", passed, failed, ignored }'
