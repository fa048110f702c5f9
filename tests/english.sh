#!/bin/sh
# Looks for the turns of phrase of english.txt in everything that a person reads: messages, help, comments, documents.
set -eu
cd "$(dirname "$0")/.."

patterns=$(mktemp)
trap 'rm -f "$patterns"' EXIT
grep -v '^#' tests/english.txt | cut -f 1 >"$patterns"

found=$(git ls-files -co --exclude-standard -- '*.md' '*.rs' '*.toml' '*.yml' '*.sh' '*.py' '*.json' '*.service' Makefile |
    grep -vE '^(CHANGELOG\.md|tests/english\.sh|tests/stores/|proptest-regressions/)' |
    xargs -d '\n' grep -nHiE -f "$patterns" || true)
if [ -n "$found" ]; then
    echo "$found"
    echo
    echo "$(echo "$found" | wc -l) lines have a turn of phrase that we do not use; tests/english.txt says what to write in its place." >&2
    exit 1
fi
