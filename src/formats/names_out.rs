//! Names for files of mail that are written: what stands in mail becomes part of a path, so only what is safe
//! in every file system, shell and terminal is kept. Pure.

use jiff::{
    Timestamp,
    civil::{DateTime, date},
    tz::TimeZone,
};

use crate::{
    harmless::is_unseen,
    ids::{MessageId, Seconds},
};

/// Bytes of a subject in a name: with date, id and ending it stays far below the 255 that file systems take.
const SUBJECT: usize = 120;
/// Bytes of a user's name in a name.
const USER: usize = 100;

/// Where a message lies in a tree by year and month, and how it is called: `2026/01/2026-01-31T235959Z words
/// 000123.eml`. At most 200 bytes; the id makes it unique.
pub fn eml(date: Seconds, subject: &str, id: MessageId) -> String {
    let when = utc(date);
    let words = words(subject);
    let words = if words.is_empty() { "no subject" } else { &words };
    format!(
        "{:04}/{:02}/{:04}-{:02}-{:02}T{:02}{:02}{:02}Z {words} {id:06}.eml",
        when.year(),
        when.month(),
        when.year(),
        when.month(),
        when.day(),
        when.hour(),
        when.minute(),
        when.second()
    )
}

/// How a message of `size` bytes is called in a Maildir whose mail was read: `cur/1769903999.I123.dropkeep,S=4711:2,S`.
pub fn maildir(date: Seconds, id: MessageId, size: u64) -> String {
    format!("cur/{}.I{id}.dropkeep,S={size}:2,S", date.max(0))
}

/// The name of a user's folder; another user may have the same.
pub fn user(name: &str) -> String {
    let mut safe = String::new();
    for c in name.trim().chars() {
        let c = if is_plain(c) || matches!(c, '@' | '+' | '.' | ' ') {
            c
        } else {
            '_'
        };
        if safe.len() + c.len_utf8() > USER {
            break;
        }
        safe.push(c);
    }
    // What begins with a dot is hidden, and what begins with a hyphen is taken for an option; Windows knows no
    // names that end with a dot or a space.
    if safe.starts_with(['.', '-']) {
        safe.replace_range(..1, "_");
    }
    if safe.ends_with(['.', ' ']) {
        safe.pop();
        safe.push('_');
    }
    if safe.is_empty() { "_".into() } else { safe }
}

/// What stays of a subject: its letters and digits, a space between words.
fn words(subject: &str) -> String {
    let mut words = String::new();
    for word in subject.split(|c| !is_plain(c)).filter(|word| !word.is_empty()) {
        if !words.is_empty() {
            words.push(' ');
        }
        for c in word.chars() {
            if words.len() + c.len_utf8() > SUBJECT {
                words.truncate(words.trim_end().len());
                return words;
            }
            words.push(c);
        }
    }
    words
}

/// Letters and digits of any script that can be seen, and what holds words together.
fn is_plain(c: char) -> bool {
    (c.is_alphanumeric() && !is_unseen(c)) || matches!(c, '-' | '_')
}

/// A date as it stands in names: what is beyond four digits of the year is at their end.
pub fn utc(date: Seconds) -> DateTime {
    let timestamp = Timestamp::from_second(date).unwrap_or(if date < 0 { Timestamp::MIN } else { Timestamp::MAX });
    TimeZone::UTC.to_datetime(timestamp).max(FIRST)
}

const FIRST: DateTime = date(0, 1, 1).at(0, 0, 0, 0);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_message_is_called_by_date_and_subject() {
        assert_eq!(
            eml(1_769_903_999, "Re: your invoice, no. 12/2025.pdf", MessageId(123)),
            "2026/01/2026-01-31T235959Z Re your invoice no 12 2025 pdf 000123.eml"
        );
        assert_eq!(
            eml(0, " \u{1f600}../..\0\u{202e}", MessageId(12_345_678)),
            "1970/01/1970-01-01T000000Z no subject 12345678.eml"
        );
        assert_eq!(
            eml(0, "Grüße aus 日本", MessageId(1)),
            "1970/01/1970-01-01T000000Z Grüße aus 日本 000001.eml"
        );
        assert!(eml(Seconds::MIN, "", MessageId(1)).starts_with("0000/01/0000-01-01T000000Z "));
        assert!(eml(Seconds::MAX, "", MessageId(1)).starts_with("9999/12/9999-12-30T"));
        assert_eq!(
            maildir(1_769_903_999, MessageId(123), 4711),
            "cur/1769903999.I123.dropkeep,S=4711:2,S"
        );
        assert_eq!(maildir(-5, MessageId(1), 0), "cur/0.I1.dropkeep,S=0:2,S");
    }

    #[test]
    fn a_user_is_called_by_name() {
        for (name, safe) in [
            ("jane", "jane"),
            ("@catchall", "@catchall"),
            ("new+tag@bücher.example", "new+tag@bücher.example"),
            ("archive robot", "archive robot"),
            ("../../etc/passwd", "_._.._etc_passwd"),
            (".hidden", "_hidden"),
            ("-rf", "_rf"),
            ("a/b\\c:d\u{202e}", "a_b_c_d_"),
            ("ends.", "ends_"),
            ("\u{1f600}", "_"),
            ("", "_"),
        ] {
            assert_eq!(user(name), safe, "{name}");
        }
    }

    fn is_safe(name: &str) -> bool {
        !name.contains(|c: char| c == '/' || c.is_control()) && !name.starts_with('.') && name.trim() == name
    }

    proptest! {
        #[test]
        fn whatever_the_mail_says_names_are_safe_and_short(subject in ".{0,400}", date: i64, id: u64, size: u64) {
            let path = eml(date, &subject, MessageId(id));
            let parts: Vec<_> = path.split('/').collect();
            prop_assert_eq!(parts.len(), 3);
            prop_assert!(parts.iter().all(|part| is_safe(part) && part.len() <= 200), "{}", path);
            let named = format!(" {id:06}.eml");
            prop_assert!(path.ends_with(&named));
            prop_assert!(maildir(date, MessageId(id), size).len() <= 200);
        }

        #[test]
        fn whatever_users_are_called_their_folders_are_safe(name in "\\PC{0,200}") {
            let folder = user(&name);
            prop_assert!(is_safe(&folder) && !folder.is_empty() && folder.len() <= 200, "{}", folder);
            prop_assert_eq!(user(&folder), folder, "a safe name stays as it is");
        }
    }
}
