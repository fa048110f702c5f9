//! Queries: any text is one, or an error that knows where it stands; and as text again it means the same.

#![no_main]

use dropkeep::search::parse;
use dropkeep_fuzz::Bounded;
use libfuzzer_sys::fuzz_target;

#[global_allocator]
static MEMORY: Bounded = Bounded::new();

fuzz_target!(|text: &str| {
    match parse(text) {
        Ok(query) => {
            let again = query.to_string();
            match parse(&again) {
                Ok(same) => assert_eq!(same, query, "{again}"),
                // With the words that mean the same it can be longer than a query may be.
                Err(error) => assert!(error.why.contains("longer than"), "{again}: {error}"),
            }
        }
        Err(error) => assert!(text.get(error.at.clone()).is_some(), "{error:?}"),
    }
});
