//! When a profile runs, in words: whatever is as usual. A cron line that says more is shown as it is written.

use maud::{Markup, html};

use super::{
    frame::Face,
    language::Language,
    texts::{
        filled,
        schedule::{Texts, of},
    },
    words,
};
use crate::config::Schedule;

/// A schedule in words; as it is written where there are none for it.
pub fn shown(face: &Face, schedule: &str) -> Markup {
    match in_words(face.look.language, schedule) {
        Some(words) => html! { (words) },
        None => html! { code { (schedule) } },
    }
}

/// In words, and as it is written, for whoever changes it.
pub fn with_raw(face: &Face, schedule: &str) -> Markup {
    html! {
        (shown(face, schedule))
        @if in_words(face.look.language, schedule).is_some() { " " code.hint { (schedule) } }
    }
}

/// `None` where there are no words for it.
pub fn in_words(language: Language, schedule: &str) -> Option<String> {
    let t = of(language);
    match Schedule::parse(schedule)? {
        Schedule::Manual => Some(t.by_hand.to_owned()),
        Schedule::Continuous => Some(t.continuous.to_owned()),
        Schedule::Every(span) => Some(every(language, t, span.as_secs())),
        Schedule::Cron(line) => cron(language, t, &line),
    }
}

fn every(language: Language, t: &Texts, seconds: u64) -> String {
    let of_time = language.texts();
    let units = [
        (86_400, [of_time.day, of_time.days]),
        (3600, [of_time.hour, of_time.hours]),
        (60, [of_time.minute, of_time.minutes]),
        (1, [of_time.second, of_time.seconds]),
    ];
    // One of a unit goes without its number.
    if let Some((unit, [one, _])) = units.iter().find(|(unit, _)| *unit == seconds) {
        return match (language, *unit) {
            (Language::German, 86_400) => t.every_day.to_owned(),
            _ => filled(t.every_one, &[(*one).to_owned()]),
        };
    }
    let mut left = seconds;
    let mut parts = Vec::new();
    for (unit, names) in units {
        if left >= unit {
            parts.push(words::count(language, left / unit, names));
            left %= unit;
        }
    }
    filled(t.every, &[parts.join(" ")])
}

/// The usual cron lines: at a time of the day or within each hour, on each day, days of the week or a day of the month.
fn cron(language: Language, t: &Texts, line: &str) -> Option<String> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let [minute, hour, day, "*", weekday] = fields[..] else {
        return None;
    };
    let days = match (day, weekday) {
        ("*", "*") => None,
        ("*", weekdays) => Some(filled(t.on_days, &[weekdays_in_words(t, weekdays)?])),
        (day, "*") => {
            let day = within(day, 1..=31)?;
            Some(filled(t.on_day_of_month, &[day.to_string()]))
        }
        _ => return None,
    };
    let (times, at_times) = times(language, t, minute, hour)?;
    Some(match (days, at_times) {
        (Some(days), _) => format!("{days} {times}"),
        (None, true) => format!("{} {times}", t.every_day),
        (None, false) => times,
    })
}

/// When within a day, and whether that is at some times of it.
fn times(language: Language, t: &Texts, minute: &str, hour: &str) -> Option<(String, bool)> {
    let step = minute.strip_prefix("*/").map(|step| within(step, 1..=59));
    let step = match (minute, step) {
        ("*", _) => Some(1),
        (_, Some(step)) => Some(step?),
        _ => None,
    };
    let clock = |hour: u32, minute: u32| format!("{hour:02}:{minute:02}");
    if let Some(step) = step {
        return match hour.split_once('-') {
            None if hour == "*" => Some((every(language, t, u64::from(step) * 60), false)),
            None => None,
            Some((from, to)) => {
                let (from, to) = (clock(within(from, 0..=23)?, 0), clock(within(to, 0..=23)?, 59));
                Some((filled(t.every_between, &[step.to_string(), from, to]), false))
            }
        };
    }
    let minute = within(minute, 0..=59)?;
    if hour == "*" {
        return Some((filled(t.each_hour, &[minute.to_string()]), false));
    }
    if let Some((from, to)) = hour.split_once('-') {
        let (from, to) = (clock(within(from, 0..=23)?, minute), clock(within(to, 0..=23)?, minute));
        return Some((filled(t.each_hour_between, &[minute.to_string(), from, to]), false));
    }
    let hours: Option<Vec<_>> = hour
        .split(',')
        .map(|hour| Some(clock(within(hour, 0..=23)?, minute)))
        .collect();
    Some((filled(t.at, &[listed(t, &hours?)]), true))
}

