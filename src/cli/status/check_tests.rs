use super::{
    samples::{appliance, at, profile},
    *,
};
use crate::{
    api::{Failing, FirstError},
    ids::RunId,
};

const DISK: DiskBounds = DiskBounds {
    warning: 10,
    critical: 2,
};

fn check(change: impl FnOnce(&mut ProfileLine, &mut ApplianceLine)) -> Checked {
    let (mut profile, mut appliance) = (profile(), appliance());
    change(&mut profile, &mut appliance);
    judge(&[profile], Some(&appliance), DISK, at(0))
}

#[test]
fn all_is_well_in_one_line_with_figures() {
    let checked = check(|_, _| {});
    assert_eq!(checked.health, Health::Ok);
    let line = checked.line();
    assert!(
        line.starts_with("DROPKEEP OK - 1 profile, 12 messages | messages=12 open=0 free="),
        "{line}"
    );
}

#[test]
fn each_trouble_has_its_weight() {
    let failing = |times| {
        Some(Failing {
            since: at(-60),
            times,
            why: "refused | by the server".into(),
            what_to_do: String::new(),
            said: Default::default(),
            advised: Default::default(),
        })
    };
    let critical = [
        check(|_, appliance| appliance.serving = false),
        check(|_, appliance| appliance.not_ready = Some("closed".into())),
        check(|_, appliance| appliance.unaccounted_copies = -1),
        check(|_, appliance| appliance.free_bytes = Some(1 << 30)),
        check(|_, appliance| appliance.verified.as_mut().unwrap().damages = 3),
        check(|profile, _| {
            profile.state = "failing".into();
            profile.failing = failing(3);
        }),
        check(|profile, _| profile.state = "failing".into()),
        check(|profile, _| profile.last_success = Some(at(-1_861))),
        check(|profile, _| (profile.last_success, profile.since) = (None, at(-1_861))),
    ];
    for checked in critical {
        assert_eq!(checked.health, Health::Critical, "{checked:?}");
    }
    let warning = [
        check(|_, appliance| appliance.free_bytes = Some(5 << 30)),
        check(|_, appliance| appliance.configuration_refused = Some("line 3".into())),
        check(|_, appliance| appliance.verified.as_mut().unwrap().late = true),
        check(|_, appliance| appliance.users_retired = Some("2 users are no longer in users.csv".into())),
        check(|profile, _| profile.failing = failing(1)),
        check(|profile, _| profile.last.as_mut().unwrap().state = RunState::CompletedWithErrors),
        check(|profile, _| (profile.run, profile.silent_seconds) = (Some(RunId(8)), 301)),
    ];
    for checked in warning {
        assert_eq!(checked.health, Health::Warning, "{checked:?}");
        assert_eq!(
            checked.line().matches('|').count(),
            1,
            "only the figures stand behind a bar"
        );
    }
    let fine = [
        check(|profile, _| (profile.interval_seconds, profile.last_success) = (None, None)),
        check(|profile, _| profile.silent_seconds = 500),
        check(|profile, _| (profile.last_success, profile.since) = (None, at(-1_000))),
        check(|profile, _| (profile.last_success, profile.since) = (Some(at(-900_000)), at(-1_000))),
        check(|profile, _| (profile.last_success, profile.run) = (Some(at(-9_000)), Some(RunId(8)))),
    ];
    for checked in fine {
        assert_eq!(checked.health, Health::Ok, "{checked:?}");
    }
}

#[test]
fn a_large_disk_was_nearly_full_with_terabytes_free() {
    let judged = |warning, critical, free| DiskBounds { warning, critical }.judge(free, 100 << 40);
    for (warning, critical, free, health) in [
        (10, 2, 10 << 40, Health::Ok),
        (10, 2, (10 << 40) - 1, Health::Warning),
        (10, 2, (2 << 40) - 1, Health::Critical),
        (1, 0, 2 << 40, Health::Ok),
        (1, 0, 0, Health::Warning),
        (0, 1, 1 << 40, Health::Ok),
        (0, 1, 0, Health::Critical),
        (0, 0, 0, Health::Ok),
        (100, 100, (100 << 40) - 1, Health::Critical),
    ] {
        assert_eq!(judged(warning, critical, free), health, "{warning} {critical} {free}");
    }
    for (warning, critical, refused) in [
        (10, 2, false),
        (2, 2, false),
        (0, 50, false),
        (5, 0, false),
        (1, 2, true),
    ] {
        let bounds = DiskBounds { warning, critical };
        assert_eq!(bounds.require_order().is_err(), refused, "{bounds:?}");
    }
}

#[test]
fn the_first_error_of_a_run_was_a_number_alone() {
    let checked = check(|profile, _| {
        let last = profile.last.as_mut().unwrap();
        (last.state, last.errors) = (RunState::CompletedWithErrors, 1);
        last.first_error = Some(FirstError {
            why: "there is no folder \"Sent Items\"".into(),
            what_to_do: String::new(),
        });
    });
    assert_eq!(
        checked.problems,
        ["run 7 of company had 1 error: there is no folder \"Sent Items\""]
    );
}

#[test]
fn the_worst_comes_first() {
    let checked = check(|profile, appliance| {
        appliance.configuration_refused = Some("line 3".into());
        profile.last_success = Some(at(-10_000));
    });
    assert_eq!(checked.health, Health::Critical);
    assert!(checked.problems[0].contains("no run completed"), "{checked:?}");
    assert_eq!(checked.problems.len(), 2);
}
