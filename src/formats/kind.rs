//! By what mail is recognised: its fields, and what other files begin with.

use memchr::memchr;

use crate::identify::Header;

/// Bytes of a file's beginning that decide what it is.
pub const BEGINNING: usize = 64 << 10;

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
pub fn first_name(text: &[u8]) -> Option<&[u8]> {
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
pub fn is_plausible(name: &[u8]) -> bool {
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    name.iter().all(fits) && name.iter().any(u8::is_ascii_alphabetic)
}

/// Mail readers of old left empty lines at the beginning of an mbox, and editors leave a byte order mark.
pub fn without_preamble(text: &[u8]) -> &[u8] {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let content = text.iter().position(|byte| !matches!(byte, b'\r' | b'\n'));
    &text[content.unwrap_or(text.len())..]
}
