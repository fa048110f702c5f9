//! What archiving takes with an index and without, and how long it takes until what was archived is found.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::{
    median,
    support::{
        appliance::{Appliance, PROFILE, Profile, number},
        control,
        dovecot::Dovecot,
        generator::{company, user_tables},
        pull,
    },
    table::{self, Goal},
    waiting::indexed,
};

const DROPKEEP: &str = env!("CARGO_BIN_EXE_dropkeep");
/// The time of archiving beside that without an index.
const GOAL_BESIDE: f64 = 1.3;
/// How many times the pull until all of it is found.
const GOAL_FOUND: f64 = 7.0;
/// Seconds until a message that comes alone is found.
const GOAL_ALONE: f64 = 2.0;

pub fn run(mail: &[Vec<u8>], rounds: usize) {
    let server = Dovecot::start();
    server.deliver(mail);
    // Dovecot makes its index when it first sees a mailbox: nobody's time.
    pull::imap(server.ports.imap, "INBOX", |_| {});
    let (mut pulls, mut beside, mut found, mut alone) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        let begun = Instant::now();
        pull::imap(server.ports.imap, "INBOX", |_| {});
        let pulled = begun.elapsed().as_secs_f64();
        pulls.push(pulled);
        // In turns: who comes second finds more at hand.
        let first = (round % 2 == 1).then(|| archive(&server, mail.len(), true));
        let without = archive(&server, mail.len(), false);
        let with = first.unwrap_or_else(|| archive(&server, mail.len(), true));
        beside.push(with.took.as_secs_f64() / without.took.as_secs_f64());
        found.push(with.found.as_secs_f64() / pulled);
        alone.push(with.alone.as_secs_f64());
    }
    table::head("archiving over IMAP from Dovecot on loopback");
    table::row(
        "with an index / without",
        median(&beside),
        Goal::AtMost(GOAL_BESIDE),
        "×",
    );
    let what = format!("until all of it is found / pull ({:.2} s)", median(&pulls));
    table::row(&what, median(&found), Goal::AtMost(GOAL_FOUND), "×");
    table::row(
        "until a message that comes alone is found",
        median(&alone),
        Goal::AtMost(GOAL_ALONE),
        "s",
    );
}

struct Took {
    took: Duration,
    /// From the begin of the run until all of it is found; zero without an index.
    found: Duration,
    alone: Duration,
}

/// Archives all of it by an appliance that runs.
fn archive(server: &Dovecot, messages: usize, with_index: bool) -> Took {
    let profile = Profile::new(server, "imap");
    let text = format!(
        "{}{}[search]\nenabled = {with_index}\n",
        user_tables(&company()),
        profile.toml()
    );
    let appliance = Appliance::new(DROPKEEP, &text);
    let serving = appliance.serve();
    let begun = Instant::now();
    let run = appliance.done(&["archive", PROFILE, "--json"]).json();
    let took = begun.elapsed();
    assert_eq!(number(&run, "seen"), messages as u64, "{run}");
    let mut times = Took {
        took,
        found: Duration::ZERO,
        alone: Duration::ZERO,
    };
    if with_index {
        indexed(&appliance.data());
        times.found = begun.elapsed();
        times.alone = alone(&appliance);
    }
    serving.stop();
    times
}

/// How long it takes until one message more is found, from the end of the command that archived it.
fn alone(appliance: &Appliance) -> Duration {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("alone.eml");
    let message = "From: a@sender.example\r\nTo: jane@example.com\r\nSubject: alone\r\nMessage-ID: <alone@sender.example>\r\n\r\nzyxwvut\r\n";
    std::fs::write(&file, message).expect("a file");
    appliance.done(&["import", "--profile", PROFILE, "--json", file.to_str().expect("a name")]);
    let begun = Instant::now();
    let request = json!({"search": {"query": "zyxwvut", "limit": 1}});
    loop {
        let replies = control::ask(&appliance.data(), &request).expect("an answer");
        let found = replies.iter().find_map(|reply| reply.get("found")).expect("an answer");
        if number(found, "total") > 0 {
            return begun.elapsed();
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "it is not found");
        std::thread::sleep(Duration::from_millis(5));
    }
}
