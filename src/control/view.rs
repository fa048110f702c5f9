//! A readable view of a message's bytes. Never fails: what cannot be read is left empty.

use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::Timestamp;
use mail_parser::{Address, Message as Parsed, MessageParser, MimeHeaders, PartType};

use super::api::{Shown, ShownHeader, ShownPart};
use crate::{
    archive::{Message, Seconds},
    identify::{Header, Notes},
};

/// Characters of the text that a view shows.
const TEXT: usize = 4000;

/// What a list says of a message.
#[derive(Default)]
pub struct Summary {
    pub from: String,
    pub subject: String,
}

pub fn summary(beginning: &[u8]) -> Summary {
    guarded(|| {
        let parsed = has_parts(MessageParser::new().parse_headers(beginning))?;
        Some(Summary {
            from: addresses(parsed.from()),
            subject: one_line(parsed.subject().unwrap_or_default()),
        })
    })
    .unwrap_or_else(|| {
        let header = Header::scan(beginning);
        Summary {
            from: first(&header, "From"),
            subject: first(&header, "Subject"),
        }
    })
}

/// The view of message `id`, without its users.
pub fn shown(id: u64, message: &Message, bytes: &[u8]) -> Shown {
    let header = Header::scan(bytes);
    let mut shown = Shown {
        id,
        date: time(message.date),
        archived_at: time(message.archived_at),
        size: message.size,
        sha256: hex(&message.sha256),
        from: String::new(),
        to: String::new(),
        cc: String::new(),
        subject: String::new(),
        headers: headers(&header),
        parts: Vec::new(),
        users: Vec::new(),
        journals: Vec::new(),
        notes: Notes(message.notes).words().into_iter().map(String::from).collect(),
        text: String::new(),
    };
    let content = guarded(|| has_parts(MessageParser::new().parse(bytes)).map(|parsed| Content::of(&parsed)));
    let content = content.unwrap_or_else(|| Content {
        from: first(&header, "From"),
        to: first(&header, "To"),
        cc: first(&header, "Cc"),
        subject: first(&header, "Subject"),
        parts: Vec::new(),
        text: beginning(&String::from_utf8_lossy(&bytes[header.end..])),
    });
    shown.from = content.from;
    shown.to = content.to;
    shown.cc = content.cc;
    shown.subject = content.subject;
    shown.parts = content.parts;
    shown.text = content.text;
    shown
}

/// What the parser makes of a message.
struct Content {
    from: String,
    to: String,
    cc: String,
    subject: String,
    parts: Vec<ShownPart>,
    text: String,
}

impl Content {
    fn of(parsed: &Parsed) -> Self {
        Self {
            from: addresses(parsed.from()),
            to: addresses(parsed.to()),
            cc: addresses(parsed.cc()),
            subject: one_line(parsed.subject().unwrap_or_default()),
            parts: parts(parsed),
            text: parsed.body_text(0).map(|text| beginning(&text)).unwrap_or_default(),
        }
    }
}

/// Mail is hostile and the parser has panicked on some; to a view that is mail it cannot read.
fn guarded<T>(read: impl FnOnce() -> Option<T>) -> Option<T> {
    catch_unwind(AssertUnwindSafe(read)).ok().flatten()
}

/// A message of no bytes has no root part, and the parser's own look-ups panic where there is none.
fn has_parts(parsed: Option<Parsed>) -> Option<Parsed> {
    parsed.filter(|parsed| !parsed.parts.is_empty())
}

fn beginning(text: &str) -> String {
    text.chars().take(TEXT).collect()
}

/// The first field of this name as it stands in the message.
fn first(header: &Header, name: &str) -> String {
    let field = header.all(name).next();
    field
        .map(|field| one_line(&String::from_utf8_lossy(field.value)))
        .unwrap_or_default()
}

