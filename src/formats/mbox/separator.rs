//! Which lines that begin with `From ` separate two messages.
//!
//! In a well-written mbox, all of them. But some programs quote nothing, so a line counts only if it looks like one
//! that a program wrote: by what is in it, by an empty line before it, and by a header after it. If these do not agree
//! there is doubt, and whoever imports decides: two messages taken for one would give somebody another person's mail.

use memchr::{memchr, memchr2};

use super::dates::{asctime, dated, is_day, is_moment, resembles_date, words};
use crate::{
    api::MboxFrom,
    formats::kind::{BYTE_ORDER_MARK, begins_with_field, is_field_of_mail},
    identify::{self, is_from_line},
};

/// Bytes from the line's beginning that [`judge`] looks at: the line, and the first fields behind it.
pub(super) const LOOKAHEAD: usize = 4096;
/// Bytes of a `From ` line. Longer ones are text.
const LONGEST: usize = 1024;
/// Lines that are not fields and are passed over before and in a header, as in that of a single message.
const BROKEN: usize = 20;
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
    /// A date, and before it what may be a sender: one word, or an address.
    Dated,
    /// A date and nothing else, as in a text that says from when on.
    DateAlone,
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
        if let Some(before) = dated(&words).or_else(|| asctime(&words)) {
            return match &words[..before] {
                [] => Self::DateAlone,
                [_] | [b"-", ..] => Self::Dated,
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

/// What the line is that `text` begins with. `blank`: an empty line is before it. `from`: what whoever imports says of
/// it.
pub(super) fn judge(text: &[u8], blank: bool, from: Option<MboxFrom>) -> Verdict {
    let (line, rest) = text.split_at(from_line_end(text));
    if line.len() > LONGEST {
        return Verdict::Text;
    }
    let lines = Lines {
        rest,
        cr: line.ends_with(b"\r"),
    };
    let (shape, (behind, is_open)) = (Shape::of(line), behind(lines, text.len() >= LOOKAHEAD));
    let separates = match shape {
        Shape::Dated => blank || behind >= Behind::Field,
        Shape::DatedText | Shape::DateLike | Shape::Bare => {
            (blank && behind >= Behind::Field) || behind == Behind::Mail
        }
        Shape::Word => blank && behind >= Behind::OfMail,
        Shape::Addressed => blank && behind == Behind::Mail,
        Shape::DateAlone | Shape::DateLikeText => behind == Behind::Mail,
        Shape::Text => false,
    };
    let plain = behind == Behind::Mail || (!separates && (is_open || may_be_plain(&shape, blank, behind, lines)));
    let verdict = match shape {
        _ if separates => Verdict::Separates,
        Shape::Dated | Shape::DateAlone | Shape::DatedText => Verdict::Doubtful { plain },
        Shape::Addressed if blank && behind >= Behind::Field => Verdict::Doubtful { plain },
        Shape::DateLike | Shape::Bare if behind >= Behind::Field => Verdict::Doubtful { plain },
        Shape::DateLikeText if blank && behind >= Behind::Field => Verdict::Doubtful { plain },
        _ if plain => Verdict::Doubtful { plain },
        _ => Verdict::Text,
    };
    match (from, verdict) {
        (_, Verdict::Text) | (None, _) => verdict,
        (Some(MboxFrom::Loose), _) => Verdict::Separates,
        (Some(MboxFrom::Strict), _) => {
            let is_dated = match shape {
                Shape::Dated => behind >= Behind::Field,
                Shape::DateAlone => behind == Behind::Mail,
                _ => false,
            };
            match is_dated && blank {
                true => Verdict::Separates,
                false => Verdict::Doubtful { plain },
            }
        }
    }
}

/// Whether a message may begin behind a line though its header is not right there: it has a single field, or is behind
/// what is passed over before and in the header of a single message.
fn may_be_plain(shape: &Shape, blank: bool, behind: Behind, lines: Lines) -> bool {
    let least = match shape {
        Shape::DateLike if behind >= Behind::Field => return true,
        Shape::DatedText | Shape::DateAlone if behind >= Behind::OfMail => return true,
        Shape::Dated | Shape::DateAlone | Shape::DateLike => Behind::OfMail,
        Shape::Bare if blank => Behind::OfMail,
        Shape::Bare | Shape::DatedText | Shape::DateLikeText => Behind::Mail,
        Shape::Addressed | Shape::Word if blank => Behind::Mail,
        Shape::Addressed | Shape::Word | Shape::Text => return false,
    };
    hidden(lines) >= least
}

/// Lines, with their ends.
#[derive(Clone, Copy)]
struct Lines<'t> {
    rest: &'t [u8],
    /// A CR ends one, too.
    cr: bool,
}

impl<'t> Iterator for Lines<'t> {
    type Item = &'t [u8];

    fn next(&mut self) -> Option<&'t [u8]> {
        let end = match self.cr {
            true => memchr2(b'\r', b'\n', self.rest),
            false => memchr(b'\n', self.rest),
        };
        let (line, rest) = self.rest.split_at(end.map_or(self.rest.len(), |end| end + 1));
        self.rest = rest;
        (!line.is_empty()).then_some(line)
    }
}

