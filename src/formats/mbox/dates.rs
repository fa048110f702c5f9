//! Dates at the end of `From ` lines, in the forms in which programs write them: asctime's first of all, those of mail
//! (RFC 5322) and HTTP (RFC 850), ISO 8601, JavaScript's, with years of two digits; and what looks like one in a
//! language that is not known here.

/// Words of a line that are looked at; a `From ` line has fewer.
const WORDS: usize = 40;
const MONTHS: [&[u8]; 12] = [
    b"january",
    b"february",
    b"march",
    b"april",
    b"may",
    b"june",
    b"july",
    b"august",
    b"september",
    b"october",
    b"november",
    b"december",
];
const DAYS: [&[u8]; 7] = [
    b"monday",
    b"tuesday",
    b"wednesday",
    b"thursday",
    b"friday",
    b"saturday",
    b"sunday",
];

/// The words of a line, without a comment at its end (`(Pacific Daylight Time)`) and `remote from HOST`; `None` where
/// there are too many.
pub(super) fn words(line: &[u8]) -> Option<Vec<&[u8]>> {
    let line = line.trim_ascii();
    let comment = memchr::memmem::rfind(line, b" (").filter(|_| line.ends_with(b")"));
    let line = &line[..comment.unwrap_or(line.len())];
    let words = line
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
        .take(WORDS + 1);
    let mut words: Vec<_> = words.collect();
    if let [.., b"remote", b"from", _] = &words[..] {
        words.truncate(words.len() - 3);
    }
    (words.len() <= WORDS).then_some(words)
}

/// How many words are before the date with which the words of a line end.
pub(super) fn dated(words: &[&[u8]]) -> Option<usize> {
    let kinds: Vec<_> = words.iter().map(|word| Kind::of(word)).collect();
    let other = kinds.iter().rposition(Option::is_none);
    let mut first = other.map_or(0, |other| other + 1);
    // A sender may look like a zone.
    while matches!(kinds.get(first), Some(Some(Kind::Zone))) {
        first += 1;
    }
    let (mut day, mut month, mut year, mut time) = (None, None, None, None);
    for kind in kinds[first..].iter().flatten() {
        match *kind {
            Kind::Number(number) if day.is_none() => day = Some(number),
            Kind::Number(number) if year.is_none() => year = Some(century(number)),
            Kind::Year(number) if year.is_none() => year = Some(number),
            Kind::Month(number) if month.is_none() => month = Some(number),
            Kind::Date(d, m, y) if day.is_none() && month.is_none() && year.is_none() => {
                (day, month, year) = (Some(d), Some(m), Some(y));
            }
            Kind::Moment(d, m, y, at) if day.is_none() && time.is_none() => {
                (day, month, year, time) = (Some(d), Some(m), Some(y), Some(at));
            }
            Kind::Time(at) if time.is_none() => time = Some(at),
            Kind::Weekday | Kind::Zone => {}
            _ => return None,
        }
    }
    time?;
    let day = jiff::civil::Date::new(year?, i8::try_from(month?).ok()?, i8::try_from(day?).ok()?);
    day.is_ok().then_some(first)
}

/// How many words are before the date that asctime writes, with whatever behind it.
pub(super) fn asctime(words: &[&[u8]]) -> Option<usize> {
    let month = words
        .iter()
        .position(|word| word.len() == 3 && matches!(Kind::of(word), Some(Kind::Month(_))))?;
    let date = words.get(month..)?;
    let time = words.get(month + 2).and_then(|word| time(word));
    let year = date
        .iter()
        .skip(3)
        .position(|word| matches!(Kind::of(word), Some(Kind::Year(_))));
    let (Some(_), Some(year)) = (time, year) else {
        return None;
    };
    let weekday = month > 0 && matches!(Kind::of(words[month - 1]), Some(Kind::Weekday));
    dated(&[&date[..3], &date[3 + year..=3 + year]].concat())?;
    Some(month - usize::from(weekday))
}

