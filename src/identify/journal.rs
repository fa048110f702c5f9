//! Journal reports of Exchange (2003 to 2019), Microsoft 365 and Citadel: a message that encloses another one and says
//! for whom it was delivered.
//!
//! The first part is the envelope, as text; a `message/rfc822` part after it is the enclosed message. A report in a
//! report is not opened: anyone can send one to a user, and Exchange will journal it like other mail. Nor is one that
//! an Exchange could not deliver and returned to the alternate journal mailbox: whoever forges a report, with that
//! mailbox for its sender, to somebody who does not exist has it returned there by the same Exchange.

use std::{
    borrow::Cow,
    ops::{ControlFlow, Range},
};

use bytes::Bytes;

use super::{
    charset::{Charset, decoded},
    envelope::{self, EachNamed},
    header::Header,
    html,
    mime::{self, Body, Entity},
};

/// The fields that mark a report: Exchange 2007 and later write both, and a gateway may take one away.
pub const MARKS: [&str; 2] = ["X-MS-Journal-Report", "X-MS-Exchange-Organization-Journal-Report"];
/// Those that do with this value: of Exchange 2003, which leaves out a letter, and so does Citadel.
const IDENTIFIERS: [&str; 2] = ["Content-Identifier", "Content-Identifer"];
const IDENTIFIER: &[u8] = b"ExJournalReport";

/// Parts of a report that are looked at: the envelope, and behind it what it encloses.
const PARTS: usize = 8;
/// Multiparts around the envelope's text.
const DEEPEST: usize = 3;
/// Bytes of an envelope that is written in HTML or an unusual charset: it is read into a text of its own.
const MOST_CONVERTED: usize = 8 << 20;
/// Bytes of what is returned in which its header is looked for.
const RETURNED: usize = 64 << 10;

/// A report, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalReport<'m> {
    /// The envelope as it stands, without its transfer encoding; as lines in UTF-8 where it is HTML or of another
    /// charset.
    pub envelope: Cow<'m, [u8]>,
    pub enclosed: Option<Enclosed>,
    /// All whom the envelope names as recipients can be read. Else it is for more people than are known of.
    pub is_understood: bool,
}

/// The message in a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enclosed {
    /// It stands there in the report.
    At(Range<usize>),
    /// It stood there encoded.
    Decoded(Bytes),
}

impl<'m> JournalReport<'m> {
    /// Whether `header` says that it is a report's.
    pub fn is_marked(header: &Header) -> bool {
        let is_identifier = |name: &&str| {
            let mut fields = header.all(name);
            fields.any(|field| field.value.trim_ascii().eq_ignore_ascii_case(IDENTIFIER))
        };
        MARKS.iter().any(|name| header.all(name).next().is_some()) || IDENTIFIERS.iter().any(is_identifier)
    }

    /// Whether a message with this header may be a report, or one that was returned.
    pub fn may_be(header: &Header) -> bool {
        Self::is_marked(header) || is_of_failure(header)
    }

    /// Reads `message`, whose header is `header`; `None` where it is no report, or its envelope names nobody. Linear in
    /// its length; never fails.
    pub fn read(message: &'m [u8], header: &Header) -> Option<Self> {
        if !Self::is_marked(header) || is_of_failure(header) {
            return None;
        }
        let Body::Multipart(boundary) = Body::of(header) else {
            return None;
        };
        let parts = multipart(message, 0..message.len(), boundary);
        let (first, others) = parts.split_first()?;
        let find = |form, names: fn(&[u8]) -> bool| text(message, first.clone(), form, names, 0);
        let envelope = find(Form::Plain, envelope::names_a_recipient)
            .or_else(|| find(Form::Html, envelope::names_a_recipient))
            .or_else(|| find(Form::Plain, envelope::names_a_sender))?;
        Some(Self {
            is_understood: envelope::is_understood(&envelope),
            envelope,
            enclosed: others.iter().find_map(|part| enclosed(message, part.clone())),
        })
    }

    /// Whether `message`, whose header is `header`, returns a report that could not be delivered.
    pub fn is_returned(message: &[u8], header: &Header) -> bool {
        let Body::Multipart(boundary) = Body::of(header) else {
            return false;
        };
        let is_report = |part: Range<usize>| {
            let entity = Entity::read(message, part);
            let is_message = matches!(Body::of(&entity.header), Body::Message | Body::Headers);
            let body = &message[entity.body.clone()];
            let beginning = entity.encoding().whole(&body[..body.len().min(2 * RETURNED)], RETURNED);
            let decoded = entity.encoding().decoded(beginning);
            is_message && Self::is_marked(&Header::scan(decoded.as_deref().unwrap_or(beginning)))
        };
        is_of_failure(header)
            && multipart(message, 0..message.len(), boundary)
                .into_iter()
                .any(is_report)
    }

