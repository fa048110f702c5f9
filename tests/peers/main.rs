//! The journey against mail servers other than Dovecot: Cyrus IMAP and Courier, as Debian has them.
//!
//! Their packages conflict with Dovecot's, so each lies in a small Debian of its own, which takes root and a while to
//! make. That is why these tests are ignored by `cargo test`; `make test-peers` makes the roots and runs them.
//! docs/servers.md has what they found.

#[path = "../support/mod.rs"]
mod support;

mod courier;
mod cyrus;
mod deletion;
mod folders;
mod journey;
mod lmtp;
mod mail;
mod server;

pub const DROPKEEP: &str = env!("CARGO_BIN_EXE_dropkeep");

fn facts(kind: &'static server::Kind) {
    use std::io::Write;
    let server = server::Server::start(kind);
    for (name, message) in mail::odd() {
        if message.len() > 1_000 {
            continue;
        }
        let before = server.pull("imap").len();
        let refused = (kind.deliver)(&server, vec![message.clone()]);
        let imap = server.pull("imap");
        let pop3 = server.pull("pop3");
        let mut e = std::io::stderr();
        let _ = writeln!(
            e,
            "== {name}\n  in   {:?}",
            String::from_utf8_lossy(&message).chars().take(300).collect::<String>()
        );
        for (_, words) in refused {
            let _ = writeln!(e, "  REFUSED {words}");
        }
        if imap.len() > before {
            let _ = writeln!(e, "  imap {}", imap.last().unwrap().escape_ascii());
            let _ = writeln!(e, "  pop3 {}", pop3.last().unwrap().escape_ascii());
        }
    }
    let _ = writeln!(std::io::stderr(), "seen: {}", server.count("SEEN"));
}
