//! When a message says that it was written: the date as RFC 5322 has it (3.3 and 4.3), and as programs and people write
//! it otherwise, if there is no doubt what is meant: no date is better than a wrong one.

use jiff::{civil, tz::Offset};
use memchr::memmem;

use super::{
    date_names::{UNKNOWN, UTC, Zone, is_day, month, zone},
    plain_date::plain_date,
    words::said,
};

/// Bytes of a value that are read, and tokens in it.
const LONGEST: usize = 1 << 10;
const MOST: usize = 40;
/// The years of mail, those of machines with a wrong clock included. What is before is how some programs write no date.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=9999;

/// A date that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date {
    /// Since 1970 UTC.
    pub seconds: i64,
    /// Whether the hour is known: it has one, and a zone that means something. A date without any zone is of UTC, as
    /// one with `-0000` is (RFC 5322, 3.3).
    pub is_exact: bool,
}

/// Reads a date; `None` where there is none, or doubt of which.
pub(super) fn date(value: &[u8]) -> Option<Date> {
    let value = &value[..value.len().min(LONGEST)];
    if let Some(seconds) = at_sight(value.trim_ascii()) {
        let is_exact = true;
        return Some(Date { seconds, is_exact });
    }
    if memmem::find(value, b"=?").is_some() {
        return Reader::new(said(value, None).as_bytes()).read();
    }
    Reader::new(value).read()
}

/// `Wed, 17 Jul 1996 02:44:25 -0700 (PDT)`, with or without the day of the week and the comment.
fn at_sight(value: &[u8]) -> Option<i64> {
    const DAYS: [&[u8]; 7] = [b"Mon, ", b"Tue, ", b"Wed, ", b"Thu, ", b"Fri, ", b"Sat, ", b"Sun, "];
    let of_week = value.get(..5).filter(|beginning| DAYS.contains(beginning));
    let value = &value[of_week.map_or(0, <[u8]>::len)..];
    let plain = match memchr::memchr(b'(', value) {
        Some(at) => {
            let comment = value[at + 1..].strip_suffix(b")")?;
            let is_plain = comment.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b' ');
            value[..at].strip_suffix(b" ").filter(|_| is_plain)?
        }
        None => value,
    };
    plain_date(plain, b' ')
}

