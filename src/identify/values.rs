//! What mail-parser makes of what stands in a message: the only place that asks it.
//!
//! It is asked for single values and never for a whole message: over some nested mail it overflows the stack, and over
//! some fields it takes time with the square of their length. So each value is cut to a length over which that does not
//! matter, and its panics are survived.

use std::panic::{AssertUnwindSafe, catch_unwind};

use mail_parser::{
    DateTime, HeaderValue,
    decoders::{
        base64::base64_decode, charsets::map::charset_decoder, html::html_to_text,
        quoted_printable::quoted_printable_decode,
    },
    parsers::MessageStream,
};

/// Bytes of a value that are read: of what is short in all mail, of a line that people write, and of a list of addresses.
const SHORT: usize = 2 << 10;
const LINE: usize = 4 << 10;
const LIST: usize = 64 << 10;

/// What `read` makes of the first `most` bytes of `value`; `None` where it panics.
fn parsed<T>(value: &[u8], most: usize, read: impl FnOnce(HeaderValue) -> Option<T>, how: Parse) -> Option<T> {
    // The parser reads to a line end that nothing goes on behind.
    let mut line = value[..value.len().min(most)].trim_ascii_end().to_vec();
    line.push(b'\n');
    catch_unwind(AssertUnwindSafe(|| {
        let mut stream = MessageStream::new(&line);
        read(match how {
            Parse::Date => stream.parse_date(),
            Parse::Text => stream.parse_unstructured(),
            Parse::Addresses => stream.parse_address(),
            Parse::Content => stream.parse_content_type(),
        })
    }))
    .ok()
    .flatten()
}

#[derive(Clone, Copy)]
enum Parse {
    Date,
    Text,
    Addresses,
    Content,
}

/// A date as RFC 5322 writes it, in seconds since 1970 UTC.
pub(super) fn date(value: &[u8]) -> Option<i64> {
    let read = |value: HeaderValue| match value {
        HeaderValue::DateTime(date) if is_plausible(&date) => Some(date.to_timestamp()),
        _ => None,
    };
    parsed(value, SHORT, read, Parse::Date)
}

/// The parser takes what numbers there are. Mail before 1970 does not exist, and years of more than
/// four digits cannot be written.
fn is_plausible(date: &DateTime) -> bool {
    date.is_valid() && (1970..=9999).contains(&date.year)
}

/// What a field says, unfolded, its encoded words decoded (RFC 2047); of a very long one the beginning.
pub fn text(value: &[u8]) -> String {
    let read = |value: HeaderValue| match value {
        HeaderValue::Text(text) => Some(text.into_owned()),
        _ => None,
    };
    let raw = || String::from_utf8_lossy(&value[..value.len().min(LINE)]).into_owned();
    parsed(value, LINE, read, Parse::Text).unwrap_or_else(raw)
}

/// Whom a field names, as people read it: each with a name, an address, or both; of a very long one the beginning, up to
/// the last whole name.
pub fn mailboxes(value: &[u8]) -> Vec<String> {
    let cut = match value.get(..LIST) {
        Some(beginning) => &beginning[..memchr::memrchr(b',', beginning).unwrap_or(LIST)],
        None => value,
    };
    let read = |value: HeaderValue| {
        let HeaderValue::Address(list) = value else { return None };
        let each = list.iter().map(|one| match (one.name(), one.address()) {
            (Some(name), Some(address)) => format!("{name} <{address}>"),
            (name, address) => name.or(address).unwrap_or_default().to_owned(),
        });
        Some(each.collect())
    };
    parsed(cut, LIST, read, Parse::Addresses).unwrap_or_default()
}

/// Whether [`mailboxes`] has but the beginning of this value.
pub fn is_cut(value: &[u8]) -> bool {
    value.len() >= LIST
}

/// A Content-Type or a Content-Disposition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// In lower case: `text/plain`, `attachment`.
    pub kind: String,
    pub name: Option<String>,
    pub charset: Option<String>,
}

