use jiff::SignedDuration;

use super::*;
use crate::report::timestamp;

fn zoned(text: &str) -> Zoned {
    text.parse().unwrap()
}

#[test]
fn it_is_due_once_a_day_whatever_the_clocks_do() {
    let at = |now: &str| due_at(&zoned(now), Time::constant(7, 0, 0, 0)).to_string();
    assert_eq!(at("2026-01-10T07:00:00[UTC]"), "2026-01-10T07:00:00Z");
    assert_eq!(at("2026-01-10T06:59:59[UTC]"), "2026-01-09T07:00:00Z");
    assert_eq!(at("2026-01-01T03:00:00+01:00[Europe/Berlin]"), "2025-12-31T06:00:00Z");
    assert_eq!(at("2026-07-10T23:00:00+02:00[Europe/Berlin]"), "2026-07-10T05:00:00Z");
    // An hour that there is not, and one that there is twice.
    let in_the_gap = due_at(
        &zoned("2026-03-29T04:00:00+02:00[Europe/Berlin]"),
        Time::constant(2, 30, 0, 0),
    );
    assert_eq!(in_the_gap.to_string(), "2026-03-29T01:30:00Z");
    let twice = |now: &str| due_at(&zoned(now), Time::constant(2, 30, 0, 0)).to_string();
    assert_eq!(
        twice("2026-10-25T02:40:00+02:00[Europe/Berlin]"),
        "2026-10-25T00:30:00Z"
    );
    assert_eq!(
        twice("2026-10-25T02:40:00+01:00[Europe/Berlin]"),
        "2026-10-25T00:30:00Z"
    );
}

#[test]
fn a_digest_that_is_sent_in_the_very_second_in_which_it_is_due_is_not_due_again() {
    let time = Time::constant(7, 0, 0, 0);
    let mut last: Timestamp = "2026-01-09T07:00:00Z".parse().unwrap();
    let mut sent = Vec::new();
    let start: Timestamp = "2026-01-10T06:59:58.900Z".parse().unwrap();
    for tenths in 0..200 {
        let now = start + SignedDuration::from_millis(100 * tenths);
        if is_due(now, &TimeZone::UTC, time, last) {
            last = timestamp(now);
            sent.push((now.to_string(), last.to_string()));
        }
    }
    assert_eq!(
        sent,
        [("2026-01-10T07:00:01Z".to_owned(), "2026-01-10T07:00:01Z".to_owned())]
    );
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

#[test]
fn a_run_is_in_one_digest_by_when_it_ended() {
    let window = Window {
        since: at(100),
        until: at(200),
        running: vec![RunId(7)],
    };
    let head = |started: i64, finished: Option<i64>| Head {
        state: RunState::Interrupted,
        started_at: at(started),
        finished_at: finished.map(at),
    };
    for (number, started, finished, expected) in [
        (1, 0, Some(100), false),
        (1, 0, Some(101), true),
        (1, 0, Some(200), true),
        (1, 0, Some(201), false),
        (1, 150, None, true),
        (1, 50, None, false),
        (7, 50, None, true),
        (7, 50, Some(100), true),
        (7, 50, Some(201), false),
    ] {
        assert_eq!(
            window.has(RunId(number), &head(started, finished)),
            expected,
            "{number} {started} {finished:?}"
        );
    }
}

#[test]
fn sums_are_added_and_alike_errors_are_one() {
    let mut sums = Sums::default();
    for number in 1..=10 {
        let mut run = Run::begin("company", at(number));
        run.run = RunId(number as u64);
        run.state = RunState::CompletedWithErrors;
        run.counts.count(crate::report::Outcome::Archived);
        run.unknown_addresses.count("x@example.com");
        run.notice("a notice");
        for copy in 0..20 {
            run.error("INBOX", format!("UID {copy}"), "fetch", format!("refused {copy}"));
        }
        run.error(
            "",
            "",
            "connection",
            format!("lost {}", char::from(b'a' + number as u8)),
        );
        sums.add(run);
    }
    let window = Window {
        since: at(0),
        until: at(100),
        running: Vec::new(),
    };
    let lines = [
        ProfileDay {
            profile: "z-good",
            sums: Some(&Sums::default()),
            last_success: None,
            due: true,
        },
        ProfileDay {
            profile: "company",
            sums: Some(&sums),
            last_success: Some(Some(at(5))),
            due: true,
        },
        ProfileDay {
            profile: "silent\r\nBcc: x",
            sums: None,
            last_success: Some(None),
            due: true,
        },
        ProfileDay {
            profile: "by hand",
            sums: None,
            last_success: Some(None),
            due: false,
        },
    ];
    let words = of_day(&lines, &window, "host");
    assert_eq!(
        words.subject,
        "dropkeep: 10 runs, all with errors; 10 archived; 1 of 3 profiles did not run"
    );
    let body = &words.body;
    assert!(
        body.contains("10 runs, all with errors. The last run that completed ended at"),
        "{body}"
    );
    assert!(
        body.contains("- run 1, and 199 like it: fetch: INBOX, UID 0: refused 0"),
        "{body}"
    );
    assert!(body.contains("- and 6 more\n"), "{body}");
    assert!(body.contains("- x@example.com (10 messages)"), "{body}");
    assert!(
        body.contains("No run ended in this time. No run has completed so far."),
        "{body}"
    );
    assert!(!body.lines().any(|line| line.starts_with("Bcc")), "{body}");
    let place = |text: &str| body.find(text).unwrap();
    assert!(place("== Profile company") < place("== Profile z-good"));
}

#[test]
fn a_digest_never_says_of_a_profile_that_completed_that_it_never_did() {
    let sums = |states: &[RunState]| {
        let mut sums = Sums::default();
        for state in states {
            sums.add(Run {
                state: *state,
                ..Run::begin("company", at(1))
            });
        }
        sums
    };
    use RunState::{Completed, CompletedWithErrors, Failed};
    let window = Window {
        since: at(0),
        until: at(100),
        running: Vec::new(),
    };
    for (states, last_success, words) in [
        (&[Completed][..], Some(None), "\n1 run, completed.\n"),
        (
            &[Completed],
            Some(Some(at(5))),
            "\n1 run, completed. The last run that completed ended at",
        ),
        (&[Failed], Some(None), "\n1 run, failed. No run has completed so far.\n"),
        (&[Failed], None, "\n1 run, failed.\n"),
        (
            &[Completed, Failed, CompletedWithErrors],
            None,
            "\n3 runs: 1 completed, 1 with errors, 1 failed.\n",
        ),
    ] {
        let sums = sums(states);
        let line = ProfileDay {
            profile: "company",
            sums: Some(&sums),
            last_success,
            due: true,
        };
        let body = of_day(&[line], &window, "host").body;
        assert!(body.contains(words), "{body}");
    }
}
