//! What the tests, the demonstration and the benchmark share: a real mail server, mail to put
//! into it, and the appliance as a person starts it.

// Each of them uses a part.
#![allow(dead_code, unused_imports)]

pub mod appliance;
pub mod cases;
pub mod clock;
pub mod complete;
pub mod control;
pub mod corpus;
pub mod disks;
pub mod dovecot;
pub mod generator;
pub mod identity;
pub mod listening;
pub mod mime;
pub mod office;
pub mod pages;
pub mod proxy;
pub mod pull;
pub mod python;
pub mod running;
pub mod stores;
pub mod tls;
pub mod web;

use std::{
    io::{Write, stderr},
    time::{Duration, Instant},
};

/// How long anything may take that must come, on a machine with much else to do; only what never comes takes as long.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again and again until `done` or the deadline, and says which it was.
pub fn wait_for(deadline: Duration, mut done: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while !done() {
        if start.elapsed() >= deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}

/// A number from the environment.
pub fn setting(name: &str, default: usize) -> usize {
    let given = std::env::var(name).ok().and_then(|value| value.parse().ok());
    given.unwrap_or(default)
}

/// Shows the end of a server's log where a test has failed.
pub fn show_log(server: &str, log: impl FnOnce() -> String) {
    if std::thread::panicking() {
        let log = log();
        let lines = log.lines().count();
        let tail: Vec<_> = log.lines().skip(lines.saturating_sub(30)).collect();
        // Not `eprintln!`, whose panic where nobody reads would end this before the server.
        let _ = writeln!(stderr(), "--- the end of the log of {server}\n{}", tail.join("\n"));
    }
}
