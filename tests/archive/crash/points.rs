//! Every step of a message's way, from the opening of the store to the protocol: broken off, resumed, and the archive
//! is that of an undisturbed run.

use std::collections::BTreeSet;

use dropkeep::fault::Stage;

use crate::crash::{
    DROPKEEP,
    held::{Held, assert_ends_with, attempt, broken_off, held, mailbox, points_of, resume},
    support::{
        appliance::{Appliance, PROFILE, Profile, assert_adds_up},
        dovecot::Dovecot,
        generator::{company_of, user_tables},
    },
};

/// The stages that a run passes.
const STAGES: [Stage; 8] = [
    Stage::Open,
    Stage::Protocol,
    Stage::Fetch,
    Stage::Identify,
    Stage::Route,
    Stage::File,
    Stage::Commit,
    Stage::Acknowledge,
];

/// Small volumes and small groups, so that there are several of each.
const SETTINGS: &str = "[archive]\nvolume_size = \"1 MiB\"\n[limits]\ninflight = \"1 MiB\"\n";

/// The program over a server's mailbox, with an archive still to be made.
pub fn appliance(server: &Dovecot) -> Appliance {
    let text = user_tables(&company_of(5)) + &Profile::new(server, "imap").toml() + SETTINGS;
    Appliance::new(DROPKEEP, &text)
}

/// At which time a point is to be reached: the first where something begins, and one in the middle of the mail.
fn times(point: &str, stage: Stage) -> &'static [u64] {
    match (point, stage) {
        // The second volume, too.
        ("volume-making" | "volume-made", _) => &[1, 2],
        ("volume-full", _) => &[1],
        ("volume-writing" | "volume-written" | "volume-synced", _) => &[1, 3],
        // The first groups are the users, the run, the source and the folder.
        (_, Stage::Commit) => &[1, 6],
        ("acknowledging" | "acknowledged", _) => &[1, 6],
        (_, Stage::Open | Stage::Protocol) => &[1],
        _ => &[20],
    }
}

/// How a run ends that is broken off there. A panic costs the copy over which it came, an error of the store the run.
fn codes(point: &str, stage: Stage, kind: &str) -> &'static [i32] {
    match (stage, kind) {
        (Stage::Open, "panic") if point == "abandoned-closing" => &[1],
        // Whoever cannot be read is kept unread.
        (Stage::Identify, "panic") => &[0],
        (Stage::Fetch | Stage::Identify, _) => &[1],
        (Stage::Route | Stage::File, "panic") => &[1],
        (Stage::Acknowledge, "panic") if point == "recorded" => &[1],
        _ => &[4],
    }
}

/// A crash before, without which there is nothing to tidy up.
fn prelude(point: &str) -> Option<&'static str> {
    (point == "open-sweeping").then_some("volume-synced")
}

fn break_off(kind: &str) {
    let server = Dovecot::with(mailbox(40, 30));
    let undisturbed = {
        let appliance = appliance(&server);
        resume(&appliance, "undisturbed")
    };
    assert!(undisturbed.filings.len() > 50);
    let cases = points_of(&STAGES).into_iter();
    let cases: Vec<_> = cases
        .flat_map(|(point, stage)| times(point, stage).iter().map(move |nth| (point, stage, *nth)))
        .collect();
    // A case waits for disks and servers most of its time.
    at_once(&cases, |(point, stage, nth)| {
        let what = format!("{point}:{kind}:{nth}");
        let appliance = appliance(&server);
        let archive = || appliance.command(&["archive", PROFILE, "--json"]);
        if let Some(before) = prelude(point) {
            broken_off(archive(), before, "abort", 2);
        }
        let outcome = broken_off(archive(), point, kind, *nth);
        assert_ends_with(&outcome, codes(point, *stage, kind), &what);
        if outcome.code.is_some() && !outcome.stdout.is_empty() {
            assert_adds_up(&outcome.json());
        }
        let after = resume(&appliance, &what);
        if (*stage, kind) == (Stage::Identify, "panic") {
            assert_one_is_unread(&undisturbed, &after, &what);
        } else {
            assert_eq!(after, undisturbed, "{what}");
        }
    });
}

/// Does something for each case, several at once; what fails in one of them fails here.
fn at_once<T: Sync>(cases: &[T], each: impl Fn(&T) + Sync) {
    const AT_ONCE: usize = 4;
    std::thread::scope(|scope| {
        for number in 0..AT_ONCE {
            let each = &each;
            scope.spawn(move || cases.iter().skip(number).step_by(AT_ONCE).for_each(each));
        }
    });
}

/// A message over which reading panics is kept, and nobody knows for whom it is.
fn assert_one_is_unread(expected: &Held, after: &Held, what: &str) {
    assert_eq!(after.totals, expected.totals, "{what}");
    let differing = |one: &Held, other: &Held| -> BTreeSet<(String, [u8; 32])> {
        let missing = one.filings.iter().filter(|(key, _)| !other.filings.contains_key(*key));
        missing.map(|(key, _)| key.clone()).collect()
    };
    let (missing, added) = (differing(expected, after), differing(after, expected));
    let messages: BTreeSet<_> = missing.iter().chain(&added).map(|(_, sha256)| *sha256).collect();
    assert!(messages.len() <= 1, "{what}: {messages:?}");
    assert!(added.iter().all(|(user, _)| user == "@catchall"), "{what}: {added:?}");
}

#[test]
fn every_step_of_a_run_that_fails_is_resumed() {
    break_off("error");
}

#[test]
fn every_step_of_a_run_that_panics_is_resumed() {
    break_off("panic");
}

#[test]
fn every_step_of_a_run_that_aborts_is_resumed() {
    break_off("abort");
}

/// Two crashes in a row, the second over what the first left.
#[test]
fn a_crash_while_what_a_crash_left_is_swept_is_resumed() {
    let server = Dovecot::with(mailbox(20, 10));
    let whole = resume(&appliance(&server), "undisturbed");
    let appliance = appliance(&server);
    let archive = || appliance.command(&["archive", PROFILE, "--json"]);
    for point in [
        "catalog-written",
        "volume-synced",
        "open-sweeping",
        "open-swept",
        "volume-written",
    ] {
        attempt(archive(), point, "abort", if point.starts_with("open") { 1 } else { 2 });
    }
    assert_eq!(resume(&appliance, "crash over crash"), whole);
    assert_eq!(held(&appliance), whole);
}

/// Whoever adds a stage says here by which test it is broken off.
#[test]
fn every_stage_is_broken_off_by_some_test() {
    for (point, stage) in dropkeep::fault::POINTS {
        let elsewhere = match stage {
            Stage::Open
            | Stage::Protocol
            | Stage::Fetch
            | Stage::Identify
            | Stage::Route
            | Stage::File
            | Stage::Commit
            | Stage::Acknowledge => false,
            // In tests/appliance/service.rs and supervision.rs.
            Stage::Supervise
            | Stage::Deletion
            | Stage::Upgrade
            | Stage::Seal
            | Stage::Lists
            | Stage::Compact
            | Stage::Shrink
            | Stage::Backup
            | Stage::Restore
            | Stage::Use
            // In tests/search/hardy.rs.
            | Stage::Index
            // In tests/console/upkeep.rs.
            | Stage::Verify => true,
        };
        assert_ne!(STAGES.contains(stage), elsewhere, "{point}");
    }
}