/// Looks at the first lines of what stands behind a line. `is_cut`: there is more behind them. The second: all that was
/// seen are fields, and there are more lines.
fn behind(mut lines: Lines, is_cut: bool) -> (Behind, bool) {
    let (mut found, mut of_mail) = (Behind::Text, 0);
    for _ in 0..FIELDS {
        let Some(line) = lines.next() else {
            return (found, is_cut && found > Behind::Text);
        };
        let is_folded = found > Behind::Text && matches!(line, [b' ' | b'\t', ..]);
        if line.starts_with(b">From ") || is_folded {
            found = found.max(Behind::Field);
            continue;
        }
        if !begins_with_field(line) {
            return (found, false);
        }
        found = found.max(Behind::Field);
        of_mail += usize::from(is_of_mail(line));
        match of_mail {
            0 => {}
            PLAINLY.. => return (Behind::Mail, false),
            _ => found = Behind::OfMail,
        }
    }
    (found, true)
}

/// The fields that mail has behind what a single message may have before and in its header: a byte order mark, empty
/// lines, and some that are not fields.
fn hidden(lines: Lines) -> Behind {
    let rest = lines.rest.strip_prefix(BYTE_ORDER_MARK).unwrap_or(lines.rest);
    let (mut fields, mut of_mail, mut broken) = (0, 0, 0);
    for line in (Lines { rest, ..lines }).take(FIELDS) {
        let content = if fields == 0 { line.trim_ascii_start() } else { line };
        if begins_with_field(content) {
            fields += 1;
            of_mail += usize::from(is_of_mail(content));
        } else if line.trim_ascii().is_empty() {
            if fields + broken > 0 {
                break;
            }
        } else if fields == 0 || !matches!(line, [b' ' | b'\t', ..]) {
            broken += 1;
        }
        if of_mail >= PLAINLY || broken > BROKEN || is_from_line(line) {
            break;
        }
    }
    match of_mail {
        0 => Behind::Text,
        PLAINLY.. => Behind::Mail,
        _ => Behind::OfMail,
    }
}

/// Whether a line is a field that mail has. A text that says from when on something is says `To: 2024-01-03` behind it.
fn is_of_mail(line: &[u8]) -> bool {
    let colon = memchr(b':', line).unwrap_or(line.len());
    let (name, value) = (
        line[..colon].trim_ascii_end(),
        line.get(colon + 1..).unwrap_or_default(),
    );
    let is_end = [&b"To"[..], b"From"].iter().any(|end| name.eq_ignore_ascii_case(end));
    is_field_of_mail(line) && !(is_end && words(value).is_some_and(|words| is_moment(&words)))
}

/// Whether the first line of `text` has nothing but a date and a sender.
pub fn is_dated(text: &[u8]) -> bool {
    let line = &text[..from_line_end(text)];
    line.len() <= LONGEST && matches!(Shape::of(line), Shape::Dated)
}

/// The date in a `From ` line, in seconds since 1970; without a zone it is of UTC. `None` where it may be another one.
pub(super) fn date(line: &[u8]) -> Option<i64> {
    let line = &line[..memchr(b'\n', line).unwrap_or(line.len())];
    let words = words(line.strip_prefix(b"From ")?)?;
    let before = dated(&words).or_else(|| asctime(&words))?;
    identify::moment(&words[before..].join(&b' ')).filter(|seconds| *seconds >= 0)
}

#[cfg(test)]
#[path = "separator_tests.rs"]
mod tests;
