//! How tables of texts are written: each text in both languages, beside each other.

/// A table of texts; `of` gives it in a language.
macro_rules! texts {
    ($($name:ident: $english:literal, $german:literal;)*) => {
        pub struct Texts { $(pub $name: &'static str,)* }
        static ENGLISH: Texts = Texts { $($name: $english,)* };
        static GERMAN: Texts = Texts { $($name: $german,)* };

        pub fn of(language: $crate::console::language::Language) -> &'static Texts {
            match language {
                $crate::console::language::Language::English => &ENGLISH,
                $crate::console::language::Language::German => &GERMAN,
            }
        }

        #[cfg(test)]
        const ALL: &[(&str, &str)] = &[$(($english, $german)),*];

        #[test]
        fn no_text_is_empty() {
            for (english, german) in ALL {
                assert!(!english.trim().is_empty() && !german.trim().is_empty());
            }
        }
    };
}

pub(super) use texts;
