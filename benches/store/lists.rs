//! A user with two million messages that came in no order: how fast the newest are listed in a process that runs.

use std::{ops::ControlFlow, sync::Arc, time::Instant};

use dropkeep::{
    access::{Caller, Owner, grant},
    api::{ListFilter, Reply, Request},
    archive::Store,
    reading::answer,
    search::Search,
};

use crate::{
    filing, scratch,
    support::generator::{Random, SEED, company_of},
    table::{self, Goal, quantile},
};

/// How many of the newest are listed, and in how many milliseconds at most.
const LISTS: [(usize, f64); 2] = [(50, 10.0), (10_000, 200.0)];
const TIMES: usize = 5;

pub fn run(messages: usize) {
    let folder = tempfile::Builder::new()
        .prefix("dropkeep-bench-")
        .tempdir_in(scratch())
        .expect("a folder");
    let people = company_of(1);
    let config = filing::config(&folder.path().join("data"), &people);
    println!("{messages} messages are archived in {}.", folder.path().display());
    let mut random = Random(SEED);
    let to = people[0].addresses[0].to_string();
    let mails = (0..messages).map(move |number| {
        // Some day of some year, so that neighbours in the list are none in the store.
        let (year, day, minute) = (2005 + random.below(20), 1 + random.below(28), random.below(60));
        let sender = random.below(1000);
        format!(
            "From: Sender {sender} <sender{sender}@example.org>\r\nTo: {to}\r\nSubject: Message number {number} of many\r\n\
             Date: {day} Mar {year} 12:{minute:02}:00 +0000\r\nMessage-ID: <{number}@example.org>\r\n\r\nHello.\r\n"
        )
        .into_bytes()
    });
    let archived = filing::archive(&config, mails, |_| {});
    table::head(&format!("lists of one user with {} messages", archived.messages));
    let store = Arc::new(Store::open_for_reading(&config).expect("the archive"));
    // Lists do without it.
    let search = Search::new(store.clone(), config.search.clone());
    #[expect(clippy::disallowed_methods, reason = "a benchmark is the owner")]
    let owner = Caller::Owner(Owner::of(&*store));
    for (newest, goal) in LISTS {
        let request = Request::List {
            user: Some(people[0].name.clone()),
            newest: Some(newest),
            filter: ListFilter::default(),
        };
        let granted = grant(&owner, request).expect("the owner may list");
        let milliseconds = || {
            let started = Instant::now();
            let mut lines = 0;
            let mut emit = |reply| {
                lines += usize::from(matches!(reply, Reply::Entry(_)));
                ControlFlow::Continue(())
            };
            answer(&store, &search, &granted, &mut emit).expect("a list");
            assert_eq!(lines, newest.min(messages));
            started.elapsed().as_secs_f64() * 1e3
        };
        // Once so that the pages are in memory.
        milliseconds();
        let times: Vec<f64> = (0..TIMES).map(|_| milliseconds()).collect();
        let what = format!("the newest {newest}, median");
        table::row(&what, quantile(&times, 0.5).expect("some"), Goal::AtMost(goal), "ms");
    }
}
