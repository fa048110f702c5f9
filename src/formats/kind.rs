//! What a file holds, recognised by its beginning.

use std::borrow::Cow;

use memchr::memchr;

use crate::identify::{Header, is_from_line};

/// Bytes of a file's beginning that decide what it is.
pub const BEGINNING: usize = 64 << 10;

/// What a file looks like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Looks {
    /// It begins with the header of a message: [`begins_as_mail`].
    Message,
    /// It begins with a `From ` line and the header of a message, or with the `From ` line that separates messages.
    Mbox,
    /// It begins with a line that has a number alone, and then as a message, perhaps behind empty lines or a `From ` line
    /// (Apple Mail's `.emlx`).
    Emlx,
    /// No mail, and why not.
    Neither(&'static str),
}

/// Fields of which a message has at least one. Much else begins with a word and a colon: settings, vCards, logs. Not
/// here are names that such files use too, as Comments, Keywords, Status.
const OF_MAIL: [&str; 33] = [
    "From",
    "To",
    "Cc",
    "Bcc",
    "Date",
    "Received",
    "Subject",
    "Message-ID",
    "MIME-Version",
    "Return-Path",
    "Delivered-To",
    "Reply-To",
    "Sender",
    "Content-Type",
    "Content-Transfer-Encoding",
    "In-Reply-To",
    "References",
    "Envelope-To",
    "Apparently-To",
    "X-Original-To",
    "X-Envelope-To",
    "Resent-From",
    "Resent-To",
    "Resent-Date",
    "Resent-Message-ID",
    "Received-SPF",
    "Authentication-Results",
    "DKIM-Signature",
    "ARC-Seal",
    "Disposition-Notification-To",
    "List-Id",
    "List-Unsubscribe",
    "X-Mozilla-Status",
];

/// How files begin that people keep beside their mail, and what to say of them.
const KNOWN: [(&[u8], &str); 11] = [
    (b"%PDF-", "it is a PDF"),
    (
        b"PK\x03\x04",
        "it is a ZIP archive or an Office document; unpack an archive first",
    ),
    (b"\x1f\x8b", "it is compressed (gzip); unpack it first"),
    (b"BZh", "it is compressed (bzip2); unpack it first"),
    (b"\xfd7zXZ\0", "it is compressed (xz); unpack it first"),
    (b"\x28\xb5\x2f\xfd", "it is compressed (zstd); unpack it first"),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "it is an Outlook message (MSG) or an Office document; save mail as EML",
    ),
    (
        b"!BDN",
        "it is an Outlook data file (PST); export its mail as EML or mbox",
    ),
    (b"\xff\xfe", UTF_16),
    (b"\xfe\xff", UTF_16),
    (
        b"BABYL OPTIONS",
        "it is a file of Emacs's RMAIL (Babyl), which is not read; convert it to an mbox (Emacs: unrmail)",
    ),
];

const UTF_16: &str =
    "it is text in UTF-16, as some editors save it, and no mail as it was sent; convert it to UTF-8 first";
/// Bytes that some programs put before text in UTF-8.
pub const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// The line around each message of an MMDF file.
pub const MMDF: &[u8] = b"\x01\x01\x01\x01";

/// What a file looks like whose first [`BEGINNING`] bytes, or all where it has fewer, are `beginning`.
pub fn looks(beginning: &[u8]) -> Looks {
    if beginning.is_empty() {
        return Looks::Neither("the file is empty");
    }
    let beginning = &*lines(beginning);
    let unspaced = without_preamble(beginning);
    if is_from_line(unspaced) {
        let header = behind_from_lines(unspaced);
        if begins_as_mail(header) || super::mbox::is_dated(unspaced) {
            return Looks::Mbox;
        }
    }
    if is_mmdf(unspaced) {
        return Looks::Mbox;
    }
    if begins_as_mail(unspaced.trim_ascii_start()) {
        return Looks::Message;
    }
    let in_emlx = |line: usize| behind_from_lines(without_preamble(&unspaced[line..]));
    if super::emlx::first_line(unspaced).is_some_and(|(_, line)| begins_as_mail(in_emlx(line).trim_ascii_start())) {
        return Looks::Emlx;
    }
    Looks::Neither(match why_no_mail(beginning) {
        Some(words) => words,
        None if first_name(beginning).is_some_and(is_plausible) => {
            "its header has none of the fields that mail has, such as From, To, Subject or Date"
        }
        None => "it does not begin with a header field",
    })
}

