//! A readable view of a message's bytes. Never fails: what cannot be read is left empty.

use jiff::Timestamp;
use mail_parser::{Address, Message as Parsed, MessageParser, MimeHeaders, PartType};

use super::api::{Shown, ShownHeader, ShownPart};
use crate::{
    archive::{Message, Seconds},
    identify::Notes,
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
    let Some(parsed) = has_parts(MessageParser::new().parse_headers(beginning)) else {
        return Summary::default();
    };
    Summary {
        from: addresses(parsed.from()),
        subject: one_line(parsed.subject().unwrap_or_default()),
    }
}

/// The view of message `id`, without its users.
pub fn shown(id: u64, message: &Message, bytes: &[u8]) -> Shown {
    let parsed = has_parts(MessageParser::new().parse(bytes));
    let parsed = parsed.as_ref();
    Shown {
        id,
        date: time(message.date),
        archived_at: time(message.archived_at),
        size: message.size,
        sha256: hex(&message.sha256),
        from: addresses(parsed.and_then(|parsed| parsed.from())),
        to: addresses(parsed.and_then(|parsed| parsed.to())),
        cc: addresses(parsed.and_then(|parsed| parsed.cc())),
        subject: one_line(parsed.and_then(|parsed| parsed.subject()).unwrap_or_default()),
        headers: headers(bytes),
        parts: parsed.map(parts).unwrap_or_default(),
        users: Vec::new(),
        notes: Notes(message.notes).words().into_iter().map(String::from).collect(),
        text: parsed
            .and_then(|parsed| parsed.body_text(0))
            .map(|text| text.chars().take(TEXT).collect())
            .unwrap_or_default(),
    }
}

/// A message of no bytes has no root part, and the parser's own look-ups panic where there is none.
fn has_parts(parsed: Option<Parsed>) -> Option<Parsed> {
    parsed.filter(|parsed| !parsed.parts.is_empty())
}

/// The header as it stands in the message, unfolded.
fn headers(bytes: &[u8]) -> Vec<ShownHeader> {
    let header = crate::identify::Header::scan(bytes);
    let shown = header.fields.iter().map(|field| ShownHeader {
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
                kind: kind.unwrap_or_else(|| "text/plain".into()),
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
