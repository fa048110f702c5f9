//! When a profile runs by itself.

use std::{fmt, time::Duration};

use jiff::{SignedDuration, Timestamp, Zoned, tz::TimeZone};
use serde::{Deserialize, Deserializer, de};

use super::{forms::schedule_hint, values::from_text};

/// How long after the beginning of one run the next begins under `continuous`.
const CONTINUOUS: Duration = Duration::from_secs(60);
/// Where a server says when there is new mail, and there is none, the source is looked at this often all the same.
pub const CONTINUOUS_AT_MOST: Duration = Duration::from_secs(15 * 60);
/// Times of a cron line that are looked at one after the other.
const SPARSE: usize = 64;

/// `schedule` of a profile: `manual`, `continuous`, `every 15m`, or a cron line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Schedule {
    /// Only when asked.
    #[default]
    Manual,
    /// As soon as the server says that there is new mail, and once a minute.
    Continuous,
    /// This long after the last run began.
    Every(Duration),
    /// At the times of a cron line (already found to be one), in the profile's time zone.
    Cron(String),
}

impl fmt::Display for Schedule {
    /// As a configuration has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manual => f.write_str("manual"),
            Self::Continuous => f.write_str("continuous"),
            Self::Every(span) => write!(f, "every {}", humantime::format_duration(*span)),
            Self::Cron(line) => f.write_str(line),
        }
    }
}

impl Schedule {
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        match text {
            "manual" => return Some(Self::Manual),
            "continuous" => return Some(Self::Continuous),
            _ => {}
        }
        if let Some(span) = text.strip_prefix("every ") {
            let span = humantime::parse_duration(span.trim()).ok()?;
            return (span >= Duration::from_secs(1)).then_some(Self::Every(span));
        }
        crontab(text, &Zone::default()).map(|_| Self::Cron(text.to_owned()))
    }

    /// When the next run is due, where the last one began at `last` (`None`: there was none), and the schedule
    /// has been looked at since `since`. `None` for a profile that does not run by itself.
    pub fn next(&self, zone: &Zone, last: Option<Timestamp>, since: Timestamp, now: Timestamp) -> Option<Timestamp> {
        // A clock that was set back must not put the next run off until it is there again.
        let (last, since) = (last.map(|last| last.min(now)), since.min(now));
        let after = |span: Duration| match last.and_then(|last| last.checked_add(span).ok()) {
            Some(due) => due.max(now),
            None => now,
        };
        match self {
            Self::Manual => None,
            Self::Continuous => Some(after(CONTINUOUS)),
            Self::Every(span) => Some(after(*span)),
            // A time missed while the appliance was down is made up for once, at once.
            Self::Cron(line) => {
                let due: Zoned = crontab(line, zone)?.find_next(last.unwrap_or(since)).ok()?;
                Some(due.timestamp().max(now))
            }
        }
    }
}

impl Schedule {
    /// The longest time between two runs, as far as a year from `now` shows; `None` for a profile that does not run by
    /// itself. It may be short of what is right by an hour for lines such as `* 8-18 * * *`.
    pub fn interval(&self, zone: &Zone, now: Timestamp) -> Option<Duration> {
        match self {
            Self::Manual => None,
            Self::Continuous => Some(CONTINUOUS_AT_MOST),
            Self::Every(span) => Some(*span),
            Self::Cron(line) => {
                let crontab = crontab(line, zone)?;
                let next = |after: Timestamp| Some(crontab.find_next(after).ok()?.timestamp());
                let wait = |after: Timestamp| Some(next(after)?.duration_since(after));
                let period = period(line);
                let end = now.checked_add(period).ok()?;
                let mut waits = Vec::new();
                // Sparse ones from one to the next, and whatever else by what is found hour by hour and day by day.
                let mut at = now;
                while waits.len() < SPARSE && at < end {
                    let Some(wait) = wait(at) else { break };
                    // The first is from some time between two.
                    if at != now {
                        waits.push(wait);
                    }
                    let Ok(following) = at.checked_add(wait) else { break };
                    at = following;
                }
                if at < end {
                    let hours = (0..24 * 8).map(SignedDuration::from_hours);
                    let days = (0..366).map(|day| SignedDuration::from_hours(24 * day));
                    let probes = hours.chain(days).filter(|probe| *probe < period);
                    waits.extend(probes.filter_map(|probe| wait(now.checked_add(probe).ok()?)));
                }
                waits.into_iter().max().map(SignedDuration::unsigned_abs)
            }
        }
    }
}

/// After how long the times of a cron line come again as they were: all that is looked at takes seconds, of hundreds of
/// profiles.
fn period(line: &str) -> SignedDuration {
    let days = match line.split_whitespace().skip(2).collect::<Vec<_>>()[..] {
        ["*", "*", "*"] => 2,
        ["*", "*", _] => 8,
        // The calendar's.
        _ => 28 * 366,
    };
    SignedDuration::from_hours(24 * days)
}

fn crontab(line: &str, zone: &Zone) -> Option<cronexpr::Crontab> {
    let zone = zone.get();
    cronexpr::parse_crontab(&format!("{line} {}", zone.iana_name().unwrap_or("UTC"))).ok()
}