    /// Hands on the recipients, in the order in which the envelope names them.
    pub fn each_recipient(&self, found: &mut EachNamed) -> ControlFlow<()> {
        envelope::each_recipient(&self.envelope, found)
    }

    /// Hands on the senders, in the order in which the envelope names them.
    pub fn each_sender(&self, found: &mut EachNamed) -> ControlFlow<()> {
        envelope::each_sender(&self.envelope, found)
    }
}

/// Whether a header is that of a report that something could not be delivered (RFC 6522).
fn is_of_failure(header: &Header) -> bool {
    const KIND: &[u8] = b"multipart/report";
    let field = header.all("Content-Type").next();
    let kind = field.and_then(|field| field.value.trim_ascii_start().get(..KIND.len()));
    kind.is_some_and(|kind| kind.eq_ignore_ascii_case(KIND))
}

fn multipart(message: &[u8], body: Range<usize>, boundary: &[u8]) -> Vec<Range<usize>> {
    mime::parts(message, body, boundary, PARTS, |_| true)
}

/// How an envelope is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    Html,
}

/// The first text in the part in `range` that is of this form and `names` somebody.
fn text(
    message: &[u8],
    range: Range<usize>,
    form: Form,
    names: fn(&[u8]) -> bool,
    depth: usize,
) -> Option<Cow<'_, [u8]>> {
    let entity = Entity::read(message, range);
    let text = match (Body::of(&entity.header), form) {
        (Body::Text, Form::Plain) => plain(message, &entity),
        (Body::Html, Form::Html) => {
            let page = entity.decoded(message);
            let page = (page.len() <= MOST_CONVERTED).then(|| decoded(&page, charset(&page, &entity), None));
            page.map(|page| Cow::Owned(html::lines(&page).into_bytes()))
        }
        (Body::Multipart(boundary), _) if depth < DEEPEST => {
            let parts = multipart(message, entity.body, boundary).into_iter();
            return parts
                .into_iter()
                .find_map(|part| text(message, part, form, names, depth + 1));
        }
        _ => None,
    };
    text.filter(|text| names(text))
}

/// A plain text in UTF-8, or in something so like it that its addresses are the same; `None` where it is neither, and
/// too long to be converted.
fn plain<'m>(message: &'m [u8], entity: &Entity<'m>) -> Option<Cow<'m, [u8]>> {
    let text = entity.decoded(message);
    let Some(charset) = charset(&text, entity) else {
        return Some(text);
    };
    match text.len() {
        ..=MOST_CONVERTED => Some(Cow::Owned(decoded(&text, Some(charset), None).into_bytes())),
        // One byte a letter, those of ASCII as they are.
        _ if charset.is_single_byte() => Some(text),
        _ => None,
    }
}

/// The charset that a text is to be converted from, if it is to be.
fn charset(text: &[u8], entity: &Entity) -> Option<Charset> {
    match text {
        [0xff, 0xfe, ..] => return Charset::named(b"utf-16le"),
        [0xfe, 0xff, ..] => return Charset::named(b"utf-16be"),
        // Of UTF-16, whatever is said: an envelope begins with a letter of ASCII.
        [letter, 0, ..] if *letter > 0 => return Charset::named(b"utf-16le"),
        [0, letter, ..] if *letter > 0 => return Charset::named(b"utf-16be"),
        _ => {}
    }
    let charset = entity.charset()?;
    let is_ascii = charset.is_single_byte() && text.is_ascii();
    (!charset.is_utf_8() && !is_ascii).then_some(charset)
}

/// The message that the part in `range` encloses, if it is such a part.
fn enclosed(message: &[u8], range: Range<usize>) -> Option<Enclosed> {
    let entity = Entity::read(message, range);
    if !matches!(Body::of(&entity.header), Body::Message) {
        return None;
    }
    match entity.decoded(message) {
        // Nothing is enclosed; and all that is nothing would count as one message.
        bytes if bytes.is_empty() => None,
        Cow::Borrowed(_) => Some(Enclosed::At(entity.body)),
        Cow::Owned(decoded) => Some(Enclosed::Decoded(decoded.into())),
    }
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
