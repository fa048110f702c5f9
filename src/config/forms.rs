//! What a value has to look like, where people often write it otherwise, and what to write then.

use std::{net::IpAddr, time::Duration};

use jiff::civil::Time;

use crate::message::strict_domain;

/// What is wrong with the host of a server.
pub(super) fn host_fault(host: &str) -> Option<String> {
    if host.trim().is_empty() {
        return Some("must name the server: host = \"mail.example.com\"".to_owned());
    }
    let is_name = |host: &str| {
        host.chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'))
    };
    if is_name(host) || host.parse::<IpAddr>().is_ok() {
        return None;
    }
    let (scheme, rest) = host.trim().split_once("://").unwrap_or(("", host.trim()));
    let (account, rest) = rest.rsplit_once('@').unwrap_or(("", rest));
    let rest = rest.split('/').next().unwrap_or_default();
    let (name, port) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((literal, port)) => (literal, port.trim_start_matches(':')),
        None => rest.split_once(':').unwrap_or((rest, "")),
    };
    let name = name.trim();
    let mut write = vec![
        match !name.is_empty() && (is_name(name) || name.parse::<IpAddr>().is_ok()) {
            true => format!("host = \"{name}\""),
            false => "host = \"mail.example.com\"".to_owned(),
        },
    ];
    if let Ok(port) = port.trim().parse::<u16>() {
        write.push(format!("port = {port}"));
    }
    if let Some(family) = scheme
        .to_lowercase()
        .strip_suffix('s')
        .filter(|name| ["imap", "pop3", "smtp"].contains(name))
    {
        write.push(format!("access = \"{family}-ssl\""));
    }
    // There may be a password beside the account.
    let (given, also) = match account {
        "" => (format!("{host:?}: "), ""),
        _ => (String::new(), ", the account into username"),
    };
    let what = if !account.is_empty() || !port.is_empty() && port.trim().parse::<u16>().is_ok() {
        format!("host is a name alone; the port goes into port{also}")
    } else if !scheme.is_empty() {
        format!("host is a name, not an address with {scheme}://")
    } else if host.contains(char::is_whitespace) {
        "host has a space in it".to_owned()
    } else {
        "host is a name alone".to_owned()
    };
    let write = write.join(" and ");
    Some(format!("{given}{what}; write {write}"))
}

/// What is wrong with a username.
pub(super) fn username_fault(username: &str) -> Option<String> {
    if username.trim().is_empty() {
        return Some(
            "is empty; write the name by which the mailbox logs in: username = \"all@example.com\"".to_owned(),
        );
    }
    let around = username.trim() != username || username.contains(char::is_control);
    around.then(|| format!("{username:?} has a space or a line end around it; take it out"))
}

/// What is wrong with a domain.
pub(super) fn domain_fault(text: &str) -> Option<String> {
    if strict_domain(text).is_some() {
        return None;
    }
    let domain = text.rsplit('@').next().unwrap_or_default();
    let domain = domain.trim().trim_start_matches("*.").trim_start_matches('.');
    let hint = match strict_domain(domain) {
        Some(_) => format!("; write {domain:?}"),
        None => String::new(),
    };
    Some(format!("{text:?} is not a domain{hint}"))
}

/// What is wrong with the name of a header field.
pub(super) fn field_name_fault(name: &str) -> Option<String> {
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(|byte| (33..=126).contains(&byte) && byte != b':');
    if is_name(name) {
        return None;
    }
    let bare = name.split(':').next().unwrap_or_default().trim();
    let hint = match is_name(bare) {
        true => format!("; write {bare:?}"),
        false => String::new(),
    };
    Some(format!("{name:?} is not the name of a header field{hint}"))
}

