#!/bin/bash
# encoding_rs 0.8.35: its ISO-2022-JP takes an escape right behind another one for an error, and puts U+FFFD there (the
# Encoding Standard, "ISO-2022-JP output flag"). Expected from memory: a switch to ASCII and back at once is nothing.
#
# In mail that stands wherever the octets of two encoded words (RFC 2047) are joined before they are decoded, as has to be done
# for other charsets, whose letters may be cut between words: each word ends in ASCII (RFC 1468). Python decodes it.
set -euo pipefail
version=0.8.35
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cargo init --quiet --name finding --vcs none . 2>/dev/null
cargo add --quiet "encoding_rs@=$version" 2>/dev/null
cat > src/main.rs <<'RUST'
fn main() {
    let (one, other) = (&b"\x1b$B$3\x1b(B"[..], &b"\x1b$B$s\x1b(B"[..]);
    for text in [one, other, &[one, other].concat()] {
        let (decoded, malformed) = encoding_rs::ISO_2022_JP.decode_without_bom_handling(text);
        println!("{decoded} malformed={malformed}");
    }
}
RUST
seen=$(cargo run --quiet)
expected='こ malformed=false
ん malformed=false
こ�ん malformed=true'
echo "encoding_rs $version:"
echo "$seen"
[ "$seen" = "$expected" ] || { echo "This has changed; seen before:"; echo "$expected"; exit 1; }
