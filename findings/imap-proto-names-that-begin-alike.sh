#!/bin/bash
# imap-proto 0.17.0 (below async-imap 0.12): a LIST attribute or a capability whose name only begins like one that it knows
# makes it refuse the whole line, and so does a CAPABILITY answer of a server that speaks IMAP4rev2 alone (RFC 9051, 7.2.2
# and 7.3.1 allow all of these). Expected from memory: unknown names are taken as extensions, as `\Foo` and `FOO` are.
#
# So a client that reads a listing of folders with it loses the folder, or the session, over an attribute such as \AllMail.
set -euo pipefail
version=0.17.0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cargo init --quiet --name finding --vcs none . 2>/dev/null
cargo add --quiet "imap-proto@=$version" 2>/dev/null
cat > src/main.rs <<'RUST'
fn main() {
    let lines: [&[u8]; 7] = [
        b"* LIST (\\Foo) \"/\" mail\r\n",
        b"* LIST (\\All) \"/\" mail\r\n",
        b"* LIST (\\AllMail) \"/\" mail\r\n",
        b"* CAPABILITY IMAP4rev1 FOO\r\n",
        b"* CAPABILITY IMAP4rev1 AUTH=PLAIN IMAP4rev2\r\n",
        b"* CAPABILITY IMAP4rev1 IMAP4rev1X\r\n",
        b"* CAPABILITY IMAP4rev2 AUTH=PLAIN\r\n",
    ];
    for line in lines {
        let read = match imap_proto::Response::parse(line) {
            Ok((b"", _)) => "read",
            Ok(_) => "read in part",
            Err(_) => "refused",
        };
        println!("{read}: {}", String::from_utf8_lossy(line).trim_end());
    }
}
RUST
seen=$(cargo run --quiet)
expected='read: * LIST (\Foo) "/" mail
read: * LIST (\All) "/" mail
refused: * LIST (\AllMail) "/" mail
read: * CAPABILITY IMAP4rev1 FOO
read: * CAPABILITY IMAP4rev1 AUTH=PLAIN IMAP4rev2
refused: * CAPABILITY IMAP4rev1 IMAP4rev1X
refused: * CAPABILITY IMAP4rev2 AUTH=PLAIN'
echo "imap-proto $version:"
echo "$seen"
[ "$seen" = "$expected" ] || { echo "This has changed; seen before:"; echo "$expected"; exit 1; }
