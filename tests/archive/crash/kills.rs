//! `kill -9` at any time, again and again, until a run comes through: the archive is that of an undisturbed run.
//!
//! `KILLS` says how many (`make crash` takes 200), `KILL_SEED` at which times, as a failed test printed it.

use std::time::{Duration, SystemTime};

use rustix::process::Signal;

use crate::crash::{
    held::{mailbox, resume},
    points::appliance,
    support::{appliance::PROFILE, dovecot::Dovecot, generator::Random, wait_for},
};

const MESSAGES: usize = 3_000;

fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

#[test]
fn kill_9_at_any_time_leaves_nothing_missing_and_nothing_twice() {
    let kills = setting("KILLS").unwrap_or(20);
    let by_the_clock = || SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_nanos() as u64;
    let seed = setting("KILL_SEED").unwrap_or_else(by_the_clock);
    println!("KILLS={kills} KILL_SEED={seed}");
    let mut random = Random(seed);
    let server = Dovecot::with(mailbox(MESSAGES, 30));
    let undisturbed = appliance(&server);
    let took = undisturbed.done(&["archive", PROFILE]).took;
    let expected = resume(&undisturbed, "undisturbed");
    let mut killed = 0;
    while killed < kills {
        let appliance = appliance(&server);
        let mut times = Vec::new();
        // Runs that are resumed are shorter; so the time within which one is killed is, too.
        let mut within = took;
        while killed < kills {
            let wait = Duration::from_micros(random.next() % (within.as_micros() as u64).max(1));
            let mut running = appliance.start(&["archive", PROFILE]);
            wait_for(wait, || !running.is_running());
            running.signal(Signal::KILL);
            let outcome = running.wait();
            if outcome.code.is_some() {
                assert_eq!(outcome.code, Some(0), "after {times:?}: {}", outcome.stderr);
                break;
            }
            times.push(wait);
            killed += 1;
            within = within * 9 / 10;
        }
        let what = format!("KILL_SEED={seed}, killed after {times:?}");
        assert_eq!(resume(&appliance, &what), expected, "{what}");
    }
}
