use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Option<(String, bool)> {
    let date = date(text.as_bytes())?;
    let time = jiff::Timestamp::from_second(date.seconds).unwrap();
    Some((time.to_string(), date.is_exact))
}

/// The day, the hour and the zone are known.
fn exact(forms: &[(&str, &str)]) {
    for (text, time) in forms {
        assert_eq!(read(text), Some(((*time).to_owned(), true)), "{text}");
    }
}

#[test]
fn dates_of_the_standards_are_read() {
    exact(&[
        (" Thu, 1 Jan 2026 01:00:00 +0100\r\n", "2026-01-01T00:00:00Z"),
        ("1 Jan 2026 01:00 -0000", "2026-01-01T01:00:00Z"),
        (
            "Fri, 21 Nov 1997 09(comment):   55  :  06 -0600",
            "1997-11-21T15:55:06Z",
        ),
        (
            "Thu,\r\n      13\r\n        Feb\r\n          1969\r\n 23:32\r\n   -0330 (Newfoundland (Time\\))",
            "1969-02-14T03:02:00Z",
        ),
        ("Wed, 20 Dec 95 19:59 CST", "1995-12-21T01:59:00Z"),
        ("Wed, 15 Feb 1995 09:38:18", "1995-02-15T09:38:18Z"),
        ("1 Jan 49 0:00 UT", "2049-01-01T00:00:00Z"),
        ("1 Jan 50 0:00 Z", "1950-01-01T00:00:00Z"),
        ("Mon, 3 Jan 100 8:00:00 EDT", "2000-01-03T12:00:00Z"),
        ("Thu, 1 Jan 103 8:00:00 PDT", "2003-01-01T15:00:00Z"),
        ("Mon, 26 Aug 0102 23:12:40 -0700", "2002-08-27T06:12:40Z"),
        ("1 Jan 2003 10:00:00 A", "2003-01-01T10:00:00Z"),
        ("Sat, 31 Dec 2005 23:59:60 +0000", "2006-01-01T00:00:00Z"),
        ("Sun, 29 Feb 2004 10:00:00 gmt", "2004-02-29T10:00:00Z"),
        ("Wednesday, 09-Nov-94 08:49:37 GMT", "1994-11-09T08:49:37Z"),
        ("Sun Nov  6 08:49:37 1994", "1994-11-06T08:49:37Z"),
        ("2003-01-02T10:00:00Z", "2003-01-02T10:00:00Z"),
        ("2003-01-02T10:00:00.123456+01:30", "2003-01-02T08:30:00Z"),
        ("2003-01-02 10:00:00,123 +0100", "2003-01-02T09:00:00Z"),
        ("20030102T100000Z", "2003-01-02T10:00:00Z"),
        ("2003-01-02T24:00Z", "2003-01-03T00:00:00Z"),
    ]);
}

#[test]
fn dates_as_programs_and_people_write_them_were_not_read() {
    exact(&[
        ("Wed Jan  1 10:00:00 EST 2003", "2003-01-01T15:00:00Z"),
        ("Wed Jan 01 10:00:00 GMT+01:00 2003", "2003-01-01T09:00:00Z"),
        ("Wed Jan 1 10:00:00 2003 +0100", "2003-01-01T09:00:00Z"),
        ("Wed, Jan 01 2003 10:00:00 +0100", "2003-01-01T09:00:00Z"),
        (
            "Thu Jan 02 2003 10:00:00 GMT+0100 (Central European Standard Time)",
            "2003-01-02T09:00:00Z",
        ),
        ("Thu, 02 Jan 2003 10:00:00 GMT +0100", "2003-01-02T09:00:00Z"),
        ("2003/01/02 Thu 10:00:00 EST", "2003-01-02T15:00:00Z"),
        ("Thu, 2 Jan 2003 10:00:00 +-0500", "2003-01-02T15:00:00Z"),
        ("Thu 02 Jan 2003 10:00:00 UTC-5", "2003-01-02T15:00:00Z"),
        ("Thu,02 Jan 2003 10:00:00 -0500 EST", "2003-01-02T15:00:00Z"),
        ("Thu, 02 Jan 2003 10:00:00 EST -0500", "2003-01-02T15:00:00Z"),
        ("Thursday, January 2nd, 2003, 10:00 PM +01", "2003-01-02T21:00:00Z"),
        (
            "Thursday, 2. January 2003 12:30:00 a.m. MET DST",
            "2003-01-01T22:30:00Z",
        ),
        ("2 Sept. 2003 10.05.06 MESZ", "2003-09-02T08:05:06Z"),
        ("02/Jan/2003:10:00:00 +0100", "2003-01-02T09:00:00Z"),
        ("31.12.2003 10:00 MEZ", "2003-12-31T09:00:00Z"),
        ("12/31/2003 10:00:00 PM GMT", "2003-12-31T22:00:00Z"),
        ("20 Dec 95 1959 GMT", "1995-12-20T19:59:00Z"),
        ("10:00:00 GMT 2 Jan 2003", "2003-01-02T10:00:00Z"),
        (
            "Do, 2 Jan 2003 10:00:00 +0100 (W. Europe Standard Time), later",
            "2003-01-02T09:00:00Z",
        ),
        ("Mi, 05 M\u{e4}r 2003 10:00:00 +0100", "2003-03-05T09:00:00Z"),
        ("mar. 2 d\u{e9}c. 2003 10:00:00 +0100", "2003-12-02T09:00:00Z"),
        ("\"Thu, 2 Jan 2003 10:00:00 +0000\"", "2003-01-02T10:00:00Z"),
        ("=?us-ascii?Q?Thu,_2_Jan_2003_10:00:00_+0000?=", "2003-01-02T10:00:00Z"),
        ("Wed, 31 Dec 1969 23:59:59 +0000", "1969-12-31T23:59:59Z"),
    ]);
}

