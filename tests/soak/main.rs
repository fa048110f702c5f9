//! An appliance with five profiles at once against a real Dovecot, for an hour, while everything happens that does in
//! years: mail comes in everywhere, other clients flag, expunge, and change folders, the server ends and starts again,
//! connections are cut, and the appliance itself is killed. Then every message is in the archive of each of its users
//! exactly once, the archive verifies, and neither memory nor open files have grown.
//!
//! It is ignored by `cargo test`; `make soak` runs it. `SOAK` says for how long, `SOAK_SEED` with which random numbers,
//! as it printed them. They decide what is tried; what it meets depends on how fast everybody is.
//!
//! `driver` is what happens, `ledger` what must be archived of it, `reckoning` the comparison at the end, `gauge`
//! memory and open files.

#[path = "../support/mod.rs"]
mod support;

mod client;
mod driver;
mod gauge;
mod ledger;
mod mail;
mod reckoning;
mod site;

use std::time::{Duration, SystemTime};

use driver::Driver;

pub const DROPKEEP: &str = env!("CARGO_BIN_EXE_dropkeep");

/// The shortest that has everything in it.
const LEAST: Duration = Duration::from_secs(60);

#[test]
#[ignore = "takes an hour; make soak runs it"]
fn everything_at_once_for_an_hour() {
    let duration = std::env::var("SOAK").unwrap_or_else(|_| "1h".into());
    let duration = humantime::parse_duration(&duration).unwrap_or_else(|error| panic!("SOAK={duration}: {error}"));
    assert!(duration >= LEAST, "SOAK is less than {LEAST:?}");
    let seed = match std::env::var("SOAK_SEED") {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("SOAK_SEED={text} is no number")),
        Err(_) => SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_nanos() as u64,
    };
    println!("SOAK={} SOAK_SEED={seed}", humantime::format_duration(duration));
    let mut driver = Driver::new(seed, duration);
    driver.go_on();
    let (site, ledger, gauge, last) = driver.settle();
    println!();
    gauge.print();
    println!();
    reckoning::reckon(site, ledger, last);
    gauge.judge();
}
