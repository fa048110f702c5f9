use super::*;
use crate::{
    api::Failing,
    cli::status::check::samples::{appliance, at, profile},
    ids::RunId,
};

fn said(change: impl FnOnce(&mut ProfileLine)) -> String {
    let mut profile = profile();
    change(&mut profile);
    super::profile(&profile, at(0)).join("\n")
}

#[test]
fn spans_are_told_by_their_two_largest_units() {
    assert_eq!(span(0), "0s");
    assert_eq!(span(59), "59s");
    assert_eq!(span(60), "1m");
    assert_eq!(span(3_725), "1h 2m");
    assert_eq!(span(2 * 86_400 + 59), "2d");
}

#[test]
fn a_profile_reads_as_it_stands() {
    let failing = |times| Failing {
        since: at(-3_000),
        times,
        why: "login refused".into(),
        what_to_do: "Check the password.".into(),
        said: Default::default(),
        advised: Default::default(),
    };
    let last_failed = |profile: &mut ProfileLine| {
        let last = profile.last.as_mut().unwrap();
        (last.state, last.errors) = (RunState::Failed, 1);
        (last.archived, last.seen) = (0, 0);
    };
    for (said, expected) in [
        (
            said(|_| {}),
            "company: idle, every 15m\n    last run 7: completed 1m 30s ago, 1 archived, no errors\n    next run in 13m 20s",
        ),
        (
            said(|profile| (profile.last, profile.last_success, profile.since) = (None, None, at(-60))),
            "company: idle, every 15m\n    no run yet\n    next run in 13m 20s",
        ),
        (
            said(|profile| {
                (profile.schedule, profile.next_run, profile.interval_seconds) = ("manual".into(), None, None);
            }),
            "company: idle, runs by hand only\n    last run 7: completed 1m 30s ago, 1 archived, no errors",
        ),
        (
            said(|profile| {
                (profile.state, profile.run) = ("running".into(), Some(RunId(8)));
                (profile.seen, profile.expected, profile.open) = (1_200, 4_000, Some(1));
            }),
            "company: running, every 15m\n    run 8 is going on: 1,200 of 4,000 copies\n    \
             last run 7: completed 1m 30s ago, 1 archived, no errors\n    1 copy on the server not archived yet",
        ),
        (
            said(|profile| {
                (profile.state, profile.run, profile.silent_seconds) = ("running".into(), Some(RunId(8)), 200);
            }),
            "company: running, every 15m\n    run 8 is going on: 0 copies\n    \
             no progress for 3m 20s; the run is given up after 10m\n    \
             last run 7: completed 1m 30s ago, 1 archived, no errors",
        ),
        (
            said(|profile| {
                last_failed(profile);
                profile.failing = Some(failing(1));
                profile.last_success = Some(at(-900));
            }),
            &format!(
                "company: idle, every 15m\n    failed once since {} (50m ago): login refused\n    what to do: Check the password.\n    \
                 last run 7: failed 1m 30s ago, 0 archived, 1 error (dropkeep protocols 7)\n    \
                 last completed 15m ago\n    next try in 13m 20s",
                at(-3_000)
            ),
        ),
        (
            said(|profile| {
                last_failed(profile);
                (profile.state, profile.failing) = ("failing".into(), Some(failing(5)));
                (profile.schedule, profile.watching) = ("continuous".into(), true);
                (profile.last_success, profile.since) = (None, at(-4_000));
            }),
            &format!(
                "company: failing, continuous\n    failed 5 times since {} (50m ago): login refused\n    what to do: Check the password.\n    \
                 last run 7: failed 1m 30s ago, 0 archived, 1 error (dropkeep protocols 7)\n    \
                 LATE: no run completed for 1h 6m, one is due every 15m\n    next try in 13m 20s",
                at(-3_000)
            ),
        ),
        (
            said(|profile| profile.state = "failing".into()),
            "company: failing, every 15m\n    it ended unexpectedly and is being started again; the log says why\n    \
             last run 7: completed 1m 30s ago, 1 archived, no errors\n    next run in 13m 20s",
        ),
    ] {
        assert_eq!(said, expected);
    }
}

#[test]
fn a_continuous_profile_says_that_it_waits_for_mail_and_not_when_it_looks_at_the_latest() {
    let continuous = |watching| said(|profile| (profile.schedule, profile.watching) = ("continuous".into(), watching));
    let (watching, looking) = (continuous(true), continuous(false));
    assert!(watching.ends_with("\n    waiting for new mail"), "{watching}");
    assert!(looking.ends_with("\n    looks for new mail in 13m 20s"), "{looking}");
}

#[test]
fn an_appliance_reads_as_it_stands() {
    let said = |refused: Option<&str>, change: fn(&mut ApplianceLine)| {
        let mut line = appliance();
        change(&mut line);
        super::appliance(&line, refused, at(0)).join("\n")
    };
    let figures = "    12 messages of 3 users: 1000 B as received, 400 B on disk\n    \
         a part of it verified 5h 33m ago, all of it 4d 15h ago\n    50 GiB of 100 GiB free on that disk";
    let serving = format!("dropkeep 1, serving since {} (2h 46m ago)\n", at(-10_000));
    assert_eq!(said(None, |_| {}), format!("{serving}{figures}"));
    assert_eq!(
        said(Some("line 3: unknown key"), |line| line.configuration_refused =
            Some("an earlier reason".into())),
        format!(
            "{serving}    CONFIGURATION REFUSED: line 3: unknown key; the appliance goes on with the earlier one, but would \
             not start again. Correct it, then run `dropkeep reload`\n{figures}"
        )
    );
    assert_eq!(
        said(None, |line| line.configuration_refused = Some("no such file".into())),
        format!(
            "{serving}    the last reload was refused, and the earlier configuration stays in force: no such file; correct \
             it, then run `dropkeep reload`\n{figures}"
        )
    );
    let alone = said(None, |line| (line.serving, line.users, line.messages) = (false, 1, 1));
    assert!(
        alone.starts_with("dropkeep 1, not serving: no run begins on schedule")
            && alone.contains("1 message of 1 user:"),
        "{alone}"
    );
}

#[test]
fn the_appliance_says_how_far_its_archive_was_verified() {
    let said = |change: fn(&mut VerifiedLine)| {
        let mut appliance = appliance();
        appliance.verified.as_mut().into_iter().for_each(change);
        super::appliance(&appliance, None, at(0)).join("\n")
    };
    let lines = [
        (said(|_| {}), "a part of it verified 5h 33m ago, all of it 4d 15h ago"),
        (
            said(|verified| verified.all = None),
            "a part of it verified 5h 33m ago; all of it is within 30d",
        ),
        (
            said(|verified| (verified.last, verified.all) = (None, None)),
            "not verified yet; all of it is within 30d, a part each night",
        ),
        (
            said(|verified| verified.damages = 1),
            "DAMAGED: the archive has 1 damage: `dropkeep verify` says which, and what to do",
        ),
        (
            said(|verified| (verified.late, verified.oldest) = (true, Some(at(-3_000_000)))),
            "LATE: a part of the archive was not verified for 34d 17h, all of it should be within 30d",
        ),
    ];
    for (said, line) in lines {
        assert!(said.contains(&format!("\n    {line}\n")), "{said}");
    }
}
