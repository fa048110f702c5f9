//! An appliance that stays, and panics.

use std::time::Duration;

use crate::crash::{
    held::{mailbox, resume},
    points::appliance,
    support::{
        appliance::{Appliance, PROFILE, assert_adds_up, number},
        dovecot::Dovecot,
        running::{Running, Serving},
        wait_for,
    },
};

const SOON: Duration = Duration::from_secs(30);

fn serving(appliance: &Appliance, fault: &str) -> Serving {
    let mut command = appliance.command(&["serve"]);
    command.env("DROPKEEP_FAULT", fault);
    appliance.serve_as(command)
}

fn panics(serving: &Serving, thread: &str) -> String {
    let (_, metrics) = serving.get("/metrics");
    let series = format!("dropkeep_panics_total{{thread=\"{thread}\"}} ");
    let line = metrics.lines().find_map(|line| line.strip_prefix(&series));
    line.unwrap_or_else(|| panic!("no {series} in\n{metrics}")).to_owned()
}

/// actix closes the address of an actor that panics; the router and a user's archive live on.
#[test]
fn a_panic_of_the_router_ended_all_archiving() {
    let server = Dovecot::with(mailbox(60, 0));
    for point in ["routing", "routed", "settling", "handing-over", "recorded"] {
        let appliance = appliance(&server);
        let serving = serving(&appliance, &format!("{point}:panic:20"));
        assert_eq!(panics(&serving, "actor"), "0");
        let first = appliance.run(&["archive", PROFILE, "--json"]).expect(1).json();
        assert_adds_up(&first);
        assert_eq!(
            number(&first, "failed"),
            1,
            "{point}: one copy, and no other: {first:#}"
        );
        assert_eq!(panics(&serving, "actor"), "1");
        assert_eq!(serving.get("/readyz").0, 200, "{point}");
        let second = appliance.done(&["archive", PROFILE, "--json"]).json();
        // What was on disk when the panic came is done.
        let again = u64::from(point != "recorded");
        assert_eq!(number(&second, "seen"), again, "{point}: {second:#}");
        serving.stop().expect(0);
    }
}

#[test]
fn a_panic_of_the_committer_closes_the_store_and_readiness_says_so() {
    let server = Dovecot::with(mailbox(60, 0));
    for point in [
        "group-begun",
        "volume-written",
        "catalog-synced",
        "acknowledging",
        "acknowledged",
    ] {
        let appliance = appliance(&server);
        // The users, the run, the source and the folder are the first four groups; behind the fourth comes mail.
        let nth = match point {
            "volume-written" => 1,
            "acknowledged" => 4,
            _ => 5,
        };
        let serving = serving(&appliance, &format!("{point}:panic:{nth}"));
        let run = appliance.run(&["archive", PROFILE, "--json"]).expect(4);
        assert!(run.stderr.contains("closed for writing"), "{point}: {}", run.stderr);
        assert_eq!(panics(&serving, "committer"), "1", "{point}");
        let closed = wait_for(SOON, || serving.get("/readyz").0 == 503);
        assert!(closed, "{point}: still ready");
        assert_eq!(serving.get("/healthz").0, 200, "{point}");
        let refused = appliance.run(&["archive", PROFILE]).expect(4);
        assert!(
            refused.stderr.contains("closed for writing"),
            "{point}: {}",
            refused.stderr
        );
        let said = serving.stop().expect(0).stderr;
        assert!(!said.contains("was chosen"), "{said}");
        resume(&appliance, point);
    }
}

/// The words of a panic can quote mail.
#[test]
fn the_words_of_a_panic_stood_on_standard_error() {
    let server = Dovecot::with(mailbox(10, 0));
    let appliance = appliance(&server);
    let mut command = appliance.command(&["archive", PROFILE]);
    command
        .env("DROPKEEP_FAULT", "identifying:panic")
        .env("DROPKEEP_LOG", "trace");
    let outcome = Running::start(command, &["archive"]).wait().expect(0);
    assert!(
        outcome.stderr.contains("panicked at src/fault.rs:"),
        "{}",
        outcome.stderr
    );
    assert!(!outcome.stderr.contains("was chosen"), "{}", outcome.stderr);
}
