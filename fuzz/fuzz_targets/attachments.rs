//! Bodies and attachments of any kind, as they are read for the index. PDF is left out: its reader is known to panic, and
//! for that is in a process of its own.

#![no_main]

use dropkeep::extract::{Kind, Mail, fuzzing::read};
use dropkeep_fuzz::{Bounded, choices};
use libfuzzer_sys::fuzz_target;

#[global_allocator]
static MEMORY: Bounded = Bounded::new();

/// Bytes of text that are taken.
const MOST: usize = 100_000;

fuzz_target!(|input: &[u8]| {
    let ([kind], file) = choices(input);
    let kind = Kind::ALL[usize::from(kind) % Kind::ALL.len()];
    assert!(read(kind, file, MOST).len() <= MOST);
    let mail = Mail::read(file);
    mail.body();
    for attachment in mail.attachments() {
        Kind::of(attachment.name(), attachment.content_type(), &attachment.bytes());
    }
});
