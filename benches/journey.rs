//! `make bench`: how long the whole journey takes beside what bounds it and beside what others take, how much memory it
//! needs, and how much disk. A table to read, not a test.
//!
//! `BENCH` = speed | memory runs one part, `BENCH_ROUNDS` and `BENCH_MESSAGES` change its size. `BENCH_AGAINST=program`
//! has another version do the same, in turns, in place of mbsync.

#[path = "../tests/support/mod.rs"]
mod support;

use std::{
    fs,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use support::{
    appliance::{Appliance, PROFILE, Profile, assert_adds_up, number},
    corpus,
    dovecot::{Dovecot, MAILBOX, PASSWORD},
    generator::{Mailbox, Settings, sized},
    pull, setting,
};

const DROPKEEP: &str = env!("CARGO_BIN_EXE_dropkeep");
const MIB: f64 = 1_048_576.0;
const LARGE: usize = 50_000_000;

/// How many times the pull the archive may take.
const GOAL_PULL: f64 = 2.5;
/// How much of mbsync's time.
const GOAL_MBSYNC: f64 = 1.0 / 3.0;
/// How much of another version's time.
const GOAL_OTHER: f64 = 1.03;
/// How much of the raw bytes the data directory may take.
const GOAL_STORED: f64 = 0.40;
/// Resident MiB, whatever the mailbox; and with ten messages of 50 MB.
const GOAL_RSS: f64 = 200.0;
const GOAL_RSS_LARGE: f64 = 300.0;

fn main() {
    let part = std::env::var("BENCH").unwrap_or_default();
    let messages = setting("BENCH_MESSAGES", 20_000);
    let corpus = corpus::messages("the benchmark");
    let kind = if corpus.is_some() {
        "real (repeated)"
    } else {
        "generated"
    };
    println!("dropkeep from Dovecot on loopback, without TLS, {messages} {kind} messages");
    if part != "memory" {
        let server = Dovecot::start();
        let raw = server.deliver(mailbox(corpus.as_deref(), messages));
        for access in ["imap", "pop3"] {
            speed(&server, access, (messages, raw), setting("BENCH_ROUNDS", 5));
        }
    }
    if part != "speed" {
        memory(corpus.as_deref(), 10 * messages);
    }
}

fn mailbox(corpus: Option<&[Vec<u8>]>, count: usize) -> Box<dyn Iterator<Item = Vec<u8>> + '_> {
    match corpus {
        Some(corpus) => Box::new(corpus::repeated(corpus, count)),
        None => Box::new(Mailbox::new(Settings {
            average_size: 4_400,
            ..Settings::messages(count)
        })),
    }
}

/// They take turns, so that whatever slows the machine slows them all.
fn speed(server: &Dovecot, access: &str, (messages, raw): (usize, u64), rounds: usize) {
    let pulled = |each: &mut dyn FnMut(&[u8])| match access {
        "imap" => pull::imap(server.ports.imap, "INBOX", each),
        _ => pull::pop3(server.ports.pop3, each),
    };
    // Dovecot makes its index when it first sees a mailbox: nobody's time.
    pulled(&mut |_| {});
    let (mut pulls, mut archives, mut mbsyncs) = (Vec::new(), Vec::new(), Vec::new());
    // Of each round by itself: the machine is not equally fast in all of them.
    let (mut by_pull, mut by_mbsync) = (Vec::new(), Vec::new());
    let (mut peak, mut stored) = (0, 0);
    let (mut by_other, mut processor) = (Vec::new(), Vec::new());
    let other = std::env::var("BENCH_AGAINST").ok();
    let beside = if other.is_some() { "other" } else { "mbsync" };
    println!(
        "\n{access}\n{:>8}{:>12}{:>12}{:>12}",
        "round", "pull", "archive", beside
    );
    for round in 1..=rounds {
        let pull = timed(|| {
            let mut bytes = 0;
            assert_eq!(pulled(&mut |message| bytes += message.len()), messages);
            // Over POP3 each ends with a line end.
            assert!(bytes as u64 >= raw, "{bytes} of {raw}");
        });
        let archived_by = |program: &str| {
            let appliance = Appliance::for_company(program, &Profile::new(server, access));
            let before = processor_time();
            let outcome = appliance.done(&["archive", PROFILE, "--json"]);
            let processor = processor_time() - before;
            let run = outcome.json();
            assert_adds_up(&run);
            assert_eq!(number(&run, "seen"), messages as u64);
            (outcome, processor, appliance.disk_usage())
        };
        // In turns: who comes second finds more at hand.
        let first = other.as_deref().filter(|_| round % 2 == 0).map(archived_by);
        let (outcome, took, used) = archived_by(DROPKEEP);
        let second = other.as_deref().filter(|_| round % 2 == 1).map(archived_by);
        peak = peak.max(outcome.peak);
        stored = used;
        let mbsync = match first.or(second) {
            Some((theirs, their_processor, _)) => {
                by_other.push(outcome.took.as_secs_f64() / theirs.took.as_secs_f64());
                processor.push(took.as_secs_f64() / their_processor.as_secs_f64());
                Some(theirs.took)
            }
            None if access == "imap" => mbsync(server, messages),
            None => None,
        };
        let column = |time: Option<Duration>| time.map_or("-".into(), |time| format!("{:.2} s", time.as_secs_f64()));
        println!(
            "{round:>8}{:>12}{:>12}{:>12}",
            column(Some(pull)),
            column(Some(outcome.took)),
            column(mbsync)
        );
        by_pull.push(outcome.took.as_secs_f64() / pull.as_secs_f64());
        by_mbsync.extend(
            mbsync
                .filter(|_| other.is_none())
                .map(|mbsync| outcome.took.as_secs_f64() / mbsync.as_secs_f64()),
        );
        pulls.push(pull.as_secs_f64());
        archives.push(outcome.took.as_secs_f64());
        mbsyncs.extend(mbsync.map(|time| time.as_secs_f64()));
    }
    let shown = |times: Vec<f64>| spread(times).map_or("-".into(), |spread| format!("{:.2} s", spread.median));
    println!(
        "{:>8}{:>12}{:>12}{:>12}",
        "median",
        shown(pulls),
        shown(archives),
        shown(mbsyncs)
    );
    println!(
        "\n{messages} messages, {:.1} MB on the wire, by the release build (`cargo build --release`).\n\
         Times are ratios within a round: the median of {rounds} rounds, the least and the most.\n",
        raw as f64 / 1e6
    );
    println!("{:<34}{:>14}{:>14}", "", "measured", "goal");
    ratio("archive / pull", by_pull, GOAL_PULL, "-");
    match other {
        Some(_) => {
            ratio("archive / the other's", by_other, GOAL_OTHER, "-");
            ratio("processor time / the other's", processor, GOAL_OTHER, "-");
        }
        None => ratio("archive / mbsync", by_mbsync, GOAL_MBSYNC, "no mbsync"),
    }
    row(
        "data directory / raw bytes",
        stored as f64 / raw as f64,
        GOAL_STORED,
        "×",
    );
    row("peak resident", peak as f64 / MIB, GOAL_RSS, "MiB");
}

