//! Dates and lengths of time as queries write them. Pure. Days begin as those of lists do, in UTC.

use std::fmt;

use jiff::{
    Span, Timestamp,
    civil::{Date, date},
    tz::TimeZone,
};

/// A year, a month or a day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Day {
    year: i16,
    month: Option<i8>,
    day: Option<i8>,
}

impl Day {
    /// `2025`, `2025-01` or `2025-01-31`; with slashes, too.
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split(['-', '/']);
        let mut number = |digits: usize, most: usize| -> Option<Option<i16>> {
            let Some(text) = numbers.next() else { return Some(None) };
            let is_one = (digits..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
            is_one.then(|| text.parse().ok()).flatten().map(Some)
        };
        let (year, month, day) = (number(4, 4)??, number(1, 2)?, number(1, 2)?);
        if numbers.next().is_some() {
            return None;
        }
        let small = |number: Option<i16>| number.and_then(|number| i8::try_from(number).ok());
        let parsed = Self {
            year,
            month: small(month),
            day: small(day),
        };
        parsed.first_day().map(|_| parsed)
    }

    /// `None` where there is no such day.
    fn first_day(self) -> Option<Date> {
        Date::new(self.year, self.month.unwrap_or(1), self.day.unwrap_or(1)).ok()
    }

    /// Its first second.
    pub fn begins(self) -> i64 {
        second(self.first_day().unwrap_or(Date::MIN))
    }

    /// The first second behind it.
    pub fn ends(self) -> i64 {
        let span = match (self.month, self.day) {
            (None, _) => Span::new().years(1),
            (Some(_), None) => Span::new().months(1),
            (Some(_), Some(_)) => Span::new().days(1),
        };
        match self.first_day().unwrap_or(Date::MIN).checked_add(span) {
            Ok(next) => second(next),
            // The last year there is.
            Err(_) => second(date(9999, 12, 31)) + 86_400,
        }
    }
}

fn second(day: Date) -> i64 {
    i64::from((day - date(1970, 1, 1)).get_days()) * 86_400
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.year)?;
        for number in self.month.iter().chain(&self.day) {
            write!(f, "-{number:02}")?;
        }
        Ok(())
    }
}

/// How long ago: `30d`, `2y`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ago {
    number: u32,
    unit: Unit,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Unit {
    Hour,
    Day,
    Week,
    Month,
    Year,
}

const UNITS: [(char, Unit); 5] = [
    ('h', Unit::Hour),
    ('d', Unit::Day),
    ('w', Unit::Week),
    ('m', Unit::Month),
    ('y', Unit::Year),
];

impl Ago {
    pub fn parse(text: &str) -> Option<Self> {
        let unit = text.chars().next_back()?;
        let digits = &text[..text.len() - unit.len_utf8()];
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let (_, unit) = UNITS
            .into_iter()
            .find(|(letter, _)| unit.eq_ignore_ascii_case(letter))?;
        Some(Self {
            number: digits.parse().ok()?,
            unit,
        })
    }

    /// That long before `now`, in seconds; where that is before all times, the smallest number. Months and years are
    /// those of the calendar.
    pub fn before(self, now: Timestamp) -> i64 {
        let number = i64::from(self.number);
        let span = match self.unit {
            Unit::Hour => Span::new().try_hours(number),
            Unit::Day => Span::new().try_days(number),
            Unit::Week => Span::new().try_weeks(number),
            Unit::Month => Span::new().try_months(number),
            Unit::Year => Span::new().try_years(number),
        };
        let then = span.and_then(|span| now.to_zoned(TimeZone::UTC).checked_sub(span));
        then.map_or(i64::MIN, |then| then.timestamp().as_second())
    }
}

impl fmt::Display for Ago {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = UNITS.iter().find(|(_, unit)| *unit == self.unit);
        write!(f, "{}{}", self.number, letter.map_or(' ', |(letter, _)| *letter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_a_month_and_a_year_begin_and_end() {
        for (text, first, behind) in [
            ("2025", "2025-01-01", "2026-01-01"),
            ("2024-02", "2024-02-01", "2024-03-01"),
            ("2025/12/31", "2025-12-31", "2026-01-01"),
            ("2025-1-3", "2025-01-03", "2025-01-04"),
            ("0001", "0001-01-01", "0002-01-01"),
        ] {
            let day = Day::parse(text).unwrap();
            let at = |text: &str| second(text.parse().unwrap());
            assert_eq!((day.begins(), day.ends()), (at(first), at(behind)), "{text}");
            assert_eq!(Day::parse(&day.to_string()), Some(day));
        }
        for last in ["9999", "9999-12", "9999-12-31"] {
            let day = Day::parse(last).unwrap();
            assert!(day.begins() < day.ends(), "{last}");
        }
        for none in [
            "",
            "25",
            "2025-13",
            "2025-02-30",
            "2025-00",
            "31.1.2025",
            "2025-",
            "2025-01-01-01",
            "-2025",
            "２０２５",
        ] {
            assert_eq!(Day::parse(none), None, "{none}");
        }
    }

    #[test]
    fn how_long_ago_is_by_the_calendar() {
        let now: Timestamp = "2024-03-31T12:00:00Z".parse().unwrap();
        for (text, then) in [
            ("12h", "2024-03-31T00:00:00Z"),
            ("30d", "2024-03-01T12:00:00Z"),
            ("2w", "2024-03-17T12:00:00Z"),
            ("1m", "2024-02-29T12:00:00Z"),
            ("2y", "2022-03-31T12:00:00Z"),
            ("0d", "2024-03-31T12:00:00Z"),
        ] {
            let ago = Ago::parse(text).unwrap();
            let then: Timestamp = then.parse().unwrap();
            assert_eq!(ago.before(now), then.as_second(), "{text}");
            assert_eq!(Ago::parse(&ago.to_string()), Some(ago));
        }
        assert_eq!(Ago::parse("30000y").unwrap().before(now), i64::MIN);
        for none in ["", "d", "30", "30 d", "1.5y", "-1d", "30days", "99999999999d"] {
            assert_eq!(Ago::parse(none), None, "{none}");
        }
    }
}
