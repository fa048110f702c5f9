//! What is said to people: a sentence in English, and which one it is. Whoever speaks another language words it by its
//! code and by what it is about, and quotes what others said, as a server's answer, as it is.

mod code;

use std::{borrow::Borrow, fmt, ops::Deref};

use serde::{Deserialize, Serialize};

pub use code::Code;

/// A sentence, or a few. Written down it is its English text alone; who wants to know more of it keeps its [`Saying`], too.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Said(Box<Whole>);

/// All that is known of a sentence. Errors bear some, and are to stay small: so it is boxed.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct Whole {
    text: String,
    #[serde(flatten)]
    saying: Saying,
}

/// Which sentence it is.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Saying {
    #[serde(default, skip_serializing_if = "Code::is_plain")]
    pub code: Code,
    /// What it is about, in the order in which [`Code`] names it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub about: Vec<About>,
    /// Nobody tries again by themselves.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_hand: bool,
}

/// What a sentence is about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    Seconds(u64),
    Said(#[serde(with = "whole")] Said),
    #[serde(untagged)]
    Number(u64),
    /// A name, a command, what a server said: the same in all languages.
    #[serde(untagged)]
    Text(String),
}

/// The end of what to do about what only lasts: true where a schedule runs the profile.
pub const BY_ITSELF: &str = "It is tried again by itself.";
const BY_HAND: &str = "Run it again afterwards.";

impl Said {
    fn whole(text: String, saying: Saying) -> Self {
        Self(Box::new(Whole { text, saying }))
    }

    /// A sentence of this kind. [`said!`](crate::said!) makes its text of what it is about.
    pub fn new(code: Code, text: impl Into<String>, about: Vec<About>) -> Self {
        debug_assert_eq!(about.len(), code.about(), "what {code:?} is about");
        let by_hand = false;
        Self::whole(text.into(), Saying { code, about, by_hand })
    }

    /// What somebody else said, in whatever language.
    pub fn quoted(words: impl Into<String>) -> Self {
        let words = words.into();
        Self::new(Code::Quoted, words.clone(), vec![words.into()])
    }

    /// As it was kept; of an earlier version there is the text alone.
    pub fn kept(text: &str, saying: &Saying) -> Self {
        Self::whole(text.to_owned(), saying.clone())
    }

    /// The same, for what nobody runs again but who reads it.
    pub fn by_hand(mut self) -> Self {
        self.0.saying.by_hand |= self.0.text.contains(BY_ITSELF);
        self.map_text(|text| text.replace(BY_ITSELF, BY_HAND))
    }

    /// With another text, where that is the same in all languages.
    pub fn map_text(mut self, map: impl FnOnce(&str) -> String) -> Self {
        self.0.text = map(&self.0.text);
        self
    }

    pub fn saying(&self) -> &Saying {
        &self.0.saying
    }

    pub fn into_parts(self) -> (String, Saying) {
        (self.0.text, self.0.saying)
    }
}

impl Saying {
    /// Only its English text is known.
    pub fn is_plain(&self) -> bool {
        self.code.is_plain()
    }

    /// Those of sentences, in their order.
    pub fn all(said: &[Said]) -> Vec<Self> {
        said.iter().map(|said| said.saying().clone()).collect()
    }
}

/// What can be said.
pub trait Say {
    fn said(&self) -> Said;
}

impl Say for Said {
    fn said(&self) -> Said {
        self.clone()
    }
}

impl<T: Say + ?Sized> Say for &T {
    fn said(&self) -> Said {
        (**self).said()
    }
}

/// In English alone.
impl Say for str {
    fn said(&self) -> Said {
        self.into()
    }
}

impl Say for String {
    fn said(&self) -> Said {
        self.as_str().into()
    }
}

