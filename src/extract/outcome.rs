//! What came of reading an attachment, and how often that was.

use super::kind::Kind;

/// An attachment, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extracted {
    /// Empty where nothing could be read.
    pub text: String,
    pub kind: Kind,
    pub outcome: Outcome,
}

/// How reading an attachment ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Read,
    /// There is more in it than was read, and why: it is longer than what is indexed, or a part of it is broken.
    Partly(String),
    /// It is of a kind that has no text, or whose text is not looked for.
    NotText,
    /// It is broken, or encrypted; in words that quote nothing of it.
    Unreadable(String),
    /// It is larger than what is read.
    TooLarge,
    /// Reading it took longer than it may.
    TimedOut,
    /// Reading it took more memory than it may.
    OutOfMemory,
    /// The process that read it ended.
    Crashed,
    /// There is no process that reads, and why: it says nothing of the attachment.
    NotStarted(String),
}

impl Outcome {
    /// The words that metrics and lists have for them, in the order of [`Counts`].
    pub const WORDS: [&str; 9] = [
        "read",
        "partly",
        "not_text",
        "unreadable",
        "too_large",
        "timed_out",
        "out_of_memory",
        "crashed",
        "not_started",
    ];

    /// Those of them that do not say that a text is missing.
    pub const SAYS_NOTHING: [&str; 3] = ["read", "not_text", "not_started"];

    fn place(&self) -> usize {
        match self {
            Self::Read => 0,
            Self::Partly(_) => 1,
            Self::NotText => 2,
            Self::Unreadable(_) => 3,
            Self::TooLarge => 4,
            Self::TimedOut => 5,
            Self::OutOfMemory => 6,
            Self::Crashed => 7,
            Self::NotStarted(_) => 8,
        }
    }

    /// The word for it.
    pub fn as_str(&self) -> &'static str {
        Self::WORDS[self.place()]
    }

    /// Why, in words.
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Partly(why) | Self::Unreadable(why) | Self::NotStarted(why) => Some(why),
            _ => None,
        }
    }

    /// Whether all was read that is to be read.
    pub fn is_whole(&self) -> bool {
        matches!(self, Self::Read | Self::NotText)
    }
}

/// How many attachments were read, by kind and outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts([[u64; Outcome::WORDS.len()]; Kind::ALL.len()]);

impl Counts {
    pub fn add(&mut self, kind: Kind, outcome: &Outcome) {
        self.0[kind as usize][outcome.place()] += 1;
    }

    /// Those that are not zero: the kind, the word for the outcome, how many.
    pub fn iter(&self) -> impl Iterator<Item = (Kind, &'static str, u64)> {
        let kinds = Kind::ALL.into_iter().zip(&self.0);
        let each = kinds.flat_map(|(kind, counts)| {
            let words = Outcome::WORDS.into_iter().zip(counts);
            words.map(move |(word, count)| (kind, word, *count))
        });
        each.filter(|(_, _, count)| *count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_is_counted_under_its_word() {
        let mut counts = Counts::default();
        for (place, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, place);
        }
        counts.add(Kind::Pdf, &Outcome::Crashed);
        counts.add(Kind::Text, &Outcome::Read);
        counts.add(Kind::Pdf, &Outcome::Crashed);
        let all: Vec<_> = counts.iter().collect();
        assert_eq!(all, [(Kind::Text, "read", 1), (Kind::Pdf, "crashed", 2)]);
    }
}
