//! The header of a message, as bytes: fields in their order, and where the body begins.
//!
//! It follows what mail servers do (RFC 5322, 2.2 and 3.5, read generously). Lines end in CRLF or LF.
//!
//! A line that is not a field, such as text that somebody folded without a space, is skipped if the header plainly goes
//! on below it ([`goes_on`]). If not, the body begins there, and nothing of that may be read as header. What is before
//! the first field, such as a byte order mark or an empty line that a program put there, is skipped in the same way.
//!
//! A header can be all of a message, and have fields of three bytes: a table of them would be many times its size. So
//! the first ones are kept in memory, and those after them are read again whenever somebody asks for them.

use memchr::memchr;

/// Fields that are kept at hand; mail that is not made to be a burden has fewer.
const AT_HAND: usize = 1000;
/// Lines that are not fields and are passed over; what has more of them is text.
const BROKEN: usize = 20;
/// Bytes that some programs put before text in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Fields that a message has once (RFC 5322, 3.6; RFC 2045, 3): one that stands above a broken line and again below it
/// is another message's, quoted in the body.
const ONCE: [&str; 16] = [
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Bcc",
    "Date",
    "Subject",
    "Message-ID",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Content-Disposition",
    "Return-Path",
];
/// Others that show that what they stand in is a header; names that begin so.
const OF_HEADERS: [&str; 10] = [
    "Received",
    "Delivered-To",
    "Envelope-To",
    "Apparently-To",
    "Resent-",
    "List-",
    "ARC-",
    "DKIM-",
    "Authentication-",
    "X-",
];

/// One field, folded lines included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    pub name: &'a [u8],
    /// What stands behind the colon, line ends included.
    pub value: &'a [u8],
    /// Where the field begins in the message, and where the next line after it does.
    pub start: usize,
    pub end: usize,
}

impl Field<'_> {
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

/// A message's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    at_hand: Vec<Field<'a>>,
    /// Signs of all their names: one that is not among them needs no looking.
    names: u64,
    others: Others<'a>,
    /// Where the header ends: at the empty line, or where no field could be read any more.
    pub end: usize,
    /// Whether an empty line, or the end of the message, ended it.
    pub ended: bool,
    /// The same, and each line of it is a field: whoever reads it, reads the same.
    pub well_ended: bool,
    /// Where the first line stands that is not a field, whether it was passed over or ended the header.
    pub broken: Option<usize>,
}

impl<'a> Header<'a> {
    /// Reads the header of `message`. Never fails: whatever is no header is body.
    pub fn scan(message: &'a [u8]) -> Self {
        let plain = skip_mbox_lines(message, 0);
        let start = begin(message).unwrap_or(plain);
        let mut header = Self::collect(message, start, false);
        if !header.ended
            && let Some(end) = goes_on(message, &header)
        {
            let broken = header.broken;
            header = Self::collect(&message[..end], start, true);
            header.broken = broken;
        }
        if start != plain {
            header.broken = Some(plain);
        }
        header.well_ended = header.broken.is_none();
        header
    }

    /// Reads the header of a part of a multipart, which need not have one: the first line that is not a field ends it.
    pub fn of_part(part: &'a [u8]) -> Self {
        Self::collect(part, skip_mbox_lines(part, 0), false)
    }

    /// `over`: lines that are not fields are passed over.
    fn collect(message: &'a [u8], start: usize, over: bool) -> Self {
        let mut fields = Fields {
            message,
            at: start,
            over,
        };
        let mut at_hand = Vec::with_capacity(32);
        at_hand.extend(fields.by_ref().take(AT_HAND));
        let names = at_hand.iter().fold(0, |names, field| names | sign(field.name));
        let mut others = Others {
            fields: fields.clone(),
            names: 0,
        };
        for field in fields.by_ref() {
            others.names |= sign(field.name);
        }
        let end = fields.at;
        others.fields.message = &message[..end];
        let ended = ends_header(&message[end..]);
        Self {
            at_hand,
            names,
            others,
            end,
            ended,
            well_ended: ended,
            broken: (!ended).then_some(end),
        }
    }

