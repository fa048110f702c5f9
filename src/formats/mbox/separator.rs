//! Which lines that begin with `From ` stand between two messages.
//!
//! In a well-written mbox all of them. But some programs quote nothing, so a line counts only where it looks like
//! one that a program wrote: it has a date, and an empty line before it or a header field behind it; or it has nothing
//! but an address, or nothing at all (Thunderbird), and both. A sentence that begins with `From ` is none of that.

use memchr::memchr;

use crate::formats::kind::begins_with_field;

/// Bytes from the line's beginning that [`separates`] looks at: the line, and the name of a field behind it.
pub(super) const LOOKAHEAD: usize = 1280;
/// Bytes of a `From ` line. Longer ones are text.
const LONGEST: usize = 1024;

/// Whether the line that `text` begins with separates messages. `blank_before`: an empty line is before it.
pub(super) fn separates(text: &[u8], blank_before: bool) -> bool {
    let (line, behind) = match memchr(b'\n', text) {
        Some(end) => text.split_at(end + 1),
        None => (text, &[][..]),
    };
    if line.len() > LONGEST {
        return false;
    }
    let field_behind = || begins_with_field(behind) || behind.starts_with(b">From ");
    if is_dated(line) {
        blank_before || field_behind()
    } else {
        blank_before
            && line
                .split(u8::is_ascii_whitespace)
                .filter(|word| !word.is_empty())
                .count()
                <= 2
            && field_behind()
    }
}

const MONTHS: [&[u8]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

/// Whether the first line of `text` has a month, a time and a year, in this order, as asctime writes them.
pub fn is_dated(text: &[u8]) -> bool {
    date(text).is_some()
}

/// The date in a `From ` line, in seconds since 1970, taken as UTC: `Thu Jan  1 00:00:00 2026`, with or without the
/// seconds, and with whatever time zone between time and year or behind them.
pub(super) fn date(line: &[u8]) -> Option<i64> {
    let end = memchr(b'\n', line).unwrap_or(line.len());
    let mut words = line[..end]
        .strip_prefix(b"From ")?
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    let month = words.find_map(|word| MONTHS.iter().position(|month| word.eq_ignore_ascii_case(month)))? as i8 + 1;
    let day = number(words.next()?)?;
    let mut time = words.next()?.split(|byte| *byte == b':');
    let (hour, minute) = (number(time.next()?)?, number(time.next()?)?);
    let second = time.next().map_or(Some(0), number)?;
    let year = words.find_map(|word| number(word).filter(|_| word.len() == 4))?;
    let small = |number: i16| i8::try_from(number).ok();
    let date = jiff::civil::DateTime::new(
        year,
        month,
        small(day)?,
        small(hour)?,
        small(minute)?,
        small(second)?,
        0,
    )
    .ok()?;
    let date = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    (1970..=9999).contains(&year).then(|| date.timestamp().as_second())
}

fn number(digits: &[u8]) -> Option<i16> {
    let all = !digits.is_empty() && digits.len() <= 4 && digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits).ok().filter(|_| all)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW_YEAR: i64 = 1_767_225_600;

    #[test]
    fn dates_are_read_as_programs_write_them() {
        for line in [
            "From jane@example.com Thu Jan  1 00:00:00 2026",
            "From - Thu Jan 01 00:00:00 2026\r\n",
            "From MAILER-DAEMON Thu Jan  1 00:00 2026\nDec",
            "From jane@example.com Thu Jan  1 00:00:00 MET DST 2026",
            "From jane@example.com Thu Jan  1 00:00:00 2026 +0100",
            "From \"jane doe\"@example.com  Thu Jan  1 00:00:00 2026 remote from elsewhere",
        ] {
            assert_eq!(date(line.as_bytes()), Some(NEW_YEAR), "{line}");
        }
        for line in [
            "From jane@example.com",
            "From the 1st of Jan we meet at 10:30",
            "From Jan on, the time is 10:00",
            "From x Thu Jan 32 00:00:00 2026",
            "From x Thu Jan  1 00:00:00 26",
            ">From x Thu Jan  1 00:00:00 2026",
            "From x\nThu Jan  1 00:00:00 2026",
        ] {
            assert_eq!(date(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn sentences_do_not_separate() {
        let dated = "From j@example.com Thu Jan  1 00:00:00 2026\n";
        for (text, before, expected) in [
            (format!("{dated}Subject: x\n"), false, true),
            (format!("{dated}Subject: x\n"), true, true),
            (format!("{dated}no field\n"), true, true),
            (format!("{dated}no field\n"), false, false),
            (dated.trim_end().to_owned(), true, true),
            ("From \r\nSubject: x\r\n".into(), true, true),
            ("From - \nX-Mozilla-Status: 0001\n".into(), true, true),
            ("From j@example.com\nSubject: x\n".into(), true, true),
            ("From j@example.com\nSubject: x\n".into(), false, false),
            ("From j@example.com\nsaid\n".into(), true, false),
            ("From then on:\nNote: all is well\n".into(), true, false),
            ("From\n".into(), true, false),
            (format!("From {}{dated}Subject: x\n", "x".repeat(2000)), true, false),
        ] {
            assert_eq!(separates(text.as_bytes(), before), expected, "{text}");
        }
    }
}
