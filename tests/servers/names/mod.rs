//! Names that servers give a second time: random histories of a mailbox, and runs with deletion on. Whatever happens to
//! UIDs and UIDLs, each message that ever came is on the server, or byte for byte in the archive.
//!
//! `HISTORIES=number` plays so many for each protocol, `HISTORY=seed` one alone. `DROPKEEP_UNDER_TEST=program` plays
//! them on another version.

mod history;
mod notices;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::mailserver::Protocol;

/// Histories that one appliance goes through: each is a profile of its own.
const AT_ONCE: u64 = 50;

fn play(protocol: Protocol) {
    let number = |name: &str| std::env::var(name).ok().and_then(|number| number.parse::<u64>().ok());
    let seeds = match (number("HISTORY"), number("HISTORIES")) {
        (Some(seed), _) => seed..seed + 1,
        (None, many) => 0..many.unwrap_or(100),
    };
    let next = AtomicU64::new(seeds.start);
    let failed: Mutex<Vec<String>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let first = next.fetch_add(AT_ONCE, Ordering::SeqCst);
                    if first >= seeds.end {
                        return;
                    }
                    let seeds: Vec<u64> = (first..seeds.end.min(first + AT_ONCE)).collect();
                    let mut world = history::World::new(protocol, &seeds);
                    for seed in seeds {
                        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| world.play(seed))) {
                            let words = panic.downcast_ref::<String>().cloned().unwrap_or_default();
                            failed
                                .lock()
                                .unwrap()
                                .push(format!("{protocol:?}, HISTORY={seed}: {words}"));
                        }
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(
        failed.is_empty(),
        "{} histories lost mail:\n{}",
        failed.len(),
        failed[..failed.len().min(3)].join("\n")
    );
}

#[test]
fn no_history_of_an_imap_mailbox_loses_a_message() {
    play(Protocol::Imap);
}

#[test]
fn no_history_of_a_pop3_mailbox_loses_a_message() {
    play(Protocol::Pop3);
}