    /// All fields, from the top.
    pub fn fields(&self) -> impl Iterator<Item = Field<'a>> {
        self.at_hand.iter().copied().chain(self.others.fields.clone())
    }

    /// The first fields: all of them in mail that is not made to be a burden.
    pub fn at_hand(&self) -> impl Iterator<Item = Field<'a>> {
        self.at_hand.iter().copied()
    }

    /// The fields of this name, from the top.
    pub fn all(&self, name: &str) -> impl Iterator<Item = Field<'a>> {
        let others = self.others.named(name);
        let at_hand = match self.names & sign(name.as_bytes()) {
            0 => &[][..],
            _ => &self.at_hand,
        };
        let at_hand = at_hand.iter().filter(move |field| field.is(name)).copied();
        at_hand.chain(others.filter(move |field| field.is(name)))
    }

    /// Whether there is no field at all.
    pub fn is_empty(&self) -> bool {
        self.at_hand.is_empty()
    }
}

/// The fields that are not at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Others<'a> {
    fields: Fields<'a>,
    /// Signs of all their names: one that is not among them needs no reading.
    names: u64,
}

impl<'a> Others<'a> {
    /// Those that may be of this name.
    fn named(&self, name: &str) -> Fields<'a> {
        let none = Fields {
            message: &[],
            at: 0,
            over: false,
        };
        // Nearly always there are none.
        match self.names {
            0 => none,
            names if names & sign(name.as_bytes()) == 0 => none,
            _ => self.fields.clone(),
        }
    }
}

/// One bit for a name, whatever its case.
fn sign(name: &[u8]) -> u64 {
    let letter = |byte: Option<&u8>| byte.map_or(0, |byte| usize::from(byte.to_ascii_lowercase()));
    1 << ((7 * name.len() + 3 * letter(name.first()) + letter(name.last())) % 64)
}

/// The fields from a place in a message on, to where none can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fields<'a> {
    message: &'a [u8],
    at: usize,
    /// Lines that are none are passed over.
    over: bool,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let message = self.message;
        let (start, mut end, name, colon) = loop {
            let start = self.at;
            if ends_header(&message[start..]) {
                return None;
            }
            let end = line_end(message, start);
            match field_name(&message[start..end]) {
                Some((name, colon)) => break (start, end, name, colon),
                None if self.over => self.at = end,
                None => return None,
            }
        };
        while matches!(message.get(end), Some(b' ' | b'\t')) {
            end = line_end(message, end);
        }
        self.at = end;
        Some(Field {
            name,
            value: &message[start + colon + 1..end],
            start,
            end,
        })
    }
}

/// Whether a header ends here: at an empty line, or with the message.
fn ends_header(rest: &[u8]) -> bool {
    matches!(rest, [] | [b'\n', ..] | [b'\r', b'\n', ..])
}

/// An mbox separator that a tool left above the header is no part of it.
fn skip_mbox_lines(message: &[u8], mut at: usize) -> usize {
    while is_from_line(&message[at..]) || message[at..].strip_prefix(b">").is_some_and(is_from_line) {
        at = line_end(message, at);
    }
    at
}

/// Whether text begins with a `From ` line. `From : jane` is a header field in obsolete syntax (RFC 5322, 4.5).
pub fn is_from_line(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"From ") else {
        return false;
    };
    let behind = rest.iter().find(|byte| !matches!(byte, b' ' | b'\t'));
    behind != Some(&b':')
}

/// Where the header begins behind a byte order mark, empty lines and spaces that some program put before it; `None`
/// where there is none of them, or what follows is not plainly a header.
fn begin(message: &[u8]) -> Option<usize> {
    let behind = message.strip_prefix(BYTE_ORDER_MARK).unwrap_or(message);
    let spaced = behind.trim_ascii_start();
    let before = message.len() - spaced.len();
    if before == 0 || spaced.is_empty() {
        return None;
    }
    let at = skip_mbox_lines(message, before);
    let (name, _) = field_name(&message[at..line_end(message, at)])?;
    (once(name).is_some() || is_of_headers(name)).then_some(at)
}

