//! A stretch of a message's text with words of the query in it, which are marked. Pure, and safe to show.

use std::ops::Range;

use super::{
    query::{Criterion, Place, Query},
    terms::Asked,
    words::words,
};
use crate::harmless::one_line;

/// Bytes of a text in which words are looked for.
const READ: usize = 256 << 10;
/// The same of a subject.
const SUBJECT: usize = 4 << 10;
/// Places of a text that are considered.
const PLACES: usize = 2000;
/// Characters of a stretch, and how many of them stand before the first mark.
const LENGTH: usize = 200;
const BEFORE: usize = 50;

/// The words that are marked: rows of them.
pub struct Marks {
    in_text: Vec<Vec<Asked>>,
    in_subject: Vec<Vec<Asked>>,
}

/// A stretch of text in one line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Snippet {
    pub text: String,
    /// What is marked: from one character to before another.
    pub marks: Vec<Range<usize>>,
}

/// Where a row of words stands in a text, in bytes, and which row it is.
struct Found {
    at: Range<usize>,
    row: usize,
}

impl Marks {
    /// The words that a query looks for in texts, and does not want away.
    pub fn of(query: &Query) -> Self {
        let (mut in_text, mut in_subject) = (Vec::new(), Vec::new());
        query.each(&mut |criterion, is_negated| {
            if let Criterion::Text(text) = criterion
                && matches!(text.place, Place::Anywhere | Place::Body | Place::Subject)
                && !is_negated
                && let Ok(row) = text.asked()
            {
                if text.place != Place::Subject {
                    in_text.push(row.clone());
                }
                if text.place != Place::Body {
                    in_subject.push(row);
                }
            }
        });
        Self { in_text, in_subject }
    }

    /// The stretch of a text in which most of the words stand close together; where none does, the beginning.
    pub fn snippet(&self, text: &str) -> Snippet {
        let mut read = READ.min(text.len());
        while !text.is_char_boundary(read) {
            read -= 1;
        }
        let text = &text[..read];
        let found = places(&self.in_text, text);
        let first = found.get(best(&found)).map_or(0, |found| found.at.start);
        stretch(text, first, &found)
    }

    /// What of a subject is marked: from one character to before another, none of which overlap.
    pub fn of_subject(&self, subject: &str) -> Vec<Range<usize>> {
        let mut read = SUBJECT.min(subject.len());
        while !subject.is_char_boundary(read) {
            read -= 1;
        }
        let subject = &subject[..read];
        let mut marks: Vec<Range<usize>> = Vec::new();
        // They begin one behind the other.
        for Found { at, .. } in places(&self.in_subject, subject) {
            match marks.last_mut() {
                Some(last) if at.start <= last.end => last.end = last.end.max(at.end),
                _ => marks.push(at),
            }
        }
        let (mut at, mut letters) = (0, 0);
        let mut letters_to = |byte: usize| {
            letters += subject[at..byte].chars().count();
            at = byte;
            letters
        };
        marks
            .into_iter()
            .map(|mark| letters_to(mark.start)..letters_to(mark.end))
            .collect()
    }
}

fn places(rows: &[Vec<Asked>], text: &str) -> Vec<Found> {
    let words: Vec<_> = words(text).collect();
    let mut found = Vec::new();
    for begin in 0..words.len() {
        for (row, asked) in rows.iter().enumerate() {
            let Some(there) = words.get(begin..begin + asked.len()) else {
                continue;
            };
            if asked.iter().zip(there).all(|(asked, word)| asked.has(&word.folded)) {
                let at = there[0].from..there[there.len() - 1].to;
                found.push(Found { at, row });
            }
        }
        if found.len() >= PLACES {
            break;
        }
    }
    found
}

/// With which place the stretch begins that has most of the rows.
fn best(found: &[Found]) -> usize {
    let (mut best, mut most) = (0, 0);
    for (nth, first) in found.iter().enumerate() {
        let near = found[nth..]
            .iter()
            .take_while(|found| found.at.end < first.at.start + LENGTH - BEFORE);
        let mut rows: Vec<_> = near.take(LENGTH).map(|found| found.row).collect();
        rows.sort_unstable();
        rows.dedup();
        if rows.len() > most {
            (best, most) = (nth, rows.len());
        }
    }
    best
}