impl Content {
    /// Reads a value; `None` where there is nothing to be read.
    pub fn read(value: &[u8]) -> Option<Self> {
        let read = |value: HeaderValue| {
            let HeaderValue::ContentType(content) = value else {
                return None;
            };
            let attribute = |name| content.attribute(name).map(str::to_owned);
            Some(Self {
                kind: match content.subtype() {
                    Some(subtype) => format!("{}/{subtype}", content.ctype()).to_lowercase(),
                    None => content.ctype().to_lowercase(),
                },
                name: attribute("filename").or_else(|| attribute("name")),
                charset: attribute("charset"),
            })
        };
        parsed(value, SHORT, read, Parse::Content)
    }
}

/// Without a transfer encoding; `None` where that cannot be undone. Linear in the length.
pub(super) fn from_base64(body: &[u8]) -> Option<Vec<u8>> {
    base64_decode(body)
}

/// The same of quoted-printable.
pub(super) fn from_quoted_printable(body: &[u8]) -> Option<Vec<u8>> {
    quoted_printable_decode(body)
}

/// Text that is written in this charset; in UTF-8 where there is none or it is not known.
pub(super) fn in_charset(text: &[u8], charset: Option<&str>) -> String {
    let decoder = charset.and_then(|charset| charset_decoder(charset.as_bytes()));
    let decoded = decoder.and_then(|decode| catch_unwind(AssertUnwindSafe(|| decode(text))).ok());
    decoded.unwrap_or_else(|| String::from_utf8_lossy(text).into_owned())
}

/// The text of a page.
pub(super) fn from_html(page: &str) -> String {
    catch_unwind(AssertUnwindSafe(|| html_to_text(page))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_people_read_them() {
        assert_eq!(
            text(b" =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n from here\r\n"),
            "Grüße from here"
        );
        assert_eq!(
            mailboxes(b" Jane <jane@example.com>,\r\n bob@example.com\r\n"),
            ["Jane <jane@example.com>", "bob@example.com"]
        );
        let content = Content::read(b" Text/HTML; charset=latin1; name=\"a b.html\"\r\n").unwrap();
        assert_eq!(
            (
                content.kind.as_str(),
                content.charset.as_deref(),
                content.name.as_deref()
            ),
            ("text/html", Some("latin1"), Some("a b.html"))
        );
        assert_eq!(date(b" Thu, 1 Jan 2026 01:00:00 +0100\r\n"), Some(1_767_225_600));
        assert_eq!((date(b""), Content::read(b"\n"), mailboxes(b"")), (None, None, vec![]));
    }

    /// Each of these is as long as is read at all.
    #[test]
    fn a_value_that_was_made_to_be_slow_is_read_to_its_bound() {
        let started = std::time::Instant::now();
        for piece in [
            "=?",
            "=?aa?q?",
            "=?aa?b?YQ ",
            "(",
            "\"",
            "a:",
            "<",
            "\\",
            "a*1*='",
            "; a*1=b",
            ",",
            "\n ",
        ] {
            let value = piece.repeat(LIST * 2 / piece.len()).into_bytes();
            assert!(text(&value).len() <= 3 * LINE && is_cut(&value));
            let length: usize = mailboxes(&value).iter().map(String::len).sum();
            assert!(length <= 4 * LIST, "{piece}: {length}");
            Content::read(&value);
            Content::read(&[b"a/b; ", &value[..]].concat());
            date(&value);
        }
        assert!(started.elapsed() < std::time::Duration::from_secs(60));
    }

    #[test]
    fn of_a_list_that_is_cut_each_name_is_whole() {
        let value = "jane@example.com, ".repeat(10_000);
        let read = mailboxes(value.as_bytes());
        assert!(read.len() > 3_000 && read.iter().all(|one| one == "jane@example.com"));
    }
}