/// Reads a date with its time of day, in seconds since 1970 UTC; `None` where there is doubt of which it is, or of its
/// hour.
pub fn moment(value: &[u8]) -> Option<i64> {
    date(value).filter(|date| date.is_exact).map(|date| date.seconds)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Number { value: u32, digits: usize },
    Word(&'a [u8]),
    Mark(u8),
}

/// The tokens of a value, and which is the next. Comments and white space part them.
struct Reader<'a> {
    tokens: [Token<'a>; MOST],
    length: usize,
    at: usize,
}

#[derive(Clone, Copy)]
struct Day {
    /// `None` where it stands at the end (`Thu Jan  1 10:00:00 2026`).
    year: Option<i16>,
    month: i8,
    day: i8,
}

impl<'a> Reader<'a> {
    fn new(text: &'a [u8]) -> Self {
        let mut reader = Self {
            tokens: [Token::Mark(0); MOST],
            length: 0,
            at: 0,
        };
        let mut rest = text;
        while let [first, others @ ..] = rest {
            let run = |is_in: fn(&u8) -> bool| rest.iter().position(|byte| !is_in(byte)).unwrap_or(rest.len());
            let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || !byte.is_ascii();
            let (token, length) = match first {
                b'(' => {
                    rest = &others[comment_end(others)..];
                    continue;
                }
                byte if byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'<' | b'>') => {
                    rest = others;
                    continue;
                }
                b'0'..=b'9' => {
                    let digits = run(u8::is_ascii_digit);
                    let value = rest[..digits].iter().fold(0u32, |value, digit| {
                        value.saturating_mul(10).saturating_add(u32::from(digit - b'0'))
                    });
                    (Token::Number { value, digits }, digits)
                }
                byte if is_letter(byte) => {
                    let length = run(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii());
                    (Token::Word(&rest[..length]), length)
                }
                byte => (Token::Mark(*byte), 1),
            };
            rest = &rest[length..];
            if reader.length == MOST {
                break;
            }
            reader.tokens[reader.length] = token;
            reader.length += 1;
        }
        reader
    }

    fn ahead(&self, n: usize) -> Option<Token<'a>> {
        self.tokens[..self.length].get(self.at + n).copied()
    }

    fn mark(&mut self, marks: &[u8]) -> Option<u8> {
        match self.ahead(0) {
            Some(Token::Mark(mark)) if marks.contains(&mark) => {
                self.at += 1;
                Some(mark)
            }
            _ => None,
        }
    }

    /// A number of so many digits.
    fn number(&mut self, digits: std::ops::RangeInclusive<usize>) -> Option<u32> {
        match self.ahead(0) {
            Some(Token::Number { value, digits: written }) if digits.contains(&written) => {
                self.at += 1;
                Some(value)
            }
            _ => None,
        }
    }

    fn word(&mut self, is_such: impl Fn(&[u8]) -> bool) -> bool {
        let found = matches!(self.ahead(0), Some(Token::Word(word)) if is_such(word));
        self.at += usize::from(found);
        found
    }

    fn month(&mut self) -> Option<i8> {
        let Some(Token::Word(word)) = self.ahead(0) else {
            return None;
        };
        let month = month(word)?;
        self.at += 1;
        Some(month)
    }

    /// What `read` reads; where it is none, nothing is.
    fn attempt<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let before = self.at;
        let read = read(self);
        if read.is_none() {
            self.at = before;
        }
        read
    }

    fn read(mut self) -> Option<Date> {
        let (mut day, mut time, mut zone) = (None, None, None);
        while self.at < self.length {
            if time.is_none()
                && let Some(read) = self.attempt(|it| it.time(day.is_some_and(|day: Day| day.year.is_some())))
            {
                time = Some(read?);
                continue;
            }
            match &mut day {
                None => {
                    if let Some(read) = self.attempt(Self::day) {
                        day = Some(read);
                        continue;
                    }
                }
                Some(Day { year: year @ None, .. }) => {
                    if let Some(read) = self.attempt(Self::year) {
                        *year = Some(read);
                        continue;
                    }
                }
                // All is there: what follows says the same once more, or something else.
                Some(_) if time.is_some() && zone.is_some() => break,
                Some(_) => {}
            }
            if time.is_some() && zone.is_none() {
                zone = self.attempt(Self::zone);
                if zone.is_some() {
                    continue;
                }
            }
            match self.ahead(0)? {
                // The name of the day, and what joins the parts of a date.
                Token::Word(_) | Token::Mark(b',' | b'.' | b'-' | b':' | b';' | b'/' | b'=' | b'_') => self.at += 1,
                // Not understood, so nothing is.
                Token::Number { .. } | Token::Mark(_) => return None,
            }
        }
        let (day, (hour, minute, second)) = (day?, time.unwrap_or((0, 0, 0)));
        let year = day.year.filter(|year| YEARS.contains(year))?;
        let midnight = civil::Date::new(year, day.month, day.day).ok()?.at(0, 0, 0, 0);
        let zone = zone.unwrap_or(UTC);
        let seconds = Offset::UTC.to_timestamp(midnight).ok()?.as_second();
        let in_day = i64::from(hour * 3600 + minute * 60 + second);
        Some(Date {
            seconds: seconds + in_day - 60 * i64::from(zone.minutes),
            is_exact: time.is_some() && zone.is_known,
        })
    }

    fn day(&mut self) -> Option<Day> {
        self.attempt(Self::year_first)
            .or_else(|| self.attempt(Self::day_first))
            .or_else(|| self.attempt(Self::month_first))
            .or_else(|| self.attempt(Self::in_numbers))
    }

    /// `2026-01-31`, `2026/1/31`, `2026-Jan-31`, `20260131`.
    fn year_first(&mut self) -> Option<Day> {
        if let Some(digits) = self.number(8..=8) {
            let part = |divisor: u32, modulus: u32| digits / divisor % modulus;
            return Day::of(i16::try_from(part(10_000, 10_000)).ok(), part(100, 100), part(1, 100));
        }
        let year = self.number(4..=4)?;
        let mark = self.mark(b"-/.")?;
        let month = match self.month() {
            Some(month) => month.unsigned_abs().into(),
            None => self.number(1..=2)?,
        };
        self.mark(&[mark])?;
        let day = self.number(1..=2)?;
        Day::of(i16::try_from(year).ok(), month, day)
    }

    /// `31 Jan 2026`, `31-Jan-26`, `31st of January, 2026`, `31 Jan` before a time.
    fn day_first(&mut self) -> Option<Day> {
        let day = self.number(1..=2)?;
        self.word(|word| matches!(word, b"st" | b"nd" | b"rd" | b"th"));
        while self.mark(b"-/.,").is_some() || self.word(|word| matches!(word, b"of" | b"de")) {}
        let month = self.month()?;
        let year = self.attempt(|it| {
            while it.mark(b"-/.,").is_some() || it.word(|word| word == b"de") {}
            it.year()
        });
        Day::of_month(year, month, day)
    }

    /// `Jan 31` before a time, `January 31, 2026`.
    fn month_first(&mut self) -> Option<Day> {
        let month = self.month()?;
        while self.mark(b"-.,").is_some() {}
        let day = self.number(1..=2)?;
        // In some languages the name of a day is like that of a month.
        if matches!(self.ahead(0), Some(Token::Word(word)) if self::month(word).is_some()) {
            return None;
        }
        self.word(|word| matches!(word, b"st" | b"nd" | b"rd" | b"th"));
        let year = self.attempt(|it| {
            while it.mark(b"-.,").is_some() {}
            it.year()
        });
        Day::of_month(year, month, day)
    }

    /// `31.1.2026`; `31/1/2026` and `1/31/2026`, where one of them can be no month.
    fn in_numbers(&mut self) -> Option<Day> {
        let first = self.number(1..=2)?;
        let mark = self.mark(b"./-")?;
        let second = self.number(1..=2)?;
        self.mark(&[mark])?;
        let year = self.number(4..=4).and_then(|year| i16::try_from(year).ok());
        let (month, day) = match (mark, first, second) {
            (b'.', day, month) => (month, day),
            (_, day @ 13.., month) | (_, month, day @ 13..) => (month, day),
            (_, one, other) if one == other => (one, one),
            _ => return None,
        };
        year.and_then(|year| Day::of(Some(year), month, day))
    }

    /// Of two and three digits as RFC 5322 has it (4.3). What a colon follows is an hour.
    fn year(&mut self) -> Option<i16> {
        let Some(Token::Number { value, digits }) = self.ahead(0) else {
            return None;
        };
        if digits < 4 && self.ahead(1) == Some(Token::Mark(b':')) {
            return None;
        }
        let year = match (digits, value) {
            (2, 0..=49) => 2000 + value,
            // Those of three digits are what was left of programs in the year 2000.
            (2 | 3, 0..=250) | (4, 100..=250) => 1900 + value,
            (4, _) => value,
            _ => return None,
        };
        self.at += 1;
        i16::try_from(year).ok()
    }

    /// Hour, minute and second; `None` inside where there are no such. `dated`: without colons, too.
    #[allow(clippy::option_option)]
    fn time(&mut self, dated: bool) -> Option<Option<(u32, u32, u32)>> {
        let is_signed = matches!(self.tokens.get(self.at.wrapping_sub(1)), Some(Token::Mark(b'-' | b'+')));
        if let (
            true,
            Some(Token::Number {
                value,
                digits: digits @ (4 | 6),
            }),
        ) = (dated && !is_signed, self.ahead(0))
        {
            self.at += 1;
            let value = if digits == 4 { value * 100 } else { value };
            return Some(clock(value / 10_000, value / 100 % 100, value % 100));
        }
        let mut hour = self.number(1..=2)?;
        let mark = self.mark(if dated { b":." } else { b":" })?;
        let minute = self.number(1..=2)?;
        let second = self.attempt(|it| {
            it.mark(&[mark])?;
            it.number(1..=2)
        });
        // Parts of a second.
        let parts = |it: &mut Self| match it.mark(b".,")? {
            b'.' => it.number(1..=9),
            _ => it.number(3..=3),
        };
        if second.is_some() && mark == b':' {
            self.attempt(parts);
        }
        let half = match (self.ahead(0), self.ahead(1), self.ahead(2)) {
            (Some(Token::Word([half @ (b'a' | b'p' | b'A' | b'P'), b'm' | b'M'])), ..) => Some((*half, 1)),
            (
                Some(Token::Word([half @ (b'a' | b'p' | b'A' | b'P')])),
                Some(Token::Mark(b'.')),
                Some(Token::Word([b'm' | b'M'])),
            ) => Some((*half, 3)),
            _ => None,
        };
        if let Some((half, tokens)) = half {
            self.at += tokens;
            hour = match (half | 0x20, hour) {
                (b'a', 12) => 0,
                (b'p', 1..=11) => hour + 12,
                _ => hour,
            };
        }
        Some(clock(hour, minute, second.unwrap_or(0)))
    }

    /// `+0100`, `+01:00`, `GMT+1`, `EST`, `MET DST`.
    fn zone(&mut self) -> Option<Zone> {
        let named = match self.ahead(0) {
            Some(Token::Word(word)) if is_day(word) => return None,
            Some(Token::Word(word)) => {
                self.at += 1;
                let mut zone = zone(word);
                if self.word(|word| word.eq_ignore_ascii_case(b"dst")) {
                    zone.minutes += 60;
                }
                Some(zone)
            }
            _ => None,
        };
        let written = self.attempt(Self::offset);
        match (named, written) {
            (None, None) => None,
            (Some(zone), None) | (None, Some(zone)) => Some(zone),
            // What a name says in front of an offset is which one it is, or that it counts from there.
            (Some(named), Some(written)) => Some(Zone {
                is_known: written.is_known
                    && (!named.is_known || named.minutes == 0 || named.minutes == written.minutes),
                ..written
            }),
        }
    }

    fn offset(&mut self) -> Option<Zone> {
        let sign = self.mark(b"+-")?;
        // Some put their own sign behind a plus.
        let sign = if self.mark(b"-").unwrap_or(sign) == b'+' { 1 } else { -1 };
        let Token::Number { value, digits } = self.ahead(0)? else {
            return None;
        };
        self.at += 1;
        let colon = |it: &mut Self| {
            it.mark(b":")?;
            it.number(2..=2)
        };
        let (hours, minutes) = match digits {
            1 | 2 => (value, self.attempt(colon).unwrap_or(0)),
            3 | 4 => (value / 100, value % 100),
            _ => return Some(UNKNOWN),
        };
        // The widest there are.
        match (hours, minutes) {
            (0..=14, 0..=59) => Some(Zone {
                minutes: sign * i32::try_from(hours * 60 + minutes).ok()?,
                is_known: true,
            }),
            _ => Some(UNKNOWN),
        }
    }
}

impl Day {
    fn of(year: Option<i16>, month: u32, day: u32) -> Option<Self> {
        Self::of_month(year, i8::try_from(month).ok()?, day)
    }

    fn of_month(year: Option<i16>, month: i8, day: u32) -> Option<Self> {
        Some(Self {
            year,
            month,
            day: i8::try_from(day).ok()?,
        })
    }
}

/// A time of day, with the end of it and a leap second.
fn clock(hour: u32, minute: u32, second: u32) -> Option<(u32, u32, u32)> {
    let is_one = matches!((hour, minute, second), (0..=23, 0..=59, 0..=60) | (24, 0, 0));
    is_one.then_some((hour, minute, second))
}

/// Where a comment ends that is open at the beginning of `text`: comments nest (RFC 5322, 3.2.2).
fn comment_end(text: &[u8]) -> usize {
    let (mut depth, mut escaped) = (1, false);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    text.len()
}

#[cfg(test)]
#[path = "dates_tests.rs"]
mod tests;