/// What a text is that is not mail, where its beginning shows that.
pub fn why_no_mail(beginning: &[u8]) -> Option<&'static str> {
    let known = KNOWN.iter().find(|(magic, _)| beginning.starts_with(magic));
    match (known, beginning) {
        (Some((_, words)), _) => Some(words),
        (None, [0, 1..=127, 0, 1..=127, ..] | [1..=127, 0, 1..=127, 0, ..]) => Some(UTF_16),
        (None, _) => beginning.contains(&0).then_some("it is binary, and no message"),
    }
}

/// Whether text begins with the line that is around the messages of an MMDF file.
pub fn is_mmdf(text: &[u8]) -> bool {
    matches!(text.strip_prefix(MMDF), Some([b'\n', ..] | [b'\r', b'\n', ..]))
}

/// Whether the lines of a file that begins so end in CR alone.
pub fn ends_in_cr(beginning: &[u8]) -> bool {
    memchr(b'\n', beginning).is_none() && memchr(b'\r', beginning.trim_ascii_end()).is_some()
}

/// Text whose lines end in LF also where they end in CR alone.
fn lines(beginning: &[u8]) -> Cow<'_, [u8]> {
    match ends_in_cr(beginning) {
        true => beginning
            .iter()
            .map(|byte| if *byte == b'\r' { b'\n' } else { *byte })
            .collect(),
        false => Cow::Borrowed(beginning),
    }
}

/// Whether text that nothing else shows to be mail begins with the header of a message: its first line is a field whose
/// name is made of letters, digits, `-`, `_` and `.`, and one of its fields is one that mail has.
pub fn begins_as_mail(text: &[u8]) -> bool {
    first_name(text).is_some_and(is_plausible) && has_header(text)
}

/// Whether there is a field that mail has in the header of a message, whatever its first line is.
pub fn has_header(message: &[u8]) -> bool {
    Header::scan(message).fields().any(|field| is_of_mail(field.name))
}

fn is_of_mail(name: &[u8]) -> bool {
    OF_MAIL.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}

/// Whether text begins with a field that mail has; imap-backup quotes a From field.
pub fn is_field_of_mail(text: &[u8]) -> bool {
    first_name(text).is_some_and(|name| is_of_mail(name.strip_prefix(b">").unwrap_or(name)))
}

/// Whether text begins with a header field: a name of visible ASCII characters, and a colon.
pub fn begins_with_field(text: &[u8]) -> bool {
    first_name(text).is_some()
}

/// The name of the header field that text begins with. White space before the colon is obsolete syntax (RFC 5322, 4.5).
fn first_name(text: &[u8]) -> Option<&[u8]> {
    let before = &text[..memchr(b':', text)?];
    let spaced = before
        .iter()
        .rev()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    let name = &before[..before.len() - spaced];
    let readable = !name.is_empty() && name.iter().all(|byte| (33..=126).contains(byte));
    readable.then_some(name)
}

/// RFC 5322 allows more in a name than any program writes; a time of day, which a log begins with, has no letter.
fn is_plausible(name: &[u8]) -> bool {
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    name.iter().all(fits) && name.iter().any(u8::is_ascii_alphabetic)
}

/// Mail readers of old left empty lines at the beginning of an mbox, and editors leave a byte order mark.
pub fn without_preamble(text: &[u8]) -> &[u8] {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let content = text.iter().position(|byte| !matches!(byte, b'\r' | b'\n'));
    &text[content.unwrap_or(text.len())..]
}

