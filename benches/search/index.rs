//! How long it takes to make the index of an archive, and how large it is, beside mu and notmuch.

use std::{fs, time::Instant};

use crate::{
    MB, bytes_of, median,
    peers::{self, Maildir, Peer},
    support::{
        appliance::{Appliance, PROFILE, Profile, number},
        running::{Serving, peak_memory},
    },
    table::{self, Goal},
    waiting::indexed,
};

const DROPKEEP: &str = env!("CARGO_BIN_EXE_dropkeep");
/// How many times as fast as mu and notmuch.
const GOAL_MU: f64 = 15.0;
const GOAL_NOTMUCH: f64 = 30.0;
/// Bytes of the index for each raw byte.
const GOAL_SIZE: f64 = 0.25;

/// An archive whose appliance has indexed all of it.
pub struct Archived {
    pub appliance: Appliance,
    /// Ends with it.
    _serving: Serving,
    pub messages: u64,
}

/// With a profile whose server nobody asks.
fn appliance() -> Appliance {
    Appliance::for_company(DROPKEEP, &Profile::unasked())
}

pub fn run(mail: &[Vec<u8>], raw: usize, rounds: usize) -> Archived {
    let maildir = Maildir::of(mail);
    let appliance = appliance();
    appliance.done(&[
        "import",
        "--profile",
        PROFILE,
        "--json",
        maildir.mail().to_str().expect("a name"),
    ]);
    table::head("the index of what is archived");
    let index = appliance.data().join("search");
    let (mut times, mut last) = (Vec::new(), None);
    for _ in 0..rounds {
        drop(last.take());
        let _ = fs::remove_dir_all(&index);
        // From the start of the process on, as for the others.
        let begun = Instant::now();
        let serving = appliance.serve();
        let standing = indexed(&appliance.data());
        times.push(begun.elapsed().as_secs_f64());
        last = Some((serving, standing));
    }
    let (serving, standing) = last.expect("a round");
    let took = median(&times);
    let documents = number(&standing, "documents");
    table::row("documents a second", documents as f64 / took, Goal::None, "/s");
    table::row(
        "index / raw bytes",
        bytes_of(&index) / raw as f64,
        Goal::AtMost(GOAL_SIZE),
        "×",
    );
    let peak = peak_memory(serving.running.id()).unwrap_or_default();
    table::row("peak resident while it is made", peak as f64 / MB, Goal::None, "MB");
    for (peer, goal) in [(Peer::Mu, GOAL_MU), (Peer::Notmuch, GOAL_NOTMUCH)] {
        let name = peer.name();
        let made: Option<Vec<peers::Made>> = (0..rounds).map(|_| maildir.index(peer)).collect();
        let Some(made) = made else {
            table::skipped(&format!("{name}'s time / dropkeep's"), "it is not installed");
            continue;
        };
        let theirs: Vec<f64> = made.iter().map(|made| made.took.as_secs_f64()).collect();
        let what = format!("{name}'s time / dropkeep's ({:.1} s / {took:.1} s)", median(&theirs));
        table::row(&what, median(&theirs) / took, Goal::MoreThan(goal), "×");
        table::row(
            &format!("{name}: index / raw bytes"),
            made[0].bytes / raw as f64,
            Goal::None,
            "×",
        );
    }
    Archived {
        appliance,
        _serving: serving,
        messages: documents,
    }
}