/// The stretch around a place, in one line: spaces and line ends in a row are one space.
fn stretch(text: &str, first: usize, found: &[Found]) -> Snippet {
    let begin = text[..first]
        .char_indices()
        .rev()
        .nth(BEFORE - 1)
        .map_or(0, |(at, _)| at);
    // Not in the middle of a word, if there is a space.
    let begin = match text[begin..first].find(char::is_whitespace) {
        Some(space) if begin > 0 => begin + space,
        _ => begin,
    };
    let mut line = String::new();
    let mut marked = Vec::new();
    let mut marks = found.iter().skip_while(|found| found.at.end <= begin).peekable();
    let mut length = 0;
    let mut open = None;
    let mut end = text.len();
    let mut is_after_space = true;
    for (at, char) in text[begin..].char_indices().map(|(at, char)| (begin + at, char)) {
        if length >= LENGTH && open.is_none() || length >= 2 * LENGTH {
            end = at;
            break;
        }
        if open.is_some_and(|(_, to)| at >= to) {
            marked.extend(open.take().map(|(from, _)| from..length));
        }
        // Pairs of characters overlap.
        while let Some(found) = marks.next_if(|found| found.at.start <= at) {
            let (from, to) = open.unwrap_or((length, 0));
            open = Some((from, to.max(found.at.end)));
        }
        let is_space = char.is_whitespace();
        if !(is_space && is_after_space) {
            line.push(if is_space { ' ' } else { char });
            length += 1;
        }
        is_after_space = is_space;
    }
    marked.extend(open.take().map(|(from, _)| from..length));
    let cut_before = text[..begin].contains(|char: char| !char.is_whitespace());
    let cut_behind = text[end..].contains(|char: char| !char.is_whitespace());
    let shift = if cut_before { 1 } else { 0 };
    let (before, behind) = (if cut_before { "…" } else { "" }, if cut_behind { "…" } else { "" });
    let last = length - usize::from(line.ends_with(' '));
    Snippet {
        text: format!("{before}{}{behind}", one_line(line.trim_end())),
        marks: marked
            .into_iter()
            .map(|mark| mark.start + shift..mark.end.min(last) + shift)
            .filter(|mark| !mark.is_empty())
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::parse, *};

    /// With the marks as brackets.
    fn marked(query: &str, text: &str) -> String {
        let snippet = Marks::of(&parse(query).unwrap()).snippet(text);
        let mut shown = String::new();
        for (nth, char) in snippet.text.chars().chain([' ']).enumerate() {
            snippet
                .marks
                .iter()
                .filter(|mark| mark.end == nth)
                .for_each(|_| shown.push(']'));
            snippet
                .marks
                .iter()
                .filter(|mark| mark.start == nth)
                .for_each(|_| shown.push('['));
            shown.push(char);
        }
        shown.trim_end().to_owned()
    }

    #[test]
    fn words_are_marked_in_a_stretch_around_them() {
        for (query, text, expected) in [
            (
                "report",
                "The quarterly\r\n\t Réport is here.",
                "The quarterly [Réport] is here.",
            ),
            (
                "\"quarterly report\"",
                "quarterly, and a quarterly\nreport.",
                "quarterly, and a [quarterly report].",
            ),
            ("quart* -here", "The quarterly is here", "The [quarterly] is here"),
            ("from:ada body:here", "ada is here", "ada is [here]"),
            ("北京大", "在北京大学", "在[北京大]学"),
            ("がく 東", "手か\u{3099}く、東", "手[か\u{3099}く]、[東]"),
            ("absent", " The beginning", "The beginning"),
            // What is invisible belongs to the word.
            ("xy", "a\u{1b}[2J \u{202e}x\u{200b}y", "a [2J \u{fffd}[x\u{fffd}y]"),
            ("x", "", ""),
        ] {
            assert_eq!(marked(query, text), expected, "{query}: {text}");
        }
        let long = "word ".repeat(100) + "Report and later the Invoice " + &"word ".repeat(100);
        let shown = marked("invoice report", &("report ".to_owned() + &long));
        assert!(shown.starts_with("…word") && shown.ends_with('…'), "{shown}");
        assert!(shown.contains("[Report] and later the [Invoice]"), "{shown}");
    }

    #[test]
    fn words_are_marked_in_a_subject_where_they_are_looked_for_there() {
        for (query, subject, expected) in [
            ("quotation", "Quotation: 北京 quotation", &[[0, 9], [14, 23]][..]),
            ("subject:quotation", "A Quotation", &[[2, 11]]),
            ("body:quotation from:quotation -a", "A quotation", &[]),
            ("北京大", "在北京大学", &[[1, 4]]),
            ("\"red car\" car", "red car", &[[0, 7]]),
            ("x", "", &[]),
        ] {
            let marks = Marks::of(&parse(query).unwrap()).of_subject(subject);
            let marks: Vec<_> = marks.iter().map(|mark| [mark.start, mark.end]).collect();
            assert_eq!(marks, expected, "{query}: {subject}");
        }
        let long = "a ".repeat(1 << 20);
        assert!(Marks::of(&parse("a").unwrap()).of_subject(&long).len() <= SUBJECT);
    }

    #[test]
    fn a_hostile_text_is_looked_through_in_no_time() {
        let query = "a ".repeat(400) + "\"a a a\"";
        for text in ["a ".repeat(500_000), "北".repeat(500_000), "\u{301}".repeat(1 << 20)] {
            // Of this thread, however busy the machine is.
            let seconds = || rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime).tv_sec;
            let begun = seconds();
            let snippet = Marks::of(&parse(&query).unwrap()).snippet(&text);
            assert!(snippet.text.chars().count() <= 2 * LENGTH + 2);
            assert!(seconds() - begun < 5);
        }
    }
}
