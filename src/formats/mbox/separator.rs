//! Which lines that begins with `From ` stand between two messages.
//!
//! In a well-written mbox all of them. But some programs quote nothing, so a line counts only where it looks like
//! one that a program wrote: by what stands in it, by an empty line before it, and by a header behind it. Where these
//! do not agree there is doubt, and whoever imports says what counts: two messages taken for one would give somebody
//! another's mail.

use memchr::{memchr, memchr2};

use super::{
    MboxFrom,
    dates::{asctime, dated, is_day, resembles_date, words},
};
use crate::formats::kind::{begins_with_field, is_field_of_mail};

/// Bytes from the line's beginning that [`judge`] looks at: the line, and the first fields behind it.
pub(super) const LOOKAHEAD: usize = 4096;
/// Bytes of a `From ` line. Longer ones are text.
const LONGEST: usize = 1024;
/// Lines behind it that are looked at.
const FIELDS: usize = 40;
/// Fields of mail that show that a message's header begins; a single one is found in text, too.
const PLAINLY: usize = 2;

/// What a line is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    Separates,
    /// It may. `plain`: what is behind it is the header of a message.
    Doubtful {
        plain: bool,
    },
    Text,
}

/// What stands behind a line.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Behind {
    Text,
    /// A header field.
    Field,
    /// One field that mail has.
    OfMail,
    /// The header of a message.
    Mail,
}

/// What stands in a line.
enum Shape {
    /// A date, and before it what may be a sender: one word, an address, or nothing.
    Dated,
    /// A date behind other words.
    DatedText,
    /// What looks like a date in some language, behind an address or `-`.
    DateLike,
    /// The same behind another word.
    DateLikeText,
    /// Nothing, `-`, or an address.
    Bare,
    /// One word.
    Word,
    /// An address or `-`, and words behind it.
    Addressed,
    Text,
}

impl Shape {
    fn of(line: &[u8]) -> Self {
        let Some(words) = line.strip_prefix(b"From ").and_then(words) else {
            return Self::Text;
        };
        if let Some(found) = dated(&words).or_else(|| asctime(&words)) {
            return match &found.sender[..] {
                [] | [_] | [b"-", ..] => Self::Dated,
                sender if sender.iter().any(|word| is_address(word)) || sender[0].starts_with(b"\"") => Self::Dated,
                _ => Self::DatedText,
            };
        }
        let is_sender = |word: &[u8]| word == b"-" || is_address(word);
        match &words[..] {
            [] => Self::Bare,
            [word] if is_sender(word) => Self::Bare,
            [_] => Self::Word,
            [b"-", address, date @ ..] if is_address(address) && resembles_date(date) => Self::DateLike,
            [sender, date @ ..] if is_sender(sender) && (resembles_date(date) || is_day(date)) => Self::DateLike,
            [_, date @ ..] if resembles_date(date) || resembles_date(&words) => Self::DateLikeText,
            [word, ..] if is_sender(word) => Self::Addressed,
            _ => Self::Text,
        }
    }
}

/// Where the line behind a `From ` line begins. Where a CR ends it and no LF, that is behind the CR: what follows is a
/// message's.
pub(super) fn from_line_end(text: &[u8]) -> usize {
    let Some(at) = memchr2(b'\r', b'\n', text) else {
        return text.len();
    };
    let crs = text[at..].iter().take_while(|byte| **byte == b'\r').count();
    match text.get(at + crs) {
        Some(b'\n') => at + crs + 1,
        _ => at + crs.min(1),
    }
}

fn is_address(word: &[u8]) -> bool {
    word.contains(&b'@') && word.len() > 2
}

/// What the line is that `text` begins with. `blank`: an empty line is before it. `from`: what whoever imports says of it.
pub(super) fn judge(text: &[u8], blank: bool, from: Option<MboxFrom>) -> Verdict {
    let (line, rest) = text.split_at(from_line_end(text));
    if line.len() > LONGEST {
        return Verdict::Text;
    }
    let (shape, behind) = (Shape::of(line), behind(rest));
    let plain = behind == Behind::Mail;
    let separates = match shape {
        Shape::Dated => blank || behind >= Behind::Field,
        Shape::DatedText | Shape::DateLike | Shape::Bare => (blank && behind >= Behind::Field) || plain,
        Shape::Word => blank && behind >= Behind::OfMail,
        Shape::Addressed => blank && plain,
        Shape::DateLikeText => plain,
        Shape::Text => false,
    };
    let verdict = match shape {
        _ if separates => Verdict::Separates,
        Shape::Dated => Verdict::Doubtful { plain },
        Shape::DatedText if blank => Verdict::Doubtful { plain },
        Shape::Addressed if blank && behind >= Behind::Field => Verdict::Doubtful { plain },
        Shape::DateLike | Shape::Bare if behind >= Behind::Field => Verdict::Doubtful { plain },
        Shape::DateLikeText if blank && behind >= Behind::Field => Verdict::Doubtful { plain },
        _ if plain => Verdict::Doubtful { plain },
        _ => Verdict::Text,
    };
    match (from, verdict) {
        (_, Verdict::Text) | (None, _) => verdict,
        (Some(MboxFrom::Loose), _) => Verdict::Separates,
        (Some(MboxFrom::Strict), _) => match matches!(shape, Shape::Dated) && blank && behind >= Behind::Field {
            true => Verdict::Separates,
            false => Verdict::Doubtful { plain },
        },
    }
}

/// Looks at the first lines of what stands behind a line.
fn behind(mut text: &[u8]) -> Behind {
    let (mut found, mut of_mail) = (Behind::Text, 0);
    for _ in 0..FIELDS {
        let end = memchr(b'\n', text).map_or(text.len(), |end| end + 1);
        let (line, rest) = text.split_at(end);
        text = rest;
        let is_folded = found > Behind::Text && matches!(line, [b' ' | b'\t', ..]);
        if line.starts_with(b">From ") || is_folded {
            found = found.max(Behind::Field);
            continue;
        }
        if !begins_with_field(line) {
            break;
        }
        found = found.max(Behind::Field);
        of_mail += usize::from(is_field_of_mail(line));
        match of_mail {
            0 => {}
            PLAINLY.. => return Behind::Mail,
            _ => found = Behind::OfMail,
        }
    }
    found
}

/// Whether the first line of `text` has nothing but a date and a sender.
pub fn is_dated(text: &[u8]) -> bool {
    let line = &text[..from_line_end(text)];
    line.len() <= LONGEST && matches!(Shape::of(line), Shape::Dated)
}

/// The date in a `From ` line, in seconds since 1970, taken as UTC.
pub(super) fn date(line: &[u8]) -> Option<i64> {
    let line = &line[..memchr(b'\n', line).unwrap_or(line.len())];
    let words = words(line.strip_prefix(b"From ")?)?;
    dated(&words).or_else(|| asctime(&words))?.seconds
}

#[cfg(test)]
#[path = "separator_tests.rs"]
mod tests;
