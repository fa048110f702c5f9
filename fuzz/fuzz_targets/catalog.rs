//! The bytes of the catalog's values and keys, and blocks.

#![no_main]

use dropkeep::archive::fuzzing::{TABLES, pack_block, read_block, value};
use dropkeep_fuzz::{Bounded, choices};
use libfuzzer_sys::fuzz_target;

#[global_allocator]
static MEMORY: Bounded = Bounded::new();

/// The longest block that is read, in bytes. A right digest is the writer's word that it is as long as it says.
const LONGEST: u32 = 2 << 20;

fuzz_target!(|input: &[u8]| {
    let ([which], bytes) = choices(input);
    match which % (TABLES + 2) {
        table if table < TABLES => value(table, bytes),
        table if table == TABLES => pack_block(u64::from(which), bytes),
        _ => {
            let ([number, codec, a, b, c, d, most], payload) = choices(bytes);
            let length = u32::from_le_bytes([a, b, c, d]) % LONGEST;
            let most = if most & 1 == 1 {
                usize::MAX
            } else {
                usize::from(most) << 3
            };
            read_block(u64::from(number), codec & 3, u64::from(length), most, payload);
        }
    }
});