/// What to write in place of a schedule that is none.
pub(super) fn schedule_hint(text: &str) -> String {
    const DAILY: &str = "\"30 2 * * *\" (each day at 02:30)";
    let lower = text.trim().to_lowercase();
    let span = lower
        .trim_start_matches("every")
        .trim_start_matches("each")
        .trim_matches([' ', ':']);
    let duration = humantime::parse_duration(span).ok();
    let at = span
        .trim_start_matches("daily")
        .trim_start_matches("day")
        .trim()
        .trim_start_matches("at")
        .trim();
    if duration.is_some_and(|duration| duration < Duration::from_secs(1)) {
        return "a second at least, such as \"every 15m\"".to_owned();
    }
    if duration.is_some() {
        return format!("{:?}", format!("every {span}"));
    }
    if let Ok(time) = Time::strptime("%H:%M", at) {
        let (hour, minute) = (time.hour(), time.minute());
        return format!("\"{minute} {hour} * * *\" (each day at {hour:02}:{minute:02})");
    }
    if !span.is_empty() && span.bytes().all(|byte| byte.is_ascii_digit()) {
        return format!("it with a unit: \"every {span}m\" for minutes");
    }
    let word = span.trim_start_matches('@');
    let meant = match word {
        "minute" => "\"every 1m\"",
        "hour" | "hourly" => "\"every 1h\"",
        "day" | "daily" | "night" | "nightly" | "midnight" => DAILY,
        "week" | "weekly" => "\"30 2 * * 0\" (on Sundays at 02:30)",
        "month" | "monthly" => "\"30 2 1 * *\" (on the first of the month at 02:30)",
        "continuous" | "continuously" | "always" | "permanent" | "idle" | "push" | "immediate" | "immediately" => {
            "\"continuous\""
        }
        "manual" | "manually" | "never" | "off" | "none" | "no" | "disabled" | "" => "\"manual\"",
        _ if lower.split_whitespace().count() == 6 => {
            "five fields and no seconds: minute, hour, day, month, day of the week, as \"30 2 * * *\""
        }
        _ => "\"manual\", \"continuous\", \"every 15m\" or a cron line such as \"30 2 * * *\"",
    };
    meant.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_with_more_than_its_name_was_looked_up_as_it_is() {
        for good in [
            "mail.example.com",
            "localhost",
            "127.0.0.1",
            "::1",
            "bücher.example",
            "mail.example.com.",
            "a_b",
        ] {
            assert_eq!(host_fault(good), None, "{good}");
        }
        const PORT: &str = "host is a name alone; the port goes into port";
        for (given, what, write) in [
            (
                "imaps://mail.example.com",
                "host is a name, not an address with imaps://",
                "host = \"mail.example.com\" and access = \"imap-ssl\"",
            ),
            (
                "mail.example.com:993",
                PORT,
                "host = \"mail.example.com\" and port = 993",
            ),
            (
                "mail.example.com/INBOX",
                "host is a name alone",
                "host = \"mail.example.com\"",
            ),
            (
                "imap://mail.example.com:143/",
                PORT,
                "host = \"mail.example.com\" and port = 143",
            ),
            (
                "https://mail.example.com",
                "host is a name, not an address with https://",
                "host = \"mail.example.com\"",
            ),
            (
                " mail.example.com",
                "host has a space in it",
                "host = \"mail.example.com\"",
            ),
            ("[::1]:993", PORT, "host = \"::1\" and port = 993"),
            (
                "mail example com",
                "host has a space in it",
                "host = \"mail.example.com\"",
            ),
        ] {
            let said = host_fault(given).expect(given);
            assert_eq!(said, format!("{given:?}: {what}; write {write}"));
        }
        let said = host_fault("imaps://all:hunter2@mail.example.com").unwrap();
        assert!(
            !said.contains("hunter2") && said.contains("the account into username"),
            "{said}"
        );
    }

    #[test]
    fn schedules_that_people_write_are_answered_by_one_that_works() {
        for (given, hint) in [
            ("15m", "\"every 15m\""),
            ("every15m", "\"every 15m\""),
            ("Every 15 min", "\"every 15 min\""),
            ("every 15", "it with a unit: \"every 15m\" for minutes"),
            ("hourly", "\"every 1h\""),
            ("@daily", "\"30 2 * * *\" (each day at 02:30)"),
            ("03:15", "\"15 3 * * *\" (each day at 03:15)"),
            ("daily at 03:15", "\"15 3 * * *\" (each day at 03:15)"),
            ("Continuous", "\"continuous\""),
            ("", "\"manual\""),
        ] {
            assert_eq!(schedule_hint(given), hint, "{given}");
        }
        assert!(schedule_hint("0 30 2 * * *").starts_with("five fields"));
        assert!(schedule_hint("sometimes").contains("a cron line"));
    }
}