/// The header as it stands in the message, unfolded.
fn headers(header: &Header) -> Vec<ShownHeader> {
    let shown = header.fields().map(|field| ShownHeader {
        name: String::from_utf8_lossy(field.name).into_owned(),
        value: one_line(&String::from_utf8_lossy(field.value)),
    });
    shown.collect()
}

fn parts(parsed: &Parsed) -> Vec<ShownPart> {
    let leaves = parsed
        .parts
        .iter()
        .filter(|part| !matches!(part.body, PartType::Multipart(_)));
    leaves
        .map(|part| {
            let kind = part.content_type().map(|kind| match kind.subtype() {
                Some(subtype) => format!("{}/{subtype}", kind.ctype()).to_lowercase(),
                None => kind.ctype().to_lowercase(),
            });
            ShownPart {
                kind: kind.map_or_else(|| "text/plain".into(), |kind| one_line(&kind)),
                name: part.attachment_name().map(one_line),
                size: part.contents().len() as u64,
            }
        })
        .collect()
}

fn addresses(list: Option<&Address>) -> String {
    let each = list
        .into_iter()
        .flat_map(|list| list.iter())
        .map(|one| match (one.name(), one.address()) {
            (Some(name), Some(address)) => format!("{name} <{address}>"),
            (name, address) => name.or(address).unwrap_or_default().to_owned(),
        });
    one_line(&each.collect::<Vec<_>>().join(", "))
}

/// Free of what would break a line or steer a terminal.
fn one_line(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    clean.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub fn time(seconds: Seconds) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut hex, byte| {
            // Writing to a String does not fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn show(bytes: &[u8]) -> Shown {
        let inline = crate::archive::Place {
            volume: 0,
            block: 0,
            offset: 0,
            length: bytes.len() as u64,
        };
        let message = Message {
            inline,
            parts: Vec::new(),
            size: bytes.len() as u64,
            date: 0,
            archived_at: 0,
            identity: 1,
            sha256: [0; 32],
            notes: 0,
        };
        summary(bytes);
        shown(1, &message, bytes)
    }

    #[test]
    fn a_panic_in_the_parser_is_as_if_it_read_nothing() {
        assert_eq!(guarded(|| -> Option<()> { panic!("as the parser does") }), None);
    }

    /// The parser loses count of its parts in it, and says so by a panic where its assertions are compiled.
    #[test]
    fn a_message_in_a_message_in_a_multipart_is_shown() {
        let nested = show(
            b"From: a@b.example\nTo: c@d.example\nSubject: outer\nContent-Type: multipart/mixed; boundary=a\n\n\
              --a\nContent-Type: message/rfc822\n\nContent-Type: message/rfc822\n\nSubject: inner\n\nx\n--a--\n",
        );
        assert_eq!(
            (nested.from.as_str(), nested.to.as_str(), nested.subject.as_str()),
            ("a@b.example", "c@d.example", "outer")
        );
        assert_eq!(nested.headers.len(), 4);
    }

    /// Weighed so that parts nest, begin and end at the wrong places, often.
    const LINES: [&str; 20] = [
        "Content-Type: message/rfc822\n",
        "Content-Type: multipart/mixed; boundary=a\n\n--a",
        "Subject: s",
        "From: a@b.example",
        "Content-Type: multipart/mixed; boundary=a",
        "Content-Type: multipart/alternative; boundary=b",
        "Content-Type: multipart/digest; boundary=\"\"",
        "Content-Type: message/rfc822",
        "Content-Type: text/html; charset=utf-7",
        "Content-Transfer-Encoding: base64",
        "Content-Transfer-Encoding: quoted-printable",
        "",
        "",
        "--a",
        "--a--",
        "--b",
        "--b--",
        "--",
        "<p>=3D&amp;",
        "\u{9b}\x1b",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn no_mime_keeps_a_message_from_being_shown(lines in prop::collection::vec(0..LINES.len(), 0..40)) {
            let text: Vec<_> = lines.iter().map(|line| LINES[*line]).collect();
            show(text.join("\n").as_bytes());
        }
    }
}
