//! Names that servers give a second time: random histories of a mailbox, and runs with deletion on. Whatever happens to
//! UIDs and UIDLs, each message that ever came is on the server, or byte for byte in the archive.
//!
//! `HISTORIES=number` plays so many for each protocol, `HISTORY=seed` one alone. `DROPKEEP_UNDER_TEST=program` plays
//! them on another version.

mod history;
mod notices;

use crate::{
    mailserver::Protocol,
    support::cases::{panic_of, side_by_side},
};

/// Histories that one appliance goes through: each is a profile of its own.
const AT_ONCE: usize = 50;

fn play(protocol: Protocol) {
    let number = |name: &str| std::env::var(name).ok().and_then(|number| number.parse::<u64>().ok());
    let seeds = match (number("HISTORY"), number("HISTORIES")) {
        (Some(seed), _) => seed..seed + 1,
        (None, many) => 0..many.unwrap_or(100),
    };
    let seeds: Vec<u64> = seeds.collect();
    let failed = side_by_side(seeds.chunks(AT_ONCE), 2, |seeds| {
        let mut world = history::World::new(protocol, seeds);
        let mut play = |seed: &u64| {
            let why = panic_of(|| world.play(*seed))?;
            Some(format!("{protocol:?}, HISTORY={seed}: {why}"))
        };
        seeds.iter().filter_map(&mut play).collect::<Vec<_>>()
    });
    let failed = failed.concat();
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
