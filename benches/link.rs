//! `make bench BENCH=link`: how much slower a far server is than a near one. The same small mail over loopback and over
//! a link with a long round trip, by IMAP and POP3. A table to read, not a test.
//!
//! `BENCH_ROUNDS`, `BENCH_MESSAGES` and `BENCH_ROUND_TRIP` (milliseconds) change its size.

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::Duration;

use support::{
    appliance::{Appliance, PROFILE, Profile, assert_adds_up, number},
    dovecot::Dovecot,
    generator::{Mailbox, Settings},
    proxy::{Link, Proxy},
    pull, setting,
};

const DROPKEEP: &str = env!("CARGO_BIN_EXE_dropkeep");

/// How much of loopback's speed is left over the link.
const GOAL: f64 = 1.0 / 3.0;

fn main() {
    let messages = setting("BENCH_MESSAGES", 5_000);
    let rounds = setting("BENCH_ROUNDS", 3).max(1);
    let link = Link {
        round_trip: Duration::from_millis(setting("BENCH_ROUND_TRIP", 50) as u64),
        rate: None,
    };
    let server = Dovecot::start();
    let raw = server.deliver(Mailbox::new(Settings {
        average_size: 4_000,
        ..Settings::messages(messages)
    }));
    // Dovecot makes its index when it first sees a mailbox: nobody's time.
    pull::imap(server.ports.imap, "INBOX", |_| {});
    pull::pop3(server.ports.pop3, |_| {});
    println!(
        "{messages} messages, {:.1} MB, from Dovecot over loopback, and through a link of {:?} round trip\n",
        raw as f64 / 1e6,
        link.round_trip
    );
    println!(
        "{:>8}{:>8}{:>12}{:>12}{:>12}{:>10}",
        "access", "round", "loopback", "link", "link MB/s", "ratio"
    );
    for access in ["imap", "pop3"] {
        let far = Proxy::over(server.ports.of(access), link);
        let mut ratios = Vec::new();
        // They take turns, so that whatever slows the machine slows both.
        for round in 1..=rounds {
            let near = archived(&server, access, None, messages);
            let long = archived(&server, access, Some(far.port), messages);
            let ratio = near.as_secs_f64() / long.as_secs_f64();
            ratios.push(ratio);
            println!(
                "{access:>8}{round:>8}{:>12}{:>12}{:>12.1}{ratio:>10.2}",
                format!("{:.2} s", near.as_secs_f64()),
                format!("{:.2} s", long.as_secs_f64()),
                raw as f64 / 1e6 / long.as_secs_f64()
            );
        }
        ratios.sort_unstable_by(f64::total_cmp);
        let median = ratios[ratios.len() / 2];
        let met = if median >= GOAL { "met" } else { "NOT MET" };
        println!("{access:>8}  median {median:.2} of loopback's speed, goal ≥ {GOAL:.2}: {met}\n");
    }
}

/// How long a run into an empty archive takes, from the command's start to its end.
fn archived(server: &Dovecot, access: &str, port: Option<u16>, messages: usize) -> Duration {
    let mut profile = Profile::new(server, access);
    profile.port = port.unwrap_or(profile.port);
    let appliance = Appliance::for_company(DROPKEEP, &profile);
    let outcome = appliance.done(&["archive", PROFILE, "--json"]);
    let run = outcome.json();
    assert_adds_up(&run);
    assert_eq!(number(&run, "seen"), messages as u64, "{run:#}");
    assert_eq!(number(&run, "failed"), 0, "{run:#}");
    outcome.took
}