/// Of the processes that were started here and have ended, to a hundredth of a second (proc(5): cutime and cstime).
fn processor_time() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind_the_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = behind_the_name.split_whitespace().skip(13).take(2);
    let ticks: u64 = ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(10 * ticks)
}

fn memory(corpus: Option<&[Vec<u8>]>, messages: usize) {
    println!("\n{:<34}{:>14}{:>14}", "memory", "measured", "goal");
    let server = Dovecot::with(mailbox(corpus, messages));
    row(
        &format!("peak resident, {messages} messages"),
        peak_of(&server, messages),
        GOAL_RSS,
        "MiB",
    );
    drop(server);
    let server = Dovecot::with((1..=10).map(|number| sized(LARGE, number)));
    row(
        "peak resident, ten of 50 MB",
        peak_of(&server, 10),
        GOAL_RSS_LARGE,
        "MiB",
    );
}

fn peak_of(server: &Dovecot, messages: usize) -> f64 {
    let appliance = Appliance::for_company(DROPKEEP, &Profile::new(server, "imap"));
    let outcome = appliance.done(&["archive", PROFILE, "--json"]);
    assert_eq!(number(&outcome.json(), "seen"), messages as u64);
    outcome.peak as f64 / MIB
}

fn row(what: &str, measured: f64, goal: f64, unit: &str) {
    let met = if measured <= goal { "met" } else { "NOT MET" };
    println!(
        "{what:<34}{:>12}{:>12}  {met}",
        format!("{measured:.2} {unit}"),
        format!("≤ {goal:.2} {unit}")
    );
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn ratio(what: &str, by_round: Vec<f64>, goal: f64, without: &str) {
    match spread(by_round) {
        Some(Spread { median, least, most }) => {
            row(what, median, goal, "×");
            println!("{:<34}{:>12}", "", format!("{least:.2} – {most:.2} ×"));
        }
        None => println!("{what:<34}{without:>12}"),
    }
}

struct Spread {
    median: f64,
    least: f64,
    most: f64,
}

/// `None` of nothing.
fn spread(mut values: Vec<f64>) -> Option<Spread> {
    values.sort_unstable_by(f64::total_cmp);
    let (least, most) = (*values.first()?, *values.last()?);
    let middle = values.len() / 2;
    let median = if values.len().is_multiple_of(2) {
        (values[middle - 1] + values[middle]) / 2.0
    } else {
        values[middle]
    };
    Some(Spread { median, least, most })
}

/// isync's mbsync into an empty Maildir, set up as its manual shows; it syncs to disk by default.
/// `None` where it is not installed.
fn mbsync(server: &Dovecot, messages: usize) -> Option<Duration> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path().display();
    let rc = folder.path().join("mbsyncrc");
    let text = format!(
        "IMAPAccount test\nHost 127.0.0.1\nPort {}\nUser {MAILBOX}\nPass {PASSWORD}\nSSLType None\n\n\
         IMAPStore far\nAccount test\n\nMaildirStore near\nPath {root}/mail/\nInbox {root}/mail/INBOX\n\n\
         Channel all\nFar :far:\nNear :near:\nPatterns INBOX\nCreate Near\nSync Pull\nSyncState *\n",
        server.ports.imap
    );
    fs::write(&rc, text).expect("mbsyncrc");
    fs::create_dir(folder.path().join("mail")).expect("a folder");
    let start = Instant::now();
    let status = Command::new("mbsync")
        .args(["-q", "-a", "-c"])
        .arg(&rc)
        .stderr(Stdio::null())
        .status()
        .ok()?;
    let took = start.elapsed();
    assert!(status.success(), "mbsync: {status}");
    let new = fs::read_dir(folder.path().join("mail/INBOX/new")).map_or(0, Iterator::count);
    let cur = fs::read_dir(folder.path().join("mail/INBOX/cur")).map_or(0, Iterator::count);
    assert_eq!(new + cur, messages, "mbsync fetched them all");
    Some(took)
}
