//! A session over IMAP, whatever the server sends.

#![no_main]

use dropkeep::config::Access;
use dropkeep_fuzz::{Bounded, Played, Watched, choices, journey, server};
use libfuzzer_sys::fuzz_target;

#[global_allocator]
static MEMORY: Bounded = Bounded::new();

/// Where panics are caught by the session: async-imap's parser has some.
const CAUGHT: [&str; 3] = ["/async-imap-", "/imap-proto-", "/nom-"];

fuzz_target!(
    init: {
        let ends = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let file = panic.location().map_or("", |place| place.file());
            if !CAUGHT.iter().any(|package| file.contains(package)) {
                ends(panic);
            }
        }));
    },
    |input: &[u8]| {
        let ([how, at, with, pieces], said) = choices(input);
        let server = server([Access::Imap, Access::ImapTls], at);
        let watched = Watched::new(with, &server.username);
        let journey = journey(&server, &watched, Played::new(said, pieces), how);
        for (_, one) in journey.fetched.iter().filter(|_| !journey.inflated) {
            let as_it_is = memchr::memmem::find(said, &one.bytes).is_some();
            assert!(as_it_is || was_quoted(&one.bytes, said), "it was not sent: {}", one.bytes.escape_ascii());
        }
    }
);

/// Whether a message was sent as a quoted string, with its escapes (RFC 9051, 4.3).
fn was_quoted(message: &[u8], said: &[u8]) -> bool {
    let mut starts = memchr::memchr_iter(b'"', said);
    starts.any(|start| {
        let mut rest = said[start + 1..].iter();
        let mut unescaped = std::iter::from_fn(|| match (rest.next(), rest.as_slice().first()) {
            (Some(b'\\'), Some(b'\\' | b'"')) => rest.next(),
            (other, _) => other,
        });
        message.iter().all(|byte| unescaped.next() == Some(byte))
    })
}