/// Where a header ends that goes on below the line at which `header` broke off. It does where an empty line ends it,
/// and what stands between are fields, of which one at least is one that mail has and none a second one of what a
/// message has once; and few other lines. A body that begins right below the header has no such lines, unless it quotes
/// another header.
fn goes_on(message: &[u8], header: &Header) -> Option<usize> {
    let above = header.fields().filter_map(|field| once(field.name));
    let above: u32 = above.fold(0, |all, place| all | 1 << place);
    let (mut at, mut broken, mut of_headers) = (header.end, 0, false);
    while !ends_header(&message[at..]) {
        let end = line_end(message, at);
        let line = &message[at..end];
        let folded = matches!(line, [b' ' | b'\t', ..]);
        match field_name(line) {
            _ if folded => {}
            None => broken += 1,
            Some((name, _)) => match once(name) {
                Some(place) if above & (1 << place) != 0 => return None,
                Some(_) => of_headers = true,
                None => of_headers |= is_of_headers(name),
            },
        }
        if broken > BROKEN {
            return None;
        }
        at = end;
    }
    (of_headers && at < message.len()).then_some(at)
}

/// The place in [`ONCE`] of a field's name.
fn once(name: &[u8]) -> Option<usize> {
    ONCE.iter().position(|once| name.eq_ignore_ascii_case(once.as_bytes()))
}

fn is_of_headers(name: &[u8]) -> bool {
    let begins = |known: &&str| {
        let begin = name.get(..known.len());
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(known.as_bytes()))
    };
    OF_HEADERS.iter().any(begins)
}

fn line_end(message: &[u8], at: usize) -> usize {
    memchr(b'\n', &message[at..]).map_or(message.len(), |newline| at + newline + 1)
}

