#!/bin/sh
# Runs all tests, several at a time (JOBS): most of them wait for servers and time-outs more than they compute. Each file
# of a test program runs as a process of its own, with a line for it, and the whole output of those that fail.
set -eu
cd "$(dirname "$0")/.."
jobs=${JOBS:-5}
logs=$(mktemp -d)
work=
trap 'rm -rf "$logs" ${work:+"$work"}' EXIT
trap 'exit 130' INT TERM

# A quarter of the time goes to the disk, where files are not in memory. There must be room for those of all programs
# at once, which is some 2 GiB, and for the programs.
room() {
    df -Pk "$1" 2>/dev/null | awk 'NR == 2 { print $4 }'
}
free=$(room /dev/shm)
memory=$(awk '/^MemAvailable/ { print $2 }' /proc/meminfo)
in_memory=
if [ -z "${TMPDIR:-}" ] && [ "${free:-0}" -gt 4194304 ] && [ "${memory:-0}" -gt 8388608 ]; then
    in_memory=yes
else
    # Where it is full, tests fail over what they are not about.
    folder=${TMPDIR:-/tmp}
    free=$(room "$folder")
    if [ -n "$free" ] && [ "$free" -lt 3145728 ]; then
        echo "Only $((free / 1024)) MiB are free in $folder, where the tests put up to 3 GiB of files: some may fail." >&2
        echo "Make room there, or name another folder: TMPDIR=/some/folder make test" >&2
    fi
fi

# Builds in plain sight; "Executable tests/x/main.rs (target/…/x-0123)" names the program.
: >"$logs/build"
cargo test --no-run 2>"$logs/build" &
build=$!
tail -f --pid="$build" "$logs/build" >&2
wait "$build"

if [ -n "$in_memory" ]; then
    work=$(mktemp -d -p /dev/shm)
    # Mail servers look into it as other users.
    chmod 755 "$work"
    export TMPDIR="$work"
    echo "Temporary files are in memory, in $work (TMPDIR=/tmp: on the disk)."
fi

# For each file a list of its tests, "PROGRAM" in the first line; what is not in a module is the program's own.
sed -n 's/^ *Executable \(unittests \)\{0,1\}.*(\(.*\))$/\2 \1/p' "$logs/build" | while read -r program unit; do
    name=$(basename "$program" | sed 's/-[0-9a-f]*$//')
    "$program" --list --format terse | sed -n 's/: test$//p' | awk -v program="$program" -v name="$name" -v unit="$unit" \
        -v logs="$logs" '{
            file = name
            if (unit == "" && split($0, parts, "::") > 1) file = name "." parts[1]
            list = logs "/" file ".tests"
            if (!seen[file]++) print program > list
            print > list
        }'
done

# The longest first, so that none is left over at the end.
longest='servers.hostile dropkeep archive.crash console.usable appliance.status console.hostile console.wizard appliance.monitoring
    archive.verify console.journeys servers.bad_source appliance.notify appliance.http archive.export web.readers archive.upgrade
    archive.missing search.hardy console.forms archive.import'
{
    for name in $longest; do echo "$logs/$name.tests"; done
    ls "$logs"/*.tests
} | awk '!seen[$0]++' >"$logs/order"

cat >"$logs/one" <<'END'
log=${2%.tests}.log
name=$(basename "$2" .tests)
# These wait for time-outs nearly all of the time.
case $name in appliance.status | appliance.notify | appliance.http | archive.missing | servers.bad_source | web.readers)
    export RUST_TEST_THREADS=6 ;;
esac
began=$(date +%s)
if { read -r program; tr '\n' '\0' | xargs -0 "$program" --exact >"$log" 2>&1; } <"$2"; then verdict=ok; else
    verdict=FAILED
    echo "$log" >>"$1/failed"
fi
tests=$(sed -n 's/^test result: [a-zA-Z]*\. \([0-9]* passed\).*/\1/p' "$log")
took=$(($(date +%s) - began))
# What it and all that it started took of the processors: user and system, of the children.
times >"$log.times"
spent=$(awk 'NR == 2 { split($1, own, /[ms]/); split($2, its, /[ms]/)
    print int(60 * own[1] + own[2]) " + " int(60 * its[1] + its[2]) }' "$log.times")
printf '%-24s %-7s %-14s %4d s, %s s of processors\n' "$name" "$verdict" "$tests" "$took" "$spent"
END
xargs -P "$jobs" -n 1 sh "$logs/one" "$logs" <"$logs/order" || true

if [ -s "$logs/failed" ]; then
    while read -r log; do
        echo
        cat "$log"
    done <"$logs/failed"
    echo
    echo "Failed: $(sed 's/.*\///; s/\.log$//' "$logs/failed" | tr '\n' ' ')(one alone: cargo test --test PROGRAM FILE::)"
    exit 1
fi
cargo test --quiet --doc
# The sum, in cargo's own words: there is no doc test yet, and "0 passed" is not what the last line should say.
cat "$logs"/*.log | awk '/^test result: / { passed += $4; failed += $6; ignored += $8 }
    END { printf "test result: ok. %d passed; %d failed; %d ignored; in all test programs\n", passed, failed, ignored }'