/// What follows the `From ` lines at the beginning, quoted ones included.
fn behind_from_lines(mut text: &[u8]) -> &[u8] {
    while is_from_line(text) || text.strip_prefix(b">").is_some_and(is_from_line) {
        text = memchr(b'\n', text).map_or(&[], |end| &text[end + 1..]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_begins_with_a_header_field() {
        for mail in [
            &b"Subject: x\r\n\r\nhello"[..],
            b"Received: from a\n\tby b\n",
            b"X:\nX_2.old: y\nSUBJECT:\n",
            b"Subject : obsolete\n",
            b"\xef\xbb\xbfSubject: x\n",
            b"\r\n\r\nSubject: x\n",
            b" Subject: x\n",
            b"From: x\rTo: y\r\rhello\r",
            b"From : x\nTo : y\n\nhello\n",
        ] {
            assert_eq!(looks(mail), Looks::Message, "{}", mail.escape_ascii());
        }
    }

    #[test]
    fn an_mbox_begins_with_a_from_line() {
        for mbox in [
            &b"From jane@example.com Thu Jan  1 00:00:00 2026\nSubject: x\n"[..],
            b"From - Thu Jan  1 00:00:00 2026\r\nX-Mozilla-Status: 0001\r\n",
            b"From \r\nSubject: x\r\n",
            b"From jane@example.com\n>From joe remote from elsewhere\nSubject: x\n",
            b"\n\nFrom jane@example.com Thu Jan  1 00:00:00 2026\n\nno header",
            b"\xef\xbb\xbfFrom jane@example.com Thu, 1 Jan 2026 00:00:00 GMT\n\nno header",
            b"From - Do Jan 01 00:00:00 2026\rSubject: x\r\rx\r",
            b"\x01\x01\x01\x01\nSubject: x\n",
        ] {
            assert_eq!(looks(mbox), Looks::Mbox, "{}", mbox.escape_ascii());
        }
    }

    #[test]
    fn a_message_of_apple_mail_begins_with_its_length() {
        for file in [
            "1234\nSubject: x\n",
            "1234      \nReturn-Path: x\nSubject: x\n",
            "1234\n\r\nSubject: x\n",
            "1234\nFrom jane@example.com Thu Jan  1 00:00:00 2026\nSubject: x\n",
        ] {
            assert_eq!(looks(file.as_bytes()), Looks::Emlx);
        }
    }

    #[test]
    fn what_is_no_mail_is_told_why() {
        for (bytes, word) in [
            (&b""[..], "empty"),
            (b"%PDF-1.7\n:", "PDF"),
            (b"PK\x03\x04", "ZIP"),
            (b"\x1f\x8b\x08", "gzip"),
            (b"\0\0\0\0", "binary"),
            (b"From the desk of Jane\nhello there\n", "header field"),
            (b"From the desk of Jane\nNote: hello there\n", "header field"),
            (b"hello", "header field"),
            (b"{\"x\":1,\n\"y\":2}", "header field"),
            (b"{\"x\":1}\nSubject: x\n", "header field"),
            (b"body{color:red}\n", "header field"),
            (b"12:30:01 started\nDate: x\n", "header field"),
            (b"BEGIN:VCARD\r\nVERSION:3.0\r\nEND:VCARD\r\n", "such as From"),
            (b"X:", "such as From"),
            (b"Note: hello\n\nSubject: in the text\n", "such as From"),
            (b"Note: hello\nno field\nSubject: in the text\n", "such as From"),
            (b" folded: first\n", "header field"),
            (b"no field\nSubject: x\n", "header field"),
            (b"\n\n", "header field"),
            (b"\xef\xbb\xbfhello\n", "header field"),
            (b"\xff\xfeS\0u\0", "UTF-16"),
            (b"\xfe\xff\0S\0u", "UTF-16"),
            (b"S\0u\0b\0j\0", "UTF-16"),
            (b"BABYL OPTIONS: -*- rmail -*-\n", "Babyl"),
            (b"12\nhello\n", "header field"),
        ] {
            let Looks::Neither(why) = looks(bytes) else {
                panic!("{} is taken for mail", bytes.escape_ascii());
            };
            assert!(why.contains(word), "{}: {why}", bytes.escape_ascii());
        }
    }
}
