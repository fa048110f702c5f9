//! How much longer a run takes beside people who log in, and beside people who read.

use std::{
    fs,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    median,
    site::{Client, Site},
    support::{
        appliance::{PROFILE, Profile, number},
        dovecot::Dovecot,
        pull,
    },
    table::{self, Goal, quantile},
};

/// A run's time beside others, by that of one alone.
const GOAL_LOG_INS: f64 = 1.05;
const GOAL_READERS: f64 = 1.10;
const LOG_INS: usize = 100;
const READERS: usize = 200;
/// How long each of them looks at a page before they ask for the next; few are that quick.
const LOOKS: Duration = Duration::from_secs(2);
/// Messages that are there to be read.
const READ: usize = 2_000;
/// What they ask for, in turns.
const ASKED: [&str; 4] = [
    "/api/v1/users/jane/messages?limit=50",
    "/api/v1/messages/{}",
    "/api/v1/search?q=report&limit=50",
    "/api/v1/messages/{}/raw",
];

pub fn run(mail: &[Vec<u8>], rounds: usize) {
    let server = Dovecot::start();
    server.deliver(mail);
    // Dovecot makes its index when it first sees a mailbox: nobody's time.
    pull::imap(server.ports.imap, "INBOX", |_| {});
    let (mut log_ins, mut readers, mut answers) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        // In turns: who comes second finds more at hand.
        let first = (round % 2 == 1).then(|| alone(&server, mail.len()));
        let beside_log_ins = beside(&server, mail.len(), log_in);
        let beside_readers = beside(&server, mail.len(), |site, over| answers.extend(read(site, over)));
        let alone = first.unwrap_or_else(|| alone(&server, mail.len()));
        log_ins.push(beside_log_ins / alone);
        readers.push(beside_readers / alone);
    }
    table::head(&format!("a run of {} messages over IMAP, {rounds} rounds", mail.len()));
    let what = "beside 100 who log in at once / alone";
    table::row(what, median(&log_ins), Goal::AtMost(GOAL_LOG_INS), "×");
    table::row(
        "beside 200 who read / alone",
        median(&readers),
        Goal::AtMost(GOAL_READERS),
        "×",
    );
    let what = format!("what they wait, median of {} answers", answers.len());
    table::row(&what, median(&answers), Goal::None, "ms");
    let slowest = quantile(&answers, 0.99).expect("answers");
    table::row("what they wait, 99 in 100", slowest, Goal::None, "ms");
}

/// An archive with some mail of another profile, for readers.
fn site(server: &Dovecot) -> Site {
    let profile = Profile::new(server, "imap").toml();
    let site = Site::of_profile("", &profile, &[("DROPKEEP__HTTP__REQUESTS_AT_ONCE", "500")]);
    let few: Vec<_> = (0..READ)
        .map(|number| {
            format!(
                "From m@sender.example Thu Jan  1 00:00:00 2026\r\nFrom: m@sender.example\r\nTo: jane@example.com\r\n\
                 Subject: report {number}\r\nMessage-ID: <{number}@sender.example>\r\n\r\n{}\r\n\r\n",
                "Some words of a report.\r\n".repeat(80)
            )
        })
        .collect();
    let file = site.path("few.mbox");
    fs::write(&file, few.concat()).expect("a file");
    site.import_file(&file);
    site.indexed();
    for number in 0..LOG_INS {
        site.add(&format!("jane{number}"), "user", &["jane"]);
    }
    site
}

fn archive(site: &Site, messages: usize) -> f64 {
    let begun = Instant::now();
    let run: Value = site.appliance.done(&["archive", PROFILE, "--json"]).json();
    assert_eq!(number(&run, "seen"), messages as u64, "{run}");
    begun.elapsed().as_secs_f64()
}

fn alone(server: &Dovecot, messages: usize) -> f64 {
    archive(&site(server), messages)
}

/// Seconds of a run while others do something until it is over.
fn beside(server: &Dovecot, messages: usize, others: impl FnOnce(&Site, &AtomicBool) + Send) -> f64 {
    let site = site(server);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let (site, over) = (&site, &over);
        let doing = scope.spawn(move || others(site, over));
        let took = archive(site, messages);
        over.store(true, Ordering::Relaxed);
        doing.join().expect("the others");
        took
    })
}

/// People sit at machines of their own: what their side of a connection costs is not to slow the run.
fn sit_elsewhere() {
    let _ = rustix::process::nice(19);
}

fn log_in(site: &Site, _: &AtomicBool) {
    thread::scope(|scope| {
        for number in 0..LOG_INS {
            scope.spawn(move || {
                sit_elsewhere();
                site.log_in(&format!("jane{number}"))
            });
        }
    });
}

/// Reads until the run is over; gives how long each answer took, in ms.
fn read(site: &Site, over: &AtomicBool) -> Vec<f64> {
    let jane = site.log_in("jane0");
    let next = AtomicU64::new(0);
    let taken = thread::scope(|scope| {
        let readers: Vec<_> = (0..READERS)
            .map(|number| {
                let (jane, next) = (&jane, &next);
                scope.spawn(move || {
                    sit_elsewhere();
                    let mut took = Vec::new();
                    // They do not all begin in the same moment.
                    thread::sleep(LOOKS * u32::try_from(number).unwrap_or(0) / READERS as u32);
                    while !over.load(Ordering::Relaxed) {
                        took.push(one(jane, next.fetch_add(1, Ordering::Relaxed)));
                        thread::sleep(LOOKS);
                    }
                    took
                })
            })
            .collect();
        let taken = readers.into_iter().map(|reader| reader.join().expect("a reader"));
        taken.collect::<Vec<_>>()
    });
    taken.concat()
}

fn one(jane: &Client, number: u64) -> f64 {
    let path = ASKED[number as usize % ASKED.len()].replace("{}", &(number % READ as u64 + 1).to_string());
    let begun = Instant::now();
    jane.get(&path).expect(200);
    begun.elapsed().as_secs_f64() * 1e3
}