impl From<&str> for Said {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<String> for Said {
    fn from(text: String) -> Self {
        Self::whole(text, Saying::default())
    }
}

impl From<Said> for String {
    fn from(said: Said) -> Self {
        said.0.text
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl Deref for Said {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0.text
    }
}

impl Borrow<str> for Said {
    fn borrow(&self) -> &str {
        &self.0.text
    }
}

impl AsRef<str> for Said {
    fn as_ref(&self) -> &str {
        &self.0.text
    }
}

impl PartialEq<str> for Said {
    fn eq(&self, other: &str) -> bool {
        **self == *other
    }
}

impl PartialEq<&str> for Said {
    fn eq(&self, other: &&str) -> bool {
        **self == **other
    }
}

impl From<String> for About {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Said> for About {
    fn from(said: Said) -> Self {
        Self::Said(said)
    }
}

/// Turns what a sentence is about into what its saying keeps, by reference, as its text is made of it too.
pub trait ToAbout {
    fn about(&self) -> About;
}

macro_rules! about {
    ($($kind:ty: $name:ident => $about:expr;)*) => {
        $(impl ToAbout for $kind {
            fn about(&self) -> About {
                let $name = self;
                $about
            }
        })*
    };
}

about! {
    str: text => About::Text(text.to_owned());
    String: text => About::Text(text.clone());
    u64: number => About::Number(*number);
    u32: number => About::Number((*number).into());
    u16: number => About::Text(number.to_string());
    usize: number => About::Number(*number as u64);
    Said: said => said.clone().into();
    std::borrow::Cow<'_, str>: text => About::Text(text.clone().into_owned());
}

impl<T: ToAbout + ?Sized> ToAbout for &T {
    fn about(&self) -> About {
        (**self).about()
    }
}

/// A sentence of a kind: its English text, with what it is about in the places `{0}`, `{1}` and so on.
#[macro_export]
macro_rules! said {
    // What it is about is bound first, one after the other: it is looked at twice.
    (@bound $code:ident, $text:literal, [$($bound:ident)*]) => {
        $crate::said::Said::new(
            $crate::said::Code::$code,
            format!($text $(, $bound)*),
            vec![$($crate::said::ToAbout::about($bound)),*],
        )
    };
    (@bound $code:ident, $text:literal, [$($bound:ident)*] $about:expr $(, $rest:expr)*) => {
        match &$about {
            about => $crate::said!(@bound $code, $text, [$($bound)* about] $($rest),*),
        }
    };
    ($code:ident, $text:literal $(, $about:expr)* $(,)?) => {
        $crate::said!(@bound $code, $text, [] $($about),*)
    };
}

/// Shows an error as what it says.
#[macro_export]
macro_rules! error_as_said {
    ($error:ty) => {
        impl std::fmt::Display for $error {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                $crate::said::Say::said(self).fmt(f)
            }
        }

        impl std::error::Error for $error {}
    };
}

pub use crate::{error_as_said, said};

/// A sentence within another, with all that is known of it.
mod whole {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Said;

    pub fn serialize<S: Serializer>(said: &Said, serializer: S) -> Result<S::Ok, S::Error> {
        said.0.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Said, D::Error> {
        Deserialize::deserialize(deserializer).map(Said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_kept_with_what_it_is_about() {
        let inner = said!(ServerClosed, "the server closed the connection");
        let said = said!(NotGreeted, "{0} did not greet: {1}", "mail.example.com", inner);
        assert_eq!(said, "mail.example.com did not greet: the server closed the connection");
        let kept = serde_json::to_string(said.saying()).unwrap();
        let (text, saying) = said.clone().into_parts();
        assert_eq!(serde_json::from_str::<Saying>(&kept).unwrap(), saying);
        assert_eq!(Said::kept(&text, &saying), said);
    }

    #[test]
    fn what_a_newer_version_says_is_english_in_an_older_one() {
        let newer: Saying =
            serde_json::from_str(r#"{"code": "a_new_one", "about": ["x", 3, {"seconds": 5}]}"#).unwrap();
        assert!(newer.is_plain());
        assert_eq!(serde_json::from_str::<Saying>("{}").unwrap(), Saying::default());
    }
}