/// The name that a line begins with, and where its colon is. White space before the
/// colon is obsolete syntax (RFC 5322, 4.5).
fn field_name(line: &[u8]) -> Option<(&[u8], usize)> {
    let colon = memchr(b':', line)?;
    let name = line[..colon].trim_ascii_end();
    let readable = !name.is_empty() && name.iter().all(|byte| (33..=126).contains(byte));
    readable.then_some((name, colon))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(message: &[u8]) -> Vec<String> {
        let header = Header::scan(message);
        let names = header
            .fields()
            .map(|field| String::from_utf8_lossy(field.name).into_owned());
        names.collect()
    }

    #[test]
    fn fields_are_read_in_their_order() {
        let message = b"From x Mon\r\nTo: a@example.com,\r\n\tb@example.com\r\nSubject : hi\nX:\r\n\r\nBody: no\r\n";
        let header = Header::scan(message);
        assert_eq!(names(message), ["To", "Subject", "X"]);
        let first = header.fields().next().unwrap();
        assert_eq!(first.value, b" a@example.com,\r\n\tb@example.com\r\n");
        assert_eq!(&message[header.end..], b"\r\nBody: no\r\n");
        assert!(header.well_ended);
    }

    #[test]
    fn a_from_field_with_a_space_before_its_colon_is_not_passed_over_as_a_from_line() {
        for from in ["From : Jane <jane@example.com>", "From \t: jane@example.com", "From :"] {
            let message = format!("{from}\nTo : b\n\nbody\n");
            assert_eq!(names(message.as_bytes()), ["From", "To"], "{from}");
            let header = Header::scan(message.as_bytes());
            assert_eq!((header.well_ended, header.fields().count()), (true, 2), "{from}");
            assert_eq!(names(format!("\n{message}").as_bytes()), ["From", "To"], "{from}");
        }
    }

    fn end(message: &str) -> usize {
        Header::scan(message.as_bytes()).end
    }

    #[test]
    fn a_line_in_the_header_that_is_no_field_does_not_hide_the_fields_below_it() {
        for line in [
            "text that was folded without a space",
            "Tö: x",
            "Two Words: x",
            ": no name",
            ">From joe Thu Jan  1 00:00:00 2026",
            "{",
        ] {
            let message = format!("Received: x\n y\n{line}\n z\nFrom: a\n{line}\nTo: b\n\nBody: no\n");
            let header = Header::scan(message.as_bytes());
            assert_eq!(names(message.as_bytes()), ["Received", "From", "To"], "{line}");
            assert_eq!(&message[header.end..], "\nBody: no\n");
            assert_eq!((header.ended, header.broken), (true, Some("Received: x\n y\n".len())));
            assert_eq!(header.all("To").next().unwrap().value, b" b\n");
        }
        let many = format!("X: y\n{}no field\nTo: b\n\n", "Y: z\n".repeat(2 * AT_HAND));
        let header = Header::scan(many.as_bytes());
        assert_eq!((header.all("Y").count(), header.all("To").count()), (2 * AT_HAND, 1));
    }

    #[test]
    fn a_body_right_below_the_header_is_not_read_as_header() {
        let above = "From: a\nTo: b\nSubject: c\n";
        for body in [
            // Nothing ends it.
            "Hello,\nCc: jane\n",
            "Hello,\n\nCc: jane\n\n",
            // Another message's header.
            "you wrote\nFrom: b\nCc: jane\n\n",
            "you wrote\nDate: now\nCc: jane\nsubject: c\n\n",
            // Names that no header has.
            "Dear Sir\nhttp://example.com\nNote: x\n\n",
            &format!("{}Cc: jane\n\n", "a line of text\n".repeat(BROKEN + 1)),
        ] {
            let message = format!("{above}{body}");
            assert_eq!(end(&message), above.len(), "{body}");
            assert_eq!(names(message.as_bytes()), ["From", "To", "Subject"], "{body}");
        }
        // Nor is that of a part.
        assert!(Header::of_part(b"text\nTo: jane\n\n").is_empty());
        assert!(Header::of_part(b"\nTo: jane\n\n").is_empty());
    }

    #[test]
    fn what_a_program_put_before_the_header_does_not_hide_it() {
        for before in [
            "\u{feff}",
            "\n",
            "\r\n\r\n",
            " ",
            "\u{feff}\r\n",
            "  \n",
            "\u{feff}From x Thu Jan  1 00:00:00 2026\n",
        ] {
            let message = format!("{before}To: b\nX:y\n\nbody\n");
            assert_eq!(names(message.as_bytes()), ["To", "X"], "{before:?}");
            let header = Header::scan(message.as_bytes());
            assert_eq!(
                (header.ended, header.well_ended, header.broken),
                (true, false, Some(0)),
                "{before:?}"
            );
        }
        for text in ["\nHello: x\n\nTo: b\n", "\n\nhello\n", "\u{feff}hello\n", "\n", " \n"] {
            assert_eq!(names(text.as_bytes()), [""; 0], "{text:?}");
        }
    }

    #[test]
    fn a_line_that_is_no_field_ends_the_header() {
        let header = Header::scan(b"To: a@example.com\nno field here\nCc: b@example.com\n");
        assert_eq!((header.fields().count(), header.end, header.well_ended), (1, 18, false));
        assert_eq!(names(b" folded first line\nTo: x\n"), [""; 0]);
        assert_eq!(names(b""), [""; 0]);
        assert_eq!(names("Tö: a@example.com\n".as_bytes()), [""; 0]);
    }

    /// Two million fields took forty times their own bytes.
    #[test]
    fn a_header_of_a_million_fields_is_kept_in_next_to_nothing() {
        let few = AT_HAND - 1;
        for more in [0, 1, 2, 1_000_000] {
            let message = format!("{}{}Last: z\n\nbody\n", "X: y\n".repeat(few), "Y:\n z\n".repeat(more));
            let header = Header::scan(message.as_bytes());
            assert!(header.at_hand.len() <= AT_HAND);
            assert_eq!(header.fields().count(), few + more + 1);
            assert_eq!((header.all("x").count(), header.all("Y").count()), (few, more));
            assert_eq!(header.all("last").next().unwrap().value, b" z\n");
            assert_eq!(header.all("Absent").count(), 0);
            assert_eq!((&message[header.end..], header.well_ended), ("\nbody\n", true));
        }
        let broken = "Y: z\n".repeat(2 * AT_HAND) + "no field\nY: body\n";
        let header = Header::scan(broken.as_bytes());
        assert_eq!((header.all("Y").count(), header.well_ended), (2 * AT_HAND, false));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(message in prop::collection::vec(prop::sample::select(b"a: \t\r\n\0\xff".to_vec()), 0..80)) {
            let header = Header::scan(&message);
            prop_assert!(header.end <= message.len());
            for field in header.fields() {
                prop_assert!(field.end <= header.end);
                prop_assert!(message[field.start..field.end].ends_with(field.value));
            }
        }
    }
}
