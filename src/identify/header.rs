//! The header of a message, as bytes: fields in their order, and where the body begins.
//!
//! It follows what mail servers do (RFC 5322, 2.2 and 3.5, read generously): a line without
//! a field name ends the header, as the empty line does. Lines end in CRLF or LF.

use memchr::memchr;

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
    pub fields: Vec<Field<'a>>,
    /// Where the header ends: at the empty line, or where no field could be read any more.
    pub end: usize,
    /// Whether an empty line, or the end of the message, ended it.
    pub well_ended: bool,
}

impl<'a> Header<'a> {
    /// Reads the header of `message`. Never fails: whatever is no header is body.
    pub fn scan(message: &'a [u8]) -> Self {
        let mut fields: Vec<Field<'a>> = Vec::with_capacity(32);
        let mut at = skip_mbox_lines(message);
        while at < message.len() {
            let next = line_end(message, at);
            let line = &message[at..next];
            if matches!(line, b"\n" | b"\r\n") {
                return Self {
                    fields,
                    end: at,
                    well_ended: true,
                };
            }
            match (line[0], fields.last_mut()) {
                (b' ' | b'\t', Some(field)) => {
                    // The value so far ends where the field does.
                    field.value = &message[field.end - field.value.len()..next];
                    field.end = next;
                }
                _ => match field_name(line) {
                    Some((name, colon)) => {
                        fields.push(Field {
                            name,
                            value: &line[colon + 1..],
                            start: at,
                            end: next,
                        });
                    }
                    None => {
                        return Self {
                            fields,
                            end: at,
                            well_ended: false,
                        };
                    }
                },
            }
            at = next;
        }
        Self {
            fields,
            end: message.len(),
            well_ended: true,
        }
    }

    /// The fields of this name, from the top.
    pub fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s Field<'a>> {
        self.fields.iter().filter(move |field| field.is(name))
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
        header
            .fields
            .iter()
            .map(|field| String::from_utf8_lossy(field.name).into_owned())
            .collect()
    }

    #[test]
    fn fields_are_read_in_their_order() {
        let message = b"From x Mon\r\nTo: a@example.com,\r\n\tb@example.com\r\nSubject : hi\nX:\r\n\r\nBody: no\r\n";
        let header = Header::scan(message);
        assert_eq!(names(message), ["To", "Subject", "X"]);
        assert_eq!(header.fields[0].value, b" a@example.com,\r\n\tb@example.com\r\n");
        assert_eq!(&message[header.end..], b"\r\nBody: no\r\n");
        assert!(header.well_ended);
    }

    #[test]
    fn a_line_that_is_no_field_ends_the_header() {
        let header = Header::scan(b"To: a@example.com\nno field here\nCc: b@example.com\n");
        assert_eq!((header.fields.len(), header.end, header.well_ended), (1, 18, false));
        assert_eq!(names(b" folded first line\nTo: x\n"), [""; 0]);
        assert_eq!(names(b""), [""; 0]);
        assert_eq!(names("Tö: a@example.com\n".as_bytes()), [""; 0]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(message in prop::collection::vec(prop::sample::select(b"a: \t\r\n\0\xff".to_vec()), 0..80)) {
            let header = Header::scan(&message);
            prop_assert!(header.end <= message.len());
            for field in &header.fields {
                prop_assert!(field.end <= header.end);
                prop_assert!(message[field.start..field.end].ends_with(field.value));
            }
        }
    }
}
