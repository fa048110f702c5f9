//! The text of calendars and cards: iCalendar (RFC 5545) and vCard (RFC 6350, and version 2.1), which share a form of
//! lines. Their values are text, but for those that stand for the program alone.

use super::output::{Output, Stop};
use crate::identify::undeclared;

/// Properties whose values nobody reads.
const NOT_READ: [&str; 22] = [
    "BEGIN",
    "END",
    "VERSION",
    "PRODID",
    "UID",
    "DTSTAMP",
    "SEQUENCE",
    "CALSCALE",
    "METHOD",
    "REV",
    "TRANSP",
    "CLASS",
    "CREATED",
    "LAST-MODIFIED",
    "TZOFFSETFROM",
    "TZOFFSETTO",
    "RRULE",
    "PHOTO",
    "LOGO",
    "SOUND",
    "KEY",
    "TRIGGER",
];
/// Bytes of a line that are read.
const LINE: usize = 1 << 20;

/// Reads a calendar or a card. Linear.
pub(super) fn read(text: &str, out: &mut Output) -> Result<(), Stop> {
    let mut lines = text.lines().peekable();
    while let Some(first) = lines.next() {
        let mut line = first.to_owned();
        // A line goes on in those that begin with white space, and in version 2.1 behind a soft line end.
        let is_quoted = is_quoted_printable(first);
        while let Some(next) = lines.peek() {
            let is_soft = is_quoted && line.ends_with('=');
            let folded = next.strip_prefix([' ', '\t']);
            match (is_soft, folded) {
                (true, _) => {
                    line.pop();
                    line.push_str(next);
                }
                (false, Some(more)) => line.push_str(more),
                (false, None) => break,
            }
            lines.next();
            if line.len() > LINE {
                return Err(Stop::broken("it has a line that is too long"));
            }
        }
        property(&line, is_quoted, out)?;
    }
    Ok(())
}

fn is_quoted_printable(line: &str) -> bool {
    let parameters = line.split(':').next().unwrap_or_default();
    parameters.to_ascii_uppercase().contains("QUOTED-PRINTABLE")
}

/// Writes what a line says: names of people in its parameters, and its value.
fn property(line: &str, is_quoted: bool, out: &mut Output) -> Result<(), Stop> {
    let Some((head, value)) = halves(line) else {
        return Ok(());
    };
    let mut head = pieces(head);
    // In cards a name may stand behind that of a group.
    let name = head.next().unwrap_or_default();
    let name = name.rsplit('.').next().unwrap_or(name);
    let is = |names: &[&str]| names.iter().any(|one| one.eq_ignore_ascii_case(name));
    if is(&NOT_READ) || name.to_ascii_uppercase().starts_with("X-MICROSOFT") {
        return Ok(());
    }
    let mut is_binary = false;
    for parameter in head {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = value.trim_matches('"');
        match name.to_ascii_uppercase().as_str() {
            "CN" if !value.is_empty() => {
                out.push(value)?;
                out.space()?;
            }
            "ENCODING" => is_binary |= value.eq_ignore_ascii_case("b") || value.eq_ignore_ascii_case("base64"),
            "BASE64" => is_binary = true,
            _ => {}
        }
    }
    if is_binary {
        return Ok(());
    }
    let value = match is_quoted {
        true => quoted(value),
        false => value.to_owned(),
    };
    let value = value
        .strip_prefix("mailto:")
        .or(value.strip_prefix("MAILTO:"))
        .unwrap_or(&value);
    out.push(&plain(value))?;
    out.line()
}

/// What stands before and behind the first colon that is not within quotes.
fn halves(line: &str) -> Option<(&str, &str)> {
    let mut is_quoted = false;
    let at = line.bytes().position(|byte| {
        is_quoted ^= byte == b'"';
        byte == b':' && !is_quoted
    })?;
    Some((&line[..at], &line[at + 1..]))
}

/// What stands between semicolons that are not within quotes.
fn pieces(head: &str) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    head.split(move |char| {
        is_quoted ^= char == '"';
        char == ';' && !is_quoted
    })
}

/// A value of quoted-printable, which is UTF-8 in all that is not old.
fn quoted(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, others @ ..] = rest {
        let escaped = match rest {
            [b'=', high, low, ..] => hex(*high, *low),
            _ => None,
        };
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &rest[3..] } else { others };
    }
    String::from_utf8(bytes).unwrap_or_else(|bytes| undeclared(bytes.as_bytes(), None))
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |digit: u8| {
        char::from(digit)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    Some(digit(high)? << 4 | digit(low)?)
}

/// A value without what escapes its commas and line ends; its parts are parted by spaces.
fn plain(value: &str) -> String {
    let (mut plain, mut chars) = (String::with_capacity(value.len()), value.chars());
    while let Some(char) = chars.next() {
        plain.push(match char {
            '\\' => match chars.next() {
                Some('n' | 'N') => '\n',
                Some(other) => other,
                None => break,
            },
            ';' => ' ',
            other => other,
        });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(file: &str) -> String {
        let mut out = Output::new(10_000);
        let ended = read(file, &mut out);
        out.end(ended).0
    }

    #[test]
    fn a_meeting_is_what_somebody_reads_of_it() {
        let file = "BEGIN:VCALENDAR\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\nUID:1@x\r\nDTSTART;TZID=Europe/Berlin:20260304T100000\r\n\
            SUMMARY;LANGUAGE=de:Übergabe\\, Teil 2\r\nDESCRIPTION:first\\nsec\r\n ond\r\n\
            ATTENDEE;CN=\"Doe; Jane: x\";RSVP=TRUE:mailto:jane@example.com\r\nATTACH;ENCODING=BASE64:AAAA\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        assert_eq!(
            text(file),
            "20260304T100000\nÜbergabe, Teil 2\nfirst\nsecond\nDoe; Jane: x jane@example.com"
        );
    }

    #[test]
    fn cards_of_any_version_are_read() {
        let file = "BEGIN:VCARD\nVERSION:2.1\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;An=\n=64rea\n\
            item1.EMAIL;TYPE=work:a@example.com\nPHOTO;ENCODING=b:AAAA\nNOTE:a\\;b\nEND:VCARD\n";
        assert_eq!(text(file), "Müller Andrea\na@example.com\na;b");
    }

    #[test]
    fn lines_that_are_none_are_passed_over() {
        assert_eq!(text("x\n\n:\n;;\nA;B\nNOTE:\n =\n\\"), "=");
        assert_eq!(text("NOTE;ENCODING=QUOTED-PRINTABLE:=\n=\n=4"), "=4");
    }
}
