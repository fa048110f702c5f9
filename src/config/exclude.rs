//! `[profile.exclude]`: which copies a run leaves alone.

use serde::{Deserialize, Deserializer};

use super::{ByteSize, Span, values::from_text};

/// `[profile.exclude]`: a copy to which any of this applies is left where it is, and counted as excluded. It is judged
/// again in each run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Exclude {
    /// By when the server got it (IMAP), else by its header.
    pub older_than: Option<Span>,
    pub newer_than: Option<Span>,
    pub larger_than: Option<ByteSize>,
    /// IMAP flags and keywords, such as `\Deleted` and `$Junk`.
    pub flags: Vec<String>,
    /// `Name`, or `Name: pattern`.
    pub headers: Vec<HeaderPattern>,
}

impl Exclude {
    /// Whether nothing is excluded.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A header field, or what it may say: `List-Id`, `X-Spam-Flag: YES`, `Subject: [test] *`. In a pattern `*` stands for
/// any characters; upper and lower case are the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderPattern {
    pub name: String,
    /// `None`: the field is there at all.
    pub pattern: Option<String>,
}

impl HeaderPattern {
    pub fn parse(text: &str) -> Option<Self> {
        let (name, pattern) = match text.split_once(':') {
            Some((name, pattern)) => (name, Some(pattern.trim().to_lowercase())),
            None => (text, None),
        };
        let name = name.trim();
        let visible = |byte: u8| (33..=126).contains(&byte);
        (!name.is_empty() && name.bytes().all(visible)).then(|| Self {
            name: name.to_owned(),
            pattern: pattern.filter(|pattern| !pattern.is_empty()),
        })
    }

    /// Whether the text of a field of this name is meant.
    pub fn matches(&self, value: &str) -> bool {
        let Some(pattern) = &self.pattern else { return true };
        let value = value.trim().to_lowercase();
        let mut pieces = pattern.split('*');
        let first = pieces.next().unwrap_or_default();
        let Some(mut rest) = value.strip_prefix(first) else {
            return false;
        };
        let mut last = None;
        for piece in pieces {
            if let Some(piece) = last.replace(piece) {
                // The first place is as good as any: what is left is the longest.
                match rest.find(piece) {
                    Some(at) => rest = &rest[at + piece.len()..],
                    None => return false,
                }
            }
        }
        last.map_or(rest.is_empty(), |last| rest.ends_with(last))
    }
}

impl<'de> Deserialize<'de> for HeaderPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, "a header field's name, or \"Name: pattern\"", Self::parse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_values() {
        for (pattern, value, matched) in [
            ("X-Spam-Flag: YES", " yes ", true),
            ("X-Spam-Flag: YES", "yes, very", false),
            ("X-Spam-Flag", "no", true),
            ("Subject: [test]*", "[TEST] hello", true),
            ("Subject: *newsletter*", "Our Newsletter of May", true),
            ("Subject: *a*b", "a-b-ab", true),
            ("Subject: a*a", "a", false),
            ("Subject: *ab*b", "ab", false),
            ("Subject: *", "", true),
        ] {
            assert_eq!(
                HeaderPattern::parse(pattern).unwrap().matches(value),
                matched,
                "{pattern}"
            );
        }
        assert_eq!(HeaderPattern::parse(": x"), None);
        assert_eq!(HeaderPattern::parse("two words: x"), None);
    }
}
