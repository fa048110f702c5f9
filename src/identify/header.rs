//! The header of a message, as bytes: fields in their order, and where the body begins.
//!
//! It follows what mail servers do (RFC 5322, 2.2 and 3.5, read generously): a line without
//! a field name ends the header, as the empty line does. Lines end in CRLF or LF.
//!
//! A header can be all of a message, and have fields of three bytes: a table of them would be many times its size. So
//! the first ones are kept at hand, and those behind them are read again whenever somebody asks for them.

use memchr::memchr;

/// Fields that are kept at hand; mail that is not made to be a burden has fewer.
const AT_HAND: usize = 1000;

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
    others: Others<'a>,
    /// Where the header ends: at the empty line, or where no field could be read any more.
    pub end: usize,
    /// Whether an empty line, or the end of the message, ended it.
    pub well_ended: bool,
}

impl<'a> Header<'a> {
    /// Reads the header of `message`. Never fails: whatever is no header is body.
    pub fn scan(message: &'a [u8]) -> Self {
        let mut fields = Fields {
            message,
            at: skip_mbox_lines(message),
        };
        let mut at_hand = Vec::with_capacity(32);
        at_hand.extend(fields.by_ref().take(AT_HAND));
        let mut others = Others {
            fields: fields.clone(),
            names: 0,
        };
        for field in fields.by_ref() {
            others.names |= sign(field.name);
        }
        let end = fields.at;
        others.fields.message = &message[..end];
        let well_ended = matches!(&message[end..], [] | [b'\n', ..] | [b'\r', b'\n', ..]);
        Self {
            at_hand,
            others,
            end,
            well_ended,
        }
    }

    /// All fields, from the top.
    pub fn fields(&self) -> impl Iterator<Item = Field<'a>> {
        self.at_hand.iter().copied().chain(self.others.fields.clone())
    }

    /// The fields of this name, from the top.
    pub fn all(&self, name: &str) -> impl Iterator<Item = Field<'a>> {
        let others = self.others.named(name);
        let at_hand = self.at_hand.iter().filter(move |field| field.is(name)).copied();
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
        let none = Fields { message: &[], at: 0 };
        match self.names & sign(name.as_bytes()) {
            0 => none,
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
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let (message, start) = (self.message, self.at);
        if matches!(&message[start..], [] | [b'\n', ..] | [b'\r', b'\n', ..]) {
            return None;
        }
        let mut end = line_end(message, start);
        let (name, colon) = field_name(&message[start..end])?;
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

/// An mbox separator that a tool left above the header is no part of it.
fn skip_mbox_lines(message: &[u8]) -> usize {
    let mut at = 0;
    while message[at..].starts_with(b"From ") || message[at..].starts_with(b">From ") {
        at = line_end(message, at);
    }
    at
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
