//! How tables of texts are written: each text in both languages, beside each other.

/// A table of texts; whoever has one has it as `ENGLISH` and as `GERMAN`.
macro_rules! texts {
    ($($name:ident: $english:literal, $german:literal;)*) => {
        pub struct Texts { $(pub $name: &'static str,)* }
        pub static ENGLISH: Texts = Texts { $($name: $english,)* };
        pub static GERMAN: Texts = Texts { $($name: $german,)* };

        #[test]
        fn no_text_is_empty() {
            for (english, german) in [$(($english, $german)),*] {
                assert!(!english.trim().is_empty() && !german.trim().is_empty());
            }
        }
    };
}

pub(super) use texts;
