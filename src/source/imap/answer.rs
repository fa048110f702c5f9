//! What a server answers, in the terms of this module: what was screened is parsed by imap-proto, async-imap's parser.

use std::{ops::RangeInclusive, panic::catch_unwind};

use async_imap::imap_proto::{
    Capability, MailboxDatum, NameAttribute, Outcome, Response, ResponseCode, Status, rfc4315::UidSetMember,
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
        said: StatusText,
    },
    /// `+`, and what stands behind it: the server waits for the rest of the command.
    Continue(String),
    /// `* OK`, and the warnings `* NO` and `* BAD`.
    Note(StatusText),
    Preauth(StatusText),
    Bye(StatusText),
    Capabilities(Vec<String>),
    Exists(u32),
    /// Of the message with this number.
    Expunge(u32),
    Search(Vec<u32>),
    List(Listed),
    Fetch(FetchLine),
    /// Anything else, which nothing here asked for.
    Other,
}

/// The text of a status response, with the codes that matter here.
#[derive(Debug, Default)]
pub(super) struct StatusText {
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

/// A FETCH response: whatever of what we ask for is in it. The screen reads it.
#[derive(Debug, Default)]
pub(super) struct FetchLine {
    /// The message's number; 0 for what belongs to the line before, and came behind its end.
    pub number: u32,
    pub uid: Option<u32>,
    pub size: Option<u64>,
    /// INTERNALDATE in seconds since 1970 UTC.
    pub date: Option<i64>,
    pub flags: Option<Vec<String>>,
    /// The message, or its header. NIL in its place is `None`.
    pub body: Option<(Want, Option<Bytes>)>,
    /// The line, as it may be shown, where something in it that is needed cannot be read.
    pub odd: Option<String>,
}

/// Parses a response that is to the letter; `None` where the parser does not take it.
pub(super) fn parse(letter: &[u8]) -> Option<Answer> {
    // The parser panics on some answers. None is known that comes through the screen.
    let parsed = catch_unwind(|| match Response::parse(letter) {
        Ok((b"", response)) => Some(translate(&response)),
        _ => None,
    });
    parsed.ok().flatten()
}

fn translate(response: &Response<'_>) -> Answer {
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
        Response::Expunge(number) => Answer::Expunge(*number),
        Response::MailboxData(MailboxDatum::Exists(count)) => Answer::Exists(*count),
        Response::MailboxData(MailboxDatum::Search(found)) => Answer::Search(found.clone()),
        Response::MailboxData(MailboxDatum::List(line)) => Answer::List(Listed {
            raw: String::from_utf8_lossy(&unescaped(line.name.as_bytes())).into_owned(),
            delimiter: line.delimiter.as_ref().and_then(|text| text.chars().last()),
            selectable: line.name_attributes.iter().all(selectable),
            attributes: line.name_attributes.iter().filter_map(attribute).collect(),
        }),
        _ => Answer::Other,
    }
}

fn said(outcome: &Outcome<'_>) -> StatusText {
    let mut said = StatusText {
        words: outcome.information.as_deref().unwrap_or_default().to_owned(),
        ..StatusText::default()
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

/// As they were said; the first one is the screen's.
fn names(capabilities: &[Capability<'_>]) -> Vec<String> {
    let name = |capability: &Capability<'_>| match capability {
        Capability::Imap4rev1 => "IMAP4rev1".to_owned(),
        Capability::Auth(mechanism) => format!("AUTH={mechanism}"),
        Capability::Atom(atom) => atom.to_string(),
    };
    capabilities.iter().skip(1).map(name).collect()
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