fn weekdays_in_words(t: &Texts, weekdays: &str) -> Option<String> {
    let name = |day: &str| {
        let names = [
            t.sunday,
            t.monday,
            t.tuesday,
            t.wednesday,
            t.thursday,
            t.friday,
            t.saturday,
            t.sunday,
        ];
        const SHORT: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
        let by_name = SHORT.iter().position(|short| short.eq_ignore_ascii_case(day));
        let at = by_name.or_else(|| within(day, 0..=7).map(|day| day as usize))?;
        Some(names[at].to_owned())
    };
    let each = weekdays.split(',').map(|part| match part.split_once('-') {
        None => name(part),
        Some((from, to)) => Some(format!("{} {} {}", name(from)?, t.to, name(to)?)),
    });
    Some(listed(t, &each.collect::<Option<Vec<_>>>()?))
}

fn listed(t: &Texts, all: &[String]) -> String {
    match all.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, first)) => format!("{} {} {last}", first.join(", "), t.and),
    }
}

fn within(number: &str, range: std::ops::RangeInclusive<u32>) -> Option<u32> {
    let is_plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    number.parse().ok().filter(|number| is_plain && range.contains(number))
}

#[test]
fn schedules_are_shown_in_words() {
    for (schedule, english, german) in [
        ("manual", "by hand", "von Hand"),
        ("continuous", "as soon as mail arrives", "sobald Mail eintrifft"),
        ("every 15m", "every 15 minutes", "alle 15 Minuten"),
        ("every 1h", "every hour", "jede Stunde"),
        ("every 1day", "every day", "jeden Tag"),
        ("every 1h 30m", "every 1 hour 30 minutes", "alle 1 Stunde 30 Minuten"),
        ("every 90s", "every 1 minute 30 seconds", "alle 1 Minute 30 Sekunden"),
        ("30 2 * * *", "every day at 02:30", "jeden Tag um 02:30 Uhr"),
        (
            "0 8,20 * * *",
            "every day at 08:00 and 20:00",
            "jeden Tag um 08:00 und 20:00 Uhr",
        ),
        ("30 2 * * 0", "on Sunday at 02:30", "Sonntag um 02:30 Uhr"),
        (
            "0 7 * * MON-FRI",
            "on Monday to Friday at 07:00",
            "Montag bis Freitag um 07:00 Uhr",
        ),
        (
            "0 7 1 * *",
            "on day 1 of each month at 07:00",
            "am 1. jedes Monats um 07:00 Uhr",
        ),
        ("5 * * * *", "each hour at minute 5", "jede Stunde zur Minute 5"),
        ("*/15 * * * *", "every 15 minutes", "alle 15 Minuten"),
        (
            "*/10 8-18 * * 1-5",
            "on Monday to Friday every 10 minutes from 08:00 to 18:59",
            "Montag bis Freitag alle 10 Minuten von 08:00 bis 18:59 Uhr",
        ),
        (
            "0 8-18 * * *",
            "each hour at minute 0, from 08:00 to 18:00",
            "jede Stunde zur Minute 0, von 08:00 bis 18:00 Uhr",
        ),
    ] {
        assert_eq!(in_words(Language::English, schedule).as_deref(), Some(english));
        assert_eq!(in_words(Language::German, schedule).as_deref(), Some(german));
    }
    for odd in ["0 0 29 2 *", "0 7 1 * 1", "7/5 3 * * *", "0 0 L * *", "never"] {
        assert_eq!(in_words(Language::German, odd), None, "{odd}");
    }
}
