//! The addresses in a field, and what people write as one.

#![no_main]

use dropkeep::{
    identify::{addresses, received_for},
    message::Address,
};
use dropkeep_fuzz::Bounded;
use libfuzzer_sys::fuzz_target;

#[global_allocator]
static MEMORY: Bounded = Bounded::new();

fuzz_target!(|value: &[u8]| {
    let found = addresses(value);
    // Encoded words say it in other letters.
    let is_plain = value.is_ascii() && memchr::memmem::find(value, b"=?").is_none();
    let signs = memchr::memchr_iter(b'@', value).count();
    assert!(!is_plain || found.len() <= signs, "{found:?} of {signs}");
    for address in found.iter().chain(&received_for(value)) {
        normal(address);
        let others = [address.without_tag(), address.without_prefix("a")];
        others.iter().flatten().for_each(normal);
        if is_plain {
            let mut text = value.to_ascii_lowercase();
            text.retain(|byte| !b"\\\r\n".contains(byte));
            let mut letters = address.as_str().split(|c: char| !c.is_ascii_alphanumeric());
            assert!(
                letters.all(|letters| memchr::memmem::find(&text, letters.as_bytes()).is_some()),
                "{address} is not named",
            );
        }
    }
    let Ok(text) = std::str::from_utf8(value) else { return };
    for address in Address::parse(text).iter().chain(&Address::parse_strict(text)) {
        normal(address);
    }
    if let Ok(entry) = Address::parse_entry(text) {
        assert_eq!(Address::parse_entry(entry.as_str()), Ok(entry));
    }
});

/// An address has one form, which is its own.
fn normal(address: &Address) {
    assert_eq!(Address::parse(address.as_str()).as_ref(), Some(address));
}