/// A time zone by its name, such as `Europe/Berlin`; the machine's own where none was given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Zone(Option<TimeZone>);

impl Zone {
    pub fn get(&self) -> TimeZone {
        self.0.clone().unwrap_or_else(TimeZone::system)
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(
            deserializer,
            "the name of a time zone, such as \"Europe/Berlin\"",
            |text| TimeZone::get(text).ok().map(|zone| Self(Some(zone))),
        )
    }
}

impl<'de> Deserialize<'de> for Schedule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| de::Error::custom(format!("{text:?} does not fit; write {}", schedule_hint(&text))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_read() {
        assert_eq!(Schedule::parse("manual"), Some(Schedule::Manual));
        assert_eq!(
            Schedule::parse("every 15m"),
            Some(Schedule::Every(Duration::from_secs(900)))
        );
        assert!(matches!(Schedule::parse("30 2 * * *"), Some(Schedule::Cron(_))));
        for bad in ["", "every", "every 0s", "sometimes", "99 * * * *"] {
            assert_eq!(Schedule::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_longest_time_between_two_runs_is_known() {
        let now = "2026-01-07T12:20:00Z".parse().unwrap();
        let hours = |line: &str| {
            let interval = Schedule::parse(line).unwrap().interval(&Zone::default(), now);
            interval.map(|interval| interval.as_secs().div_ceil(3600))
        };
        assert_eq!(hours("manual"), None);
        assert_eq!(hours("every 2h"), Some(2));
        assert_eq!(hours("0 3 * * *"), Some(24));
        assert_eq!(hours("0 3 * * 1"), Some(7 * 24));
        assert_eq!(hours("30 2 1 1 *"), Some(366 * 24));
        // From 18:59 to 8:00, and over the weekend.
        assert!((13..=14).contains(&hours("* 8-18 * * *").unwrap()));
        assert!((61..=62).contains(&hours("*/10 8-18 * * 1-5").unwrap()));
        assert_eq!(hours("0 0 1,15 * *"), Some(17 * 24));
        assert_eq!(hours("0 6,18 * * *"), Some(12));
        assert_eq!(hours("0 12 29 2 *"), Some(4 * 365 * 24 + 24));
    }

    #[test]
    fn a_missed_time_is_made_up_for_at_once() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let start = at("2026-01-01T00:00:00Z");
        let every = Schedule::parse("every 15m").unwrap();
        assert_eq!(
            every.next(&Zone::default(), None, start, at("2026-01-01T00:00:00Z")),
            Some(at("2026-01-01T00:00:00Z"))
        );
        let due = every.next(
            &Zone::default(),
            Some(at("2026-01-01T00:00:00Z")),
            start,
            at("2026-01-01T00:05:00Z"),
        );
        assert_eq!(due, Some(at("2026-01-01T00:15:00Z")));
        let late = every.next(
            &Zone::default(),
            Some(at("2026-01-01T00:00:00Z")),
            start,
            at("2026-01-02T00:00:00Z"),
        );
        assert_eq!(late, Some(at("2026-01-02T00:00:00Z")));
        let cron = Schedule::parse("30 * * * *").unwrap();
        assert_eq!(
            cron.next(
                &Zone::default(),
                Some(at("2026-01-01T00:00:00Z")),
                start,
                at("2026-01-01T05:00:00Z")
            ),
            Some(at("2026-01-01T05:00:00Z"))
        );
        assert_eq!(
            Schedule::Manual.next(&Zone::default(), None, start, at("2026-01-01T00:00:00Z")),
            None
        );
    }

    #[test]
    fn a_cron_profile_that_never_ran_runs_at_its_time() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let cron = Schedule::parse("* * * * *").unwrap();
        let since = at("2026-01-01T00:00:30Z");
        assert_eq!(
            cron.next(&Zone::default(), None, since, since),
            Some(at("2026-01-01T00:01:00Z"))
        );
        let later = at("2026-01-01T00:01:01Z");
        assert_eq!(
            cron.next(&Zone::default(), None, since, later),
            Some(later),
            "due, and not put off again"
        );
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_put_the_next_run_off() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (last, now) = (at("2026-01-09T00:00:00Z"), at("2026-01-01T00:00:00Z"));
        for (schedule, due) in [
            ("every 15m", "2026-01-01T00:15:00Z"),
            ("30 * * * *", "2026-01-01T00:30:00Z"),
        ] {
            let schedule = Schedule::parse(schedule).unwrap();
            assert_eq!(schedule.next(&Zone::default(), Some(last), last, now), Some(at(due)));
        }
    }

    #[test]
    fn a_cron_line_is_read_in_the_zone_of_its_profile() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let zone = Zone(Some(TimeZone::get("America/New_York").unwrap()));
        let cron = Schedule::parse("30 2 * * *").unwrap();
        let midnight = at("2026-01-01T00:00:00Z");
        assert_eq!(
            cron.next(&zone, None, midnight, midnight),
            Some(at("2026-01-01T07:30:00Z"))
        );
    }
}
