//! The envelope in a journal report: text, one value per line.
//!
//! Exchange 2007 and later write one address per line: `Sender:`, `To: member@…, Expanded: list@…`, `Bcc: new@…,
//! Forwarded: old@…`, `Recipient:`. Exchange 2003 and Citadel write all recipients after `Recipients:`, one per line,
//! up to an empty one: `"Jane Doe" <smtp:jane@example.com>`.

use std::{borrow::Cow, ops::ControlFlow};

use memchr::memchr;

use super::{address::each_address, found::Named};

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Label {
    /// One that names a recipient or a sender, by what a filing calls it.
    Recipient(&'static str),
    Sender(&'static str),
    /// All recipients, on the lines behind it.
    Recipients,
    /// Nobody.
    Other,
}

const LABELS: [(&str, Label); 9] = [
    ("To", Label::Recipient("Journal-To")),
    ("Cc", Label::Recipient("Journal-Cc")),
    ("Bcc", Label::Recipient("Journal-Bcc")),
    ("Recipient", Label::Recipient("Journal-Recipient")),
    ("Recipients", Label::Recipients),
    ("Sender", Label::Sender("Journal-Sender")),
    ("On-Behalf-Of", Label::Sender("Journal-On-Behalf-Of")),
    ("Subject", Label::Other),
    ("Message-ID", Label::Other),
];
/// What follows an address: the list that it was a member of, or the address that was forwarded.
const ORIGINS: [(&str, &str); 2] = [("Expanded", "Journal-Expanded"), ("Forwarded", "Journal-Forwarded")];

/// Hands on whom an envelope names, one by one.
pub(super) type EachNamed<'e> = dyn FnMut(Named) -> ControlFlow<()> + 'e;

/// Hands on the recipients, in the order in which the envelope names them.
pub(super) fn each_recipient(envelope: &[u8], found: &mut EachNamed) -> ControlFlow<()> {
    Lines(envelope).try_for_each(|line| match line.label {
        Some(Label::Recipient(field)) => with_origins(field, line.value, found),
        Some(Label::Recipients) => Mailboxes(line.value).try_for_each(|one| name("Journal-Recipient", one, found)),
        Some(Label::Sender(_) | Label::Other) | None => ControlFlow::Continue(()),
    })
}

/// Hands on the senders, in the order in which the envelope names them.
pub(super) fn each_sender(envelope: &[u8], found: &mut EachNamed) -> ControlFlow<()> {
    Lines(envelope).try_for_each(|line| match line.label {
        Some(Label::Sender(field)) => name(field, line.value, found),
        _ => ControlFlow::Continue(()),
    })
}

pub(super) fn names_a_recipient(envelope: &[u8]) -> bool {
    each_recipient(envelope, &mut |_| ControlFlow::Break(())).is_break()
}

pub(super) fn names_a_sender(envelope: &[u8]) -> bool {
    each_sender(envelope, &mut |_| ControlFlow::Break(())).is_break()
}

/// Whether all recipients can be read: each line of theirs has an address, and where there is none, neither has a line
/// that is not understood.
pub(super) fn is_understood(envelope: &[u8]) -> bool {
    let names = names_a_recipient(envelope);
    let has_address = |text: &[u8]| memchr(b'@', text).is_some();
    let is_understood = |value: &[u8]| value.trim_ascii().is_empty() || has_address(value);
    Lines(envelope).all(|line| match line.label {
        Some(Label::Recipient(_)) => is_understood(line.value),
        // A quote that nothing closes may hide some.
        Some(Label::Recipients) => {
            Mailboxes(line.value).all(is_understood) && !Quotes::default().is_open_behind(line.value)
        }
        Some(Label::Sender(_) | Label::Other) => true,
        None => names || !has_address(line.value),
    })
}

/// A line of an envelope, and those that go on with it.
struct Line<'e> {
    label: Option<Label>,
    /// Behind the label; all of it where that is not known.
    value: &'e [u8],
}

/// A line that begins with white space goes on with the one before it.
struct Lines<'e>(&'e [u8]);

impl<'e> Iterator for Lines<'e> {
    type Item = Line<'e>;

    fn next(&mut self) -> Option<Line<'e>> {
        if self.0.is_empty() {
            return None;
        }
        let mut end = line_end(self.0);
        let (label, _) = labelled(&self.0[..end]);
        match label {
            Some(Label::Recipients) => end += block(&self.0[end..]),
            _ => {
                while matches!(self.0.get(end), Some(b' ' | b'\t')) {
                    end += line_end(&self.0[end..]);
                }
            }
        }
        let (line, rest) = self.0.split_at(end);
        self.0 = rest;
        Some(Line {
            label,
            value: labelled(line).1,
        })
    }
}

