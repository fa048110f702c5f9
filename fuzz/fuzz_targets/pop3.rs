//! A session over POP3, whatever the server sends.

#![no_main]

use dropkeep::config::Access;
use dropkeep_fuzz::{Bounded, Played, Watched, choices, journey, server};
use libfuzzer_sys::fuzz_target;

#[global_allocator]
static MEMORY: Bounded = Bounded::new();

fuzz_target!(|input: &[u8]| {
    let ([how, at, with, pieces], said) = choices(input);
    let server = server([Access::Pop3, Access::Pop3Tls], at);
    let watched = Watched::new(with, &server.username);
    let journey = journey(&server, &watched, Played::new(said, pieces), how);
    for (_, one) in &journey.fetched {
        assert!(
            was_sent(&one.bytes, said),
            "it was not sent: {}",
            one.bytes.escape_ascii()
        );
    }
});

/// Whether a message stands in what was said, behind some line, with its end. Of two dots that a line begins with one goes (RFC 1939, 3).
fn was_sent(message: &[u8], said: &[u8]) -> bool {
    let mut ends = memchr::memchr_iter(b'\n', said);
    ends.any(|end| {
        let mut rest = &said[end + 1..];
        for (at, byte) in message.iter().enumerate() {
            if at == 0 || message[..at].ends_with(b"\r\n") {
                rest = if rest.starts_with(b"..") { &rest[1..] } else { rest };
            }
            match rest.split_first() {
                Some((first, others)) if first == byte => rest = others,
                _ => return false,
            }
        }
        rest.starts_with(b".\r\n")
    })
}
