//! What a server answers, in the terms of this module: each response is taken out of the
//! parser's buffer at once, so that no buffer outlives its response.

use std::ops::{Range, RangeInclusive};

use async_imap::imap_proto::{
    AttributeValue, Capability, MailboxDatum, MessageSection, NameAttribute, Outcome, Response, ResponseCode,
    SectionPath, Status, rfc4315::UidSetMember,
};
use bytes::Bytes;

use crate::source::Want;

/// One response.
#[derive(Debug)]
pub(super) enum Answer {
    /// The end of a command.
    Tagged {
        tag: String,
        ok: bool,
        said: Said,
    },
    /// `+`, and what stands behind it: the server waits for the rest of the command.
    Continue(String),
    /// `* OK`, and the warnings `* NO` and `* BAD`.
    Note(Said),
    Preauth(Said),
    Bye(Said),
    Capabilities(Vec<String>),
    Exists(u32),
    Expunge,
    Search(Vec<u32>),
    List(Listed),
    Fetch(FetchLine),
    /// Anything else, which nothing here asked for.
    Other,
}

/// The text of a status response, with the codes that matter here.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub words: String,
    pub capabilities: Option<Vec<String>>,
    pub uidvalidity: Option<u32>,
    pub uidnext: Option<u32>,
    pub read_only: bool,
    /// The UIDs that were copied or moved (RFC 4315, COPYUID).
    pub copied: Option<Vec<RangeInclusive<u32>>>,
}

/// A line of LIST or LSUB.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    /// The name as it travels, usually in modified UTF-7.
    pub raw: String,
    pub delimiter: Option<char>,
    pub selectable: bool,
    /// What it is for, as `\Junk` (RFC 6154), and other attributes.
    pub attributes: Vec<String>,
}

/// A FETCH response: whatever of what we ask for is in it.
#[derive(Debug, Default)]
pub(super) struct FetchLine {
    pub uid: Option<u32>,
    pub size: Option<u64>,
    /// INTERNALDATE in seconds since 1970 UTC.
    pub date: Option<i64>,
    pub flags: Option<Vec<String>>,
    pub body: Option<(Want, Body)>,
}

#[derive(Debug)]
pub(super) enum Body {
    /// NIL in place of bytes.
    Nil,
    /// Where the bytes are in the parser's buffer.
    At(Range<usize>),
    Bytes(Bytes),
}

/// Translates a response that was parsed out of `block`.
pub(super) fn translate(response: &Response<'_>, block: &[u8]) -> Answer {
    match response {
        Response::Done { tag, status, outcome } => Answer::Tagged {
            tag: tag.0.clone(),
            ok: *status == Status::Ok,
            said: said(outcome),
        },
        Response::Data { status, outcome } => match status {
            Status::Bye => Answer::Bye(said(outcome)),
            Status::PreAuth => Answer::Preauth(said(outcome)),
            Status::Ok | Status::No | Status::Bad => Answer::Note(said(outcome)),
        },
        Response::Continue(outcome) => Answer::Continue(said(outcome).words),
        Response::Capabilities(capabilities) => Answer::Capabilities(names(capabilities)),
        Response::Expunge(_) => Answer::Expunge,
        Response::MailboxData(MailboxDatum::Exists(count)) => Answer::Exists(*count),
        Response::MailboxData(MailboxDatum::Search(found)) => Answer::Search(found.clone()),
        Response::MailboxData(MailboxDatum::List(line)) => Answer::List(Listed {
            raw: unquoted(line.name.as_bytes(), block),
            delimiter: line.delimiter.as_ref().and_then(|text| text.chars().last()),
            selectable: line.name_attributes.iter().all(selectable),
            attributes: line.name_attributes.iter().filter_map(attribute).collect(),
        }),
        Response::Fetch(_, attributes) => Answer::Fetch(fetch_line(attributes, block)),
        _ => Answer::Other,
    }
}

fn said(outcome: &Outcome<'_>) -> Said {
    let mut said = Said {
        words: outcome.information.as_deref().unwrap_or_default().to_owned(),
        ..Said::default()
    };
    match &outcome.code {
        Some(ResponseCode::Capabilities(capabilities)) => said.capabilities = Some(names(capabilities)),
        Some(ResponseCode::UidValidity(value)) => said.uidvalidity = Some(*value),
        Some(ResponseCode::UidNext(value)) => said.uidnext = Some(*value),
        Some(ResponseCode::ReadOnly) => said.read_only = true,
        // The parser takes the codes it knows out of the words; this one says what to do.
        Some(ResponseCode::TryCreate) => said.words.insert_str(0, "[TRYCREATE] "),
        Some(ResponseCode::CopyUid(_, uids, _)) => said.copied = Some(uids.iter().map(range).collect()),
        _ => {}
    }
    said
}

fn range(member: &UidSetMember) -> RangeInclusive<u32> {
    match member {
        // The two may come in any order (RFC 9051, uid-range).
        UidSetMember::UidRange(range) => *range.start().min(range.end())..=*range.start().max(range.end()),
        UidSetMember::Uid(uid) => *uid..=*uid,
    }
}

fn names(capabilities: &[Capability<'_>]) -> Vec<String> {
    let name = |capability: &Capability<'_>| match capability {
        Capability::Imap4rev1 => "IMAP4rev1".to_owned(),
        Capability::Auth(mechanism) => format!("AUTH={mechanism}"),
        Capability::Atom(atom) => atom.to_string(),
    };
    capabilities.iter().map(name).collect()
}

