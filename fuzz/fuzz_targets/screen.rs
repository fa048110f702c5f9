//! What an IMAP server sends, on its way to the parser: framed, screened, and brought to the letter.

#![no_main]

use dropkeep::source::imap_fuzzing::stream;
use dropkeep_fuzz::{Bounded, choices};
use libfuzzer_sys::fuzz_target;

#[global_allocator]
static MEMORY: Bounded = Bounded::new();

fuzz_target!(|input: &[u8]| {
    let ([piece], said) = choices(input);
    stream(said, usize::from(piece));
});
