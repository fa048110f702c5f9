//! What a file holds, told by how it begins.

use clap::ValueEnum;
use memchr::memchr;
use serde::{Deserialize, Serialize};

/// Bytes of a file's beginning that decide what it is.
pub const BEGINNING: usize = 64 << 10;

/// What is to be read out of files and folders.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// What each file and folder shows itself to be.
    #[default]
    Auto,
    /// Every file is one message.
    Eml,
    /// Every file holds any number of messages.
    Mbox,
    /// Folders with `cur` and `new`, and nothing else.
    Maildir,
}

/// What a file looks like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Looks {
    /// It begins with a header field (RFC 5322, 2.2): one message.
    Message,
    /// It begins with a `From ` line and a header field, or with the `From ` line that separates messages.
    Mbox,
    /// No mail, and why not.
    Neither(&'static str),
}

/// How files begin that people keep beside their mail, and what to say of them.
const KNOWN: [(&[u8], &str); 9] = [
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
    (
        b"\xef\xbb\xbf",
        "it begins with a byte order mark, which no message does",
    ),
];

/// What a file looks like whose first [`BEGINNING`] bytes, or all where it has fewer, are `beginning`.
pub fn looks(beginning: &[u8]) -> Looks {
    if beginning.is_empty() {
        return Looks::Neither("the file is empty");
    }
    let unspaced = without_empty_lines(beginning);
    if unspaced.starts_with(b"From ") {
        let header = behind_from_lines(unspaced);
        if begins_with_field(header) || super::mbox::is_dated(unspaced) {
            return Looks::Mbox;
        }
    }
    if begins_with_field(beginning) {
        return Looks::Message;
    }
    let known = KNOWN.iter().find(|(magic, _)| beginning.starts_with(magic));
    Looks::Neither(match known {
        Some((_, words)) => words,
        None if beginning.contains(&0) => "it is binary, and no message",
        None => "it does not begin with a header field",
    })
}

/// Whether text begins with a header field: a name of visible ASCII characters, and a colon. White space before the
/// colon is obsolete syntax (RFC 5322, 4.5).
pub fn begins_with_field(text: &[u8]) -> bool {
    let Some(colon) = memchr(b':', text) else { return false };
    let spaced = text[..colon]
        .iter()
        .rev()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    let name = &text[..colon - spaced];
    !name.is_empty() && name.iter().all(|byte| (33..=126).contains(byte))
}

/// Mail readers of old left empty lines at the beginning of an mbox.
pub fn without_empty_lines(text: &[u8]) -> &[u8] {
    let content = text.iter().position(|byte| !matches!(byte, b'\r' | b'\n'));
    &text[content.unwrap_or(text.len())..]
}

/// What follows the `From ` lines at the beginning, quoted ones included.
fn behind_from_lines(mut text: &[u8]) -> &[u8] {
    while text.starts_with(b"From ") || text.starts_with(b">From ") {
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
            b"X:",
            b"Subject : obsolete\n",
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
        ] {
            assert_eq!(looks(mbox), Looks::Mbox, "{}", mbox.escape_ascii());
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
            (b"hello", "header field"),
            (b" folded: first\n", "header field"),
            (b"no field\nSubject: x\n", "header field"),
            (b"\n\n", "header field"),
            (b"\xef\xbb\xbfSubject: x\n", "byte order mark"),
        ] {
            let Looks::Neither(why) = looks(bytes) else {
                panic!("{} is taken for mail", bytes.escape_ascii());
            };
            assert!(why.contains(word), "{why}");
        }
    }
}
