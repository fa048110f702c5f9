//! A date in the one way in which nearly all of them are written, read at sight. There are two for each message, and what
//! reads every date takes ten times as long.

use jiff::{civil::Date, tz::Offset};

const MONTHS: [&[u8; 3]; 12] = [
    b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec",
];

/// The seconds since 1970 UTC of `17 Jul 1996 02:44:25 -0700`, with `mark` between the parts of its day. `None` where it is
/// written in another way, or is of a year, zone or second that there seldom is.
pub fn plain_date(text: &[u8], mark: u8) -> Option<i64> {
    let (day, rest) = match text {
        [day, behind, rest @ ..] if *behind == mark => (number(&[*day])?, rest),
        [tens, ones, behind, rest @ ..] if *behind == mark => (number(&[*tens, *ones])?, rest),
        _ => return None,
    };
    let rest: &[u8; 23] = rest.try_into().ok()?;
    let marks = [(3, mark), (8, b' '), (11, b':'), (14, b':'), (17, b' ')];
    if marks.iter().any(|(at, mark)| rest[*at] != *mark) {
        return None;
    }
    let month = MONTHS.iter().position(|name| rest[..3].eq_ignore_ascii_case(*name))?;
    let year = number(&rest[4..8]).filter(|year| (1900..3000).contains(year))?;
    let date = Date::new(year, i8::try_from(month).ok()? + 1, i8::try_from(day).ok()?).ok()?;
    let part = |at: usize| number(&rest[at..at + 2]).map(i64::from);
    let (hour, minute, second) = (part(9)?, part(12)?, part(15)?);
    let (hours, minutes) = (part(19)?, part(21)?);
    if hour > 23 || minute > 59 || second > 59 || hours > 14 || minutes > 59 {
        return None;
    }
    let zone = 60 * (60 * hours + minutes);
    let zone = match rest[18] {
        b'+' => zone,
        b'-' => -zone,
        _ => return None,
    };
    let midnight = Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()?.as_second();
    Some(midnight + 60 * (60 * hour + minute) + second - zone)
}

fn number(digits: &[u8]) -> Option<i16> {
    digits.iter().try_fold(0, |number, digit| {
        digit.is_ascii_digit().then(|| 10 * number + i16::from(digit - b'0'))
    })
}

#[test]
fn a_date_is_read_at_sight_where_it_is_written_as_most_are() {
    assert_eq!(plain_date(b"17-Jul-1996 02:44:25 -0700", b'-'), Some(837_596_665));
    assert_eq!(plain_date(b"7 Jul 1996 02:44:25 -0700", b' '), Some(836_732_665));
    for none in [
        "17-Jul-1996 02:44:25 -0700",
        "31 Feb 1996 02:44:25 -0700",
        "17 Jul 96 02:44:25 -0700",
        "17 Jul 1996 02:44:25 GMT",
        "17 Jul 1996 02:44:60 -0700",
        "17 Jul 1996 02:44:25 -9900",
        "",
    ] {
        assert_eq!(plain_date(none.as_bytes(), b' '), None, "{none}");
    }
}
