//! What a file holds, recognised by its beginning.

use std::borrow::Cow;

use memchr::memchr;

use super::{
    emlx,
    kind::{begins_as_mail, ends_in_cr, first_name, is_mmdf, is_plausible, why_no_mail, without_preamble},
    mbox,
};
use crate::identify::is_from_line;

/// What a file looks like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Looks {
    /// It begins with the header of a message: [`begins_as_mail`].
    Message,
    /// It begins with a `From ` line and the header of a message, or with the `From ` line that separates messages.
    Mbox,
    /// It begins with a line that has a number alone, and then as a message, perhaps behind empty lines or a `From `
    /// line (Apple Mail's `.emlx`).
    Emlx,
    /// No mail, and why not.
    Neither(&'static str),
}

/// What a file looks like whose first [`BEGINNING`] bytes, or all where it has fewer, are `beginning`.
pub fn looks(beginning: &[u8]) -> Looks {
    if beginning.is_empty() {
        return Looks::Neither("the file is empty");
    }
    let beginning = &*lines(beginning);
    let unspaced = without_preamble(beginning);
    if is_from_line(unspaced) {
        let header = behind_from_lines(unspaced);
        if begins_as_mail(header) || mbox::is_dated(unspaced) {
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
    if emlx::first_line(unspaced).is_some_and(|(_, line)| begins_as_mail(in_emlx(line).trim_ascii_start())) {
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