fn selectable(attribute: &NameAttribute<'_>) -> bool {
    match attribute {
        NameAttribute::NoSelect => false,
        // RFC 5258, 3: \NonExistent implies \Noselect.
        NameAttribute::Extension(name) => !name.eq_ignore_ascii_case("\\NonExistent"),
        _ => true,
    }
}

/// An attribute as it is written; `None` for those that say nothing of what a folder is for.
fn attribute(attribute: &NameAttribute<'_>) -> Option<String> {
    let name = match attribute {
        NameAttribute::All => "\\All",
        NameAttribute::Archive => "\\Archive",
        NameAttribute::Drafts => "\\Drafts",
        NameAttribute::Flagged => "\\Flagged",
        NameAttribute::Junk => "\\Junk",
        NameAttribute::Sent => "\\Sent",
        NameAttribute::Trash => "\\Trash",
        NameAttribute::Extension(name) => name,
        _ => return None,
    };
    Some(name.to_owned())
}

fn fetch_line(attributes: &[AttributeValue<'_>], block: &[u8]) -> FetchLine {
    let mut line = FetchLine::default();
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(uid) => line.uid = Some(*uid),
            AttributeValue::Rfc822Size(size) => line.size = Some((*size).into()),
            AttributeValue::InternalDate(date) => line.date = internal_date(date),
            AttributeValue::Flags(flags) => line.flags = Some(flags.iter().map(|flag| flag.to_string()).collect()),
            AttributeValue::BodySection {
                section,
                index: None,
                data,
            } => {
                let want = match section {
                    None => Want::Whole,
                    Some(SectionPath::Full(MessageSection::Header)) => Want::Header,
                    Some(_) => continue,
                };
                let body = data.as_ref().map_or(Body::Nil, |data| body(data, block));
                line.body = Some((want, body));
            }
            _ => {}
        }
    }
    line
}

/// RFC 9051, date-time: `"17-Jul-1996 02:44:25 -0700"`, the day padded with a space.
fn internal_date(text: &str) -> Option<i64> {
    jiff::Timestamp::strptime("%d-%b-%Y %H:%M:%S %z", text.trim())
        .ok()
        .map(jiff::Timestamp::as_second)
}

fn body(data: &[u8], block: &[u8]) -> Body {
    match place(data, block) {
        Some(place) if !is_quoted(&place, block) => Body::At(place),
        _ => Body::Bytes(unescaped(data).into()),
    }
}

/// A string as the server meant it: the parser leaves the escapes of a quoted string in it,
/// and does not say whether it was one.
fn unquoted(data: &[u8], block: &[u8]) -> String {
    let quoted = place(data, block).is_some_and(|place| is_quoted(&place, block));
    let bytes = if quoted { unescaped(data) } else { data.to_vec() };
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Where a slice of the block lies in it.
fn place(data: &[u8], block: &[u8]) -> Option<Range<usize>> {
    let start = (data.as_ptr() as usize).checked_sub(block.as_ptr() as usize)?;
    let end = start.checked_add(data.len())?;
    (end <= block.len()).then_some(start..end)
}

fn is_quoted(place: &Range<usize>, block: &[u8]) -> bool {
    place.start > 0 && block[place.start - 1] == b'"'
}

fn unescaped(data: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(data.len());
    let mut bytes = data.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\\' => plain.extend(bytes.next()),
            _ => plain.push(byte),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(line: &[u8]) -> Answer {
        let (_, response) = Response::parse(line).expect("a response");
        translate(&response, line)
    }

    #[test]
    fn a_quoted_body_loses_its_escapes_and_a_literal_keeps_its_backslashes() {
        let quoted = br#"* 1 FETCH (UID 7 BODY[] "a\\b\"c")"#;
        let Answer::Fetch(line) = answer(&[quoted, &b"\r\n"[..]].concat()) else {
            panic!("not a FETCH")
        };
        assert!(matches!(line.body, Some((Want::Whole, Body::Bytes(bytes))) if bytes == br#"a\b"c"#[..]));
        let literal = b"* 1 FETCH (UID 7 BODY[HEADER] {3}\r\na\\b INTERNALDATE \" 7-Jul-1996 02:44:25 -0700\")\r\n";
        let Answer::Fetch(line) = answer(literal) else {
            panic!("not a FETCH")
        };
        assert!(matches!(line.body, Some((Want::Header, Body::At(place))) if &literal[place.clone()] == b"a\\b"));
        assert_eq!(line.date, Some(836_732_665));
    }

    #[test]
    fn names_come_as_atoms_quoted_and_as_literals() {
        for (line, raw, delimiter, selectable) in [
            (&b"* LIST () \"/\" inbox\r\n"[..], "INBOX", Some('/'), true),
            (
                b"* LIST (\\Noselect) \"\\\\\" \"a \\\"b\\\"\"\r\n",
                "a \"b\"",
                Some('\\'),
                false,
            ),
            (b"* LIST (\\NonExistent) NIL {4}\r\na\\\"b\r\n", "a\\\"b", None, false),
        ] {
            let Answer::List(listed) = answer(line) else {
                panic!("not a LIST")
            };
            assert_eq!(
                (listed.raw.as_str(), listed.delimiter, listed.selectable),
                (raw, delimiter, selectable)
            );
        }
    }
}