#[test]
fn the_day_is_known_where_the_hour_is_not() {
    for (text, time) in [
        ("Wed, 15 Feb 1995", "1995-02-15T00:00:00Z"),
        ("1995-02-15", "1995-02-15T00:00:00Z"),
        ("Wed, 15 Feb 1995 09:38:18 XYZ", "1995-02-15T09:38:18Z"),
        ("Wed, 15 Feb 1995 09:38:18 +9900", "1995-02-15T09:38:18Z"),
        ("Wed, 15 Feb 1995 09:38:18 -01001", "1995-02-15T09:38:18Z"),
        ("Wed, 15 Feb 1995 09:38:18 America/New_York", "1995-02-15T09:38:18Z"),
    ] {
        assert_eq!(read(text), Some((time.to_owned(), false)), "{text}");
    }
}

#[test]
fn what_may_mean_two_dates_is_none() {
    for text in [
        "",
        "soon",
        "()",
        "(",
        "Thu",
        "10:00:00 +0000",
        "Jan 2003 10:00:00",
        "2 Jan 10:00:00 +0000",
        "01/02/2003 10:00:00 +0000",
        "1-2-2003 10:00",
        "03.02.01 10:00",
        "30 Feb 2003 10:00:00 +0000",
        "0 Jan 2003 10:00:00 +0000",
        "32 Jan 2003 10:00:00 +0000",
        "29 Feb 2003 10:00:00 +0000",
        "2 Jan 2003 25:00:00 +0000",
        "2 Jan 2003 10:60:00 +0000",
        "2 Jan 2003 10:00:61 +0000",
        "2 Jan 2003 24:00:01 +0000",
        "2 Jan 20033 10:00:00 +0000",
        "2 Jan 1601 00:00:00 +0000",
        "30 Dec 1899 00:00:00 +0000",
        "0000-00-00 00:00:00",
        "2 Foo 2003 10:00:00 +0000",
        "2003-13-02T10:00:00Z",
        "1041501600",
        "2 Jan 2003 at 10 or 11 +0000",
        "2 3 2003 10:00",
        "99999999999999999999 Jan 2003 10:00:00 +0000",
        "2 Jan 999 10:00:00 +0000",
    ] {
        assert_eq!(read(text), None, "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn what_is_written_as_the_standard_has_it_is_read_as_it_is_meant(
        seconds in -2_208_988_800i64..253_402_200_000, minutes in -14 * 60..=14 * 60i32,
    ) {
        let offset = Offset::from_seconds(60 * minutes).unwrap();
        let zoned = jiff::Timestamp::from_second(seconds).unwrap().to_zoned(offset.to_time_zone());
        if YEARS.contains(&zoned.year()) {
            for form in ["%a, %d %b %Y %H:%M:%S %z", "%a %b %e %H:%M:%S %z %Y", "%Y-%m-%dT%H:%M:%S%:z", "%A, %B %d, %Y, %I:%M:%S %p %z"] {
                let text = zoned.strftime(form).to_string();
                proptest::prop_assert_eq!(date(text.as_bytes()), Some(Date { seconds, is_exact: true }), "{}", text);
            }
        }
    }

    #[test]
    fn whatever_it_says_it_is_read_in_no_time(text in "[0-9a-zA-Z :,+/.()\\\\-]{0,200}") {
        date(text.as_bytes());
    }
}

proptest! {
    /// What is read at sight is what reading all of it gives.
    #[test]
    fn a_plain_date_is_read_as_any_other(
        text in "((Mon|Tue|Wed|Thu|Fri|Sat|Sun), ?)?([1-9]|[0-3][0-9]) (Jan|feb|MAR|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \
            (19|20|29|00)[0-9]{2} [0-2][0-9]:[0-6][0-9]:[0-6][0-9] [+-][0-2][0-9][0-6][0-9]( ?\\([A-Za-z0-9 ]{0,9}\\))?",
    ) {
        if let Some(seconds) = at_sight(text.as_bytes()) {
            let read = Reader::new(text.as_bytes()).read().map(|date| (date.seconds, date.is_exact));
            prop_assert_eq!(read, Some((seconds, true)));
        }
    }
}
