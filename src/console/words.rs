//! What is counted, measured and dated, in both languages.

use jiff::{Timestamp, tz::TimeZone};

use super::look::Language;
use crate::{api::Role, report::RunState};

/// A whole number, in groups of three digits.
pub fn number(language: Language, number: u64) -> String {
    let separator = match language {
        Language::English => ',',
        Language::German => '.',
    };
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(separator);
        }
        grouped.push(digit);
    }
    grouped
}

/// How many of what there are, in the singular or in the plural.
pub fn count(language: Language, many: u64, [one, others]: [&str; 2]) -> String {
    format!("{} {}", number(language, many), if many == 1 { one } else { others })
}

/// A share in percent, as it was typed.
pub fn percent(language: Language, percent: f64) -> String {
    let written = percent.to_string();
    match language {
        Language::English => format!("{written}%"),
        Language::German => format!("{} %", written.replace('.', ",")),
    }
}

/// Bytes, in thousands.
pub fn bytes(language: Language, bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let (mut tenths, mut unit) = (bytes / 100, 0);
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1000;
        unit += 1;
    }
    let point = match language {
        Language::English => '.',
        Language::German => ',',
    };
    match tenths {
        0..1000 => format!("{}{point}{} {}", tenths / 10, tenths % 10, UNITS[unit]),
        _ => format!("{} {}", number(language, tenths / 10), UNITS[unit]),
    }
}

pub fn moment(language: Language, time: Timestamp) -> String {
    in_form(
        time,
        match language {
            Language::English => "%-d %b %Y, %H:%M",
            Language::German => "%d.%m.%Y, %H:%M",
        },
    )
}

pub fn day(language: Language, time: Timestamp) -> String {
    in_form(
        time,
        match language {
            Language::English => "%-d %b",
            Language::German => "%d.%m.",
        },
    )
}

pub fn hour(time: Timestamp) -> String {
    in_form(time, "%H:%M")
}

fn in_form(time: Timestamp, form: &str) -> String {
    time.to_zoned(TimeZone::system()).strftime(form).to_string()
}

/// How long something takes or lasts.
pub fn seconds(language: Language, seconds: u64) -> String {
    let t = language.texts();
    match seconds {
        0..120 => count(language, seconds, [t.second, t.seconds]),
        120..7200 => count(language, seconds / 60, [t.minute, t.minutes]),
        7200..172_800 => count(language, seconds / 3600, [t.hour, t.hours]),
        _ => count(language, seconds / 86_400, [t.day, t.days]),
    }
}

pub fn messages(language: Language, many: u64) -> String {
    let t = language.texts();
    count(language, many, [t.message, t.messages])
}

pub fn state(language: Language, state: RunState) -> &'static str {
    let t = language.texts();
    match state {
        RunState::Running => t.state_running,
        RunState::Completed => t.state_completed,
        RunState::CompletedWithErrors => t.state_completed_with_errors,
        RunState::Failed => t.state_failed,
        RunState::Interrupted => t.state_interrupted,
    }
}

/// The class of what is shown of a state.
pub fn state_kind(state: RunState) -> &'static str {
    match state {
        RunState::Running => "note",
        RunState::Completed => "good",
        RunState::CompletedWithErrors | RunState::Interrupted => "warn",
        RunState::Failed => "bad",
    }
}

pub fn role(language: Language, role: Role) -> &'static str {
    let t = language.texts();
    match role {
        Role::User => t.role_user,
        Role::Auditor => t.role_auditor,
        Role::Administrator => t.role_administrator,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_sizes_are_written_as_the_language_has_them() {
        let both = |write: &dyn Fn(Language) -> String| [write(Language::English), write(Language::German)];
        for (value, english, german) in [
            (0, "0", "0"),
            (999, "999", "999"),
            (1_234_567, "1,234,567", "1.234.567"),
        ] {
            assert_eq!(both(&|language| number(language, value)), [english, german]);
        }
        for (value, english, german) in [
            (999, "999 B", "999 B"),
            (1000, "1.0 kB", "1,0 kB"),
            (1_250_000, "1.2 MB", "1,2 MB"),
            (123_456_789, "123 MB", "123 MB"),
            (999_999, "999 kB", "999 kB"),
            (u64::MAX, "18,446 PB", "18.446 PB"),
        ] {
            assert_eq!(both(&|language| bytes(language, value)), [english, german]);
        }
        assert_eq!(both(&|language| messages(language, 1)), ["1 message", "1 Nachricht"]);
        assert_eq!(both(&|language| seconds(language, 7300)), ["2 hours", "2 Stunden"]);
    }
}
