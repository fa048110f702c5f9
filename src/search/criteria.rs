//! The fields of a query, and what a value means in each.

use super::{
    query::Criterion,
    times::{Ago, Day},
    unread,
};
use crate::{
    api::{Code, Wrong},
    config::{ByteSize, nearest},
};

/// All names of fields.
pub(super) const FIELDS: [&str; 23] = [
    "from",
    "to",
    "cc",
    "bcc",
    "recipient",
    "list",
    "subject",
    "body",
    "filename",
    "attachment",
    "folder",
    "has",
    "unread",
    "date",
    "before",
    "after",
    "newer",
    "older",
    "larger",
    "smaller",
    "id",
    "message-id",
    "user",
];

/// Splits what looks like a field: a name of letters, a colon, and something else than an address on the web.
pub(super) fn field(word: &str) -> Option<(&str, &str)> {
    const NONE: [&str; 6] = ["mailto", "tel", "sip", "urn", "xmpp", "data"];
    let (name, value) = word.split_once(':')?;
    let folded = name.to_ascii_lowercase();
    let is_name = name
        .bytes()
        .all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_'));
    let is_known = FIELDS.contains(&folded.as_str());
    let looks = (2..=20).contains(&name.len()) && is_name && !NONE.contains(&folded.as_str());
    let is_other = value.is_empty() || value.starts_with([':', '/', '\\']);
    (is_known && !value.starts_with("//") || looks && !is_other).then_some((name, value))
}

pub(super) fn no_field(name: &str) -> (Wrong, String) {
    let meant = other_name(name);
    let near = nearest(meant, FIELDS).filter(|near| strsim::jaro_winkler(meant, near) > 0.8);
    let quote = "quote the text to look for it as it stands";
    let why = match &near {
        Some(near) => format!("no field is named {name}: did you mean {near}: ? Or {quote}"),
        None => format!("no field is named {name}: {quote}"),
    };
    let wrong = Wrong {
        about: [name.to_owned()].into_iter().chain(near).collect(),
        ..Code::NoField.into()
    };
    (wrong, why)
}

/// What other programs call it.
fn other_name(name: &str) -> &str {
    match name {
        "sender" | "author" => "from",
        "rcpt" | "addressee" | "deliveredto" | "envelope-to" => "recipient",
        "in" | "label" | "mailbox" | "path" => "folder",
        "since" => "after",
        "until" => "before",
        "newer_than" => "newer",
        "older_than" => "older",
        "size" => "larger",
        "msgid" | "mid" | "rfc822msgid" => "message-id",
        "file" | "attachmentname" => "filename",
        "text" | "content" | "message" => "body",
        "owner" | "archive" => "user",
        "is" | "with" => "has",
        name => name,
    }
}

/// What a field asks for that is not one of text.
pub(super) fn criterion(field: &str, value: &str) -> Result<Criterion, (Wrong, String)> {
    const DAY: &str = "write a day (2025-01-31), a month (2025-01) or a year (2025)";
    let day =
        |text: &str| Day::parse(text).ok_or_else(|| no(Code::NoDate, text, format!("{text:?} is not a date: {DAY}")));
    let ago = || {
        let why = || format!("{value:?} is not a length of time: write 30d, or with h, w, m (months) or y");
        Ago::parse(value).ok_or_else(|| no(Code::NoSpan, value, why()))
    };
    let size = || {
        let why = || format!("{value:?} is not a size: write 1M, 500K or a number of bytes");
        size(value).ok_or_else(|| no(Code::NoSize, value, why()))
    };
    Ok(match field {
        "has" if ["attachment", "attachments"].contains(&value.to_ascii_lowercase().as_str()) => {
            Criterion::HasAttachment
        }
        "has" => {
            return Err((
                Code::OnlyAttachment.into(),
                "a message can only be asked for has:attachment".into(),
            ));
        }
        "unread" => {
            let word = value.to_ascii_lowercase();
            match word == unread::ANY || unread::words().any(|known| known == word) {
                true => Criterion::Unread(word),
                false => {
                    let words: Vec<_> = unread::words().collect();
                    let words = words.join(", ");
                    let why =
                        format!("unread: finds attachments that could not be read whole, by one of these: *, {words}");
                    return Err(no(Code::UnreadWords, &words, why));
                }
            }
        }
        "date" => match value.split_once("..") {
            None => day(value).map(|day| Criterion::Date(Some(day), Some(day)))?,
            Some(("", "")) => {
                return Err((
                    Code::RangeOpen.into(),
                    format!("a range has a beginning or an end: {DAY}"),
                ));
            }
            Some((first, last)) => {
                let end = |text: &str| (!text.is_empty()).then(|| day(text)).transpose();
                match (end(first)?, end(last)?) {
                    (Some(first), Some(last)) if first.begins() >= last.ends() => {
                        return Err((Code::RangeBackwards.into(), "this range ends before it begins".into()));
                    }
                    (first, last) => Criterion::Date(first, last),
                }
            }
        },
        "before" => Criterion::Before(day(value)?),
        "after" => Criterion::After(day(value)?),
        "newer" => Criterion::Newer(ago()?),
        "older" => Criterion::Older(ago()?),
        "larger" => Criterion::Larger(size()?),
        "smaller" => Criterion::Smaller(size()?),
        "id" => {
            let why = || format!("{value:?} is not the id of a message, which is a number");
            Criterion::Id(value.parse().map_err(|_| no(Code::NoId, value, why()))?)
        }
        "message-id" => match value.trim_matches(|char: char| char.is_whitespace() || matches!(char, '<' | '>')) {
            "" => return Err((Code::MessageIdEmpty.into(), "this Message-ID is empty".into())),
            id => Criterion::MessageId(id.to_owned()),
        },
        _ if value.is_empty() => return Err((Code::NameEmpty.into(), "this name is empty".into())),
        _ => Criterion::User(value.to_owned()),
    })
}

/// That `value` is not what a field asks for.
fn no(code: Code, value: &str, why: String) -> (Wrong, String) {
    (Wrong::new(code, &[&value]), why)
}

/// Bytes: `1M`, `1.5 GiB`, `500`. K, M, G and T are binary, KB and so on decimal.
fn size(text: &str) -> Option<u64> {
    let is_letter = text.ends_with(['K', 'M', 'G', 'T', 'k', 'm', 'g', 't']);
    let size = match is_letter {
        true => ByteSize::parse(&format!("{text}iB")),
        false => ByteSize::parse(text),
    };
    size.map(|ByteSize(bytes)| bytes)
}