/// Whether words look like a date in some language: a time of day, a year, a number besides, and few words.
pub(super) fn resembles_date(words: &[&[u8]]) -> bool {
    let digits = |word: &[u8]| word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_time = |word: &&[u8]| time(word).is_some() || time(&dots_as_colons(word)).is_some();
    let is_year = |word: &&[u8]| digits(word) == 4 && (word.starts_with(b"19") || word.starts_with(b"20"));
    let is_number = |word: &&[u8]| matches!(digits(word), 1 | 2) && !is_time(word);
    let is_word = |word: &&[u8]| word.len() <= 24 && !word.contains(&b'@');
    let numbers = words.iter().filter(|word| is_number(word)).count();
    let has_year = words.iter().any(is_year);
    let times = words.iter().filter(|word| is_time(word)).count();
    let ends_so = |word: &&&[u8]| word.iter().any(u8::is_ascii_digit) || is_zone(word);
    (3..=8).contains(&words.len())
        && words.last().filter(ends_so).is_some()
        && words.iter().all(is_word)
        && times == 1
        && (has_year && (numbers >= 1 || words.iter().any(|word| digits(word) == 4 && word.len() > 6)) || numbers >= 2)
}

/// Whether words are a date without a time of day, or seconds since 1970.
pub(super) fn is_day(words: &[&[u8]]) -> bool {
    match words {
        [seconds] if (9..=11).contains(&seconds.len()) => seconds.iter().all(u8::is_ascii_digit),
        words => words.len() <= 6 && words.iter().all(|word| Kind::of(word).is_some()),
    }
}

/// Whether words are a date or a time of day, and nothing else.
pub(super) fn is_moment(words: &[&[u8]]) -> bool {
    let has_digit = words.iter().any(|word| word.iter().any(u8::is_ascii_digit));
    has_digit && words.iter().all(|word| Kind::of(word).is_some())
}

/// A time as it is written in Finland and Italy: `12.00.00`.
fn dots_as_colons(word: &[u8]) -> Vec<u8> {
    match word.iter().filter(|byte| **byte == b'.').count() {
        2 if word.len() == 8 => word
            .iter()
            .map(|byte| if *byte == b'.' { b':' } else { *byte })
            .collect(),
        _ => Vec::new(),
    }
}

/// What a word is in a date.
#[derive(Clone, Copy)]
enum Kind {
    Weekday,
    Month(i16),
    /// Of one or two digits.
    Number(i16),
    Year(i16),
    /// Day, month and year in one word.
    Date(i16, i16, i16),
    Time((i8, i8, i8)),
    /// A date and a time in one word (ISO 8601).
    Moment(i16, i16, i16, (i8, i8, i8)),
    /// A time zone, or `AM` or `PM`.
    Zone,
}

impl Kind {
    fn of(word: &[u8]) -> Option<Self> {
        let word = word.strip_suffix(b",").unwrap_or(word);
        if named(word, &DAYS).is_some() {
            return Some(Self::Weekday);
        }
        if let Some(month) = month(word) {
            return Some(Self::Month(month));
        }
        if let Some(number) = number(word) {
            return match word.len() {
                1 | 2 => Some(Self::Number(number)),
                4 if number >= 1900 => Some(Self::Year(number)),
                _ => None,
            };
        }
        if let Some(time) = time(word) {
            return Some(Self::Time(time));
        }
        if let Some((day, month, year)) = date(word) {
            return Some(Self::Date(day, month, year));
        }
        moment(word).or_else(|| is_zone(word).then_some(Self::Zone))
    }
}