/// Where the first line of `text` ends.
fn line_end(text: &[u8]) -> usize {
    memchr(b'\n', text).map_or(text.len(), |newline| newline + 1)
}

/// The label that a line begins with, and what stands behind it.
fn labelled(mut line: &[u8]) -> (Option<Label>, &[u8]) {
    // The byte order marks that text may begin with.
    while let Some(rest) = line.strip_prefix("\u{feff}".as_bytes()) {
        line = rest;
    }
    let known = memchr(b':', line).and_then(|colon| {
        let label = line[..colon].trim_ascii();
        let mut labels = LABELS.iter();
        let known = labels.find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(label));
        known.map(|(_, label)| (*label, &line[colon + 1..]))
    });
    match known {
        Some((label, value)) => (Some(label), value),
        None => (None, line),
    }
}

/// How much of `text` belongs to `Recipients:` before it: up to an empty line, or one with a label.
fn block(text: &[u8]) -> usize {
    let mut quotes = Quotes::default();
    let mut end = 0;
    while end < text.len() {
        let line = &text[end..][..line_end(&text[end..])];
        let is_quoted = quotes.is_open;
        if line.trim_ascii().is_empty() || (!is_quoted && labelled(line).0.is_some()) {
            break;
        }
        quotes.is_open_behind(line);
        end += line.len();
    }
    end
}

/// The mailboxes behind `Recipients:`, a line each, unless a quoted name goes on in the next one.
struct Mailboxes<'e>(&'e [u8]);

impl<'e> Iterator for Mailboxes<'e> {
    type Item = &'e [u8];

    fn next(&mut self) -> Option<&'e [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let mut quotes = Quotes::default();
        let mut end = 0;
        while end < self.0.len() {
            let next = end + line_end(&self.0[end..]);
            let is_open = quotes.is_open_behind(&self.0[end..next]);
            end = next;
            if !is_open {
                break;
            }
        }
        let (mailbox, rest) = self.0.split_at(end);
        self.0 = rest;
        Some(mailbox)
    }
}

/// Whether a text stands within quotes.
#[derive(Default)]
struct Quotes {
    is_open: bool,
    is_escaped: bool,
}

impl Quotes {
    /// Whether a quote is open behind `text`.
    fn is_open_behind(&mut self, text: &[u8]) -> bool {
        text.iter().for_each(|byte| self.pass(*byte));
        self.is_open
    }

    fn pass(&mut self, byte: u8) {
        match byte {
            _ if self.is_escaped => self.is_escaped = false,
            b'\\' if self.is_open => self.is_escaped = true,
            b'"' => self.is_open = !self.is_open,
            _ => {}
        }
    }
}

fn name(field: &'static str, value: &[u8], found: &mut EachNamed) -> ControlFlow<()> {
    each_address(value, &mut |address| {
        found(Named {
            address,
            field: Cow::Borrowed(field),
        })
    })
}

/// Hands on whom a line names: its value, cut before each `, Expanded:` and `, Forwarded:`, and what each piece is
/// named. What stands in quotes or angle brackets is not looked at.
fn with_origins(field: &'static str, value: &[u8], found: &mut EachNamed) -> ControlFlow<()> {
    let (mut named, mut start) = (field, 0);
    let (mut quotes, mut in_angle) = (Quotes::default(), false);
    for (at, byte) in value.iter().enumerate() {
        let is_quoted = quotes.is_open;
        quotes.pass(*byte);
        match byte {
            _ if is_quoted => {}
            b'<' => in_angle = true,
            b'>' => in_angle = false,
            b',' if !in_angle => {
                if let Some((field, behind)) = origin(&value[at + 1..]) {
                    // A second one begins behind the first one's label.
                    if at >= start {
                        name(named, &value[start..at], found)?;
                        (named, start) = (field, value.len() - behind.len());
                    }
                }
            }
            _ => {}
        }
    }
    name(named, &value[start..], found)
}

/// What a label at the beginning of `text` names, and what stands behind it.
fn origin(text: &[u8]) -> Option<(&'static str, &[u8])> {
    let text = text.trim_ascii_start();
    ORIGINS.iter().find_map(|(label, field)| {
        let begins = text.get(..label.len())?.eq_ignore_ascii_case(label.as_bytes());
        let value = text.get(label.len()..)?.trim_ascii_start().strip_prefix(b":")?;
        begins.then_some((*field, value))
    })
}

#[cfg(test)]
#[path = "envelope_tests.rs"]
mod tests;