/// `2024-01-01T12:00:00Z`, and in the basic form of ISO 8601, `20240101T120000Z`.
fn moment(word: &[u8]) -> Option<Kind> {
    let mark = word.iter().position(|byte| matches!(byte, b'T' | b't' | b'_'))?;
    let (day, clock) = (&word[..mark], &word[mark + 1..]);
    if let Some((day, month, year)) = date(day) {
        return Some(Kind::Moment(day, month, year, time(clock)?));
    }
    let clock = clock.strip_suffix(b"Z").unwrap_or(clock);
    if day.len() != 8 || clock.len() != 6 {
        return None;
    }
    let clock = [&clock[..2], b":", &clock[2..4], b":", &clock[4..]].concat();
    let (year, month, day) = (number(&day[..4])?, number(&day[4..6])?, number(&day[6..])?);
    Some(Kind::Moment(day, month, year, time(&clock)?))
}

/// `12:00`, `12:00:00`, `12:00:00.123`, and each with a zone right behind it.
fn time(word: &[u8]) -> Option<(i8, i8, i8)> {
    let zone = word.iter().position(|byte| matches!(byte, b'Z' | b'z' | b'+' | b'-'));
    let word = &word[..zone.unwrap_or(word.len())];
    let mut numbers = word.split(|byte| *byte == b':');
    let mut next = |most: i16| {
        let digits = numbers.next()?;
        let whole = digits.split(|byte| matches!(byte, b'.' | b',')).next()?;
        let value = number(whole).filter(|value| whole.len() <= 2 && *value <= most)?;
        i8::try_from(value).ok()
    };
    let (hour, minute) = (next(23)?, next(59)?);
    let second = match word.iter().filter(|byte| **byte == b':').count() {
        1 => 0,
        2 => next(60)?,
        _ => return None,
    };
    Some((hour, minute, second))
}

/// `2024-01-31`, `2024/1/31`, `31.01.2024`, `1/31/2024`, `31-Jan-24`: day, month, year.
fn date(word: &[u8]) -> Option<(i16, i16, i16)> {
    let mut parts = word.split(|byte| matches!(byte, b'-' | b'/' | b'.'));
    let (first, second, third) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    if let Some(month) = month(second) {
        let year = number(third)?;
        return Some((
            number(first)?,
            month,
            if third.len() == 2 { century(year) } else { year },
        ));
    }
    let (a, b, c) = (number(first)?, number(second)?, number(third)?);
    match (first.len(), second.len(), third.len()) {
        (4, 1 | 2, 1 | 2) => Some((c, b, a)),
        (1 | 2, 1 | 2, length @ (2 | 4)) => {
            let year = if length == 2 { century(c) } else { c };
            // Americans put the month first, and write slashes.
            let month_first = word.contains(&b'/') && a <= 12 || b > 12;
            Some(if month_first { (b, a, year) } else { (a, b, year) })
        }
        _ => None,
    }
}

/// RFC 5322, 4.3.
fn century(year: i16) -> i16 {
    match year {
        0..50 => 2000 + year,
        50..100 => 1900 + year,
        _ => year,
    }
}

fn month(word: &[u8]) -> Option<i16> {
    let month = named(word, &MONTHS).or_else(|| word.eq_ignore_ascii_case(b"sept").then_some(8));
    month.map(|month| month as i16 + 1)
}

/// The place of a name among others; its first three letters suffice.
fn named(word: &[u8], names: &[&[u8]]) -> Option<usize> {
    names
        .iter()
        .position(|name| word.eq_ignore_ascii_case(name) || word.eq_ignore_ascii_case(&name[..3]))
}

/// `+0100`, `+01:00`, `GMT`, `GMT-0700`, `CET`, `Z`.
fn is_zone(word: &[u8]) -> bool {
    let letters = word.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    let offset = match &word[letters..] {
        [] => letters > 0,
        [b'+' | b'-', digits @ ..] => {
            !digits.is_empty() && digits.len() <= 5 && digits.iter().all(|byte| byte.is_ascii_digit() || *byte == b':')
        }
        _ => false,
    };
    letters <= 5 && offset
}

fn number(digits: &[u8]) -> Option<i16> {
    let all = !digits.is_empty() && digits.len() <= 4 && digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits).ok().filter(|_| all)?.parse().ok()
}
