//! A profile and an appliance that are well.

use jiff::Timestamp;

use crate::{
    api::{ApplianceLine, LastRun, ProfileLine, VerifiedLine},
    ids::RunId,
    report::RunState,
};

const NOW: i64 = 1_790_000_000;

/// So many seconds from now.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(NOW + seconds).unwrap()
}

pub fn profile() -> ProfileLine {
    ProfileLine {
        profile: "company".into(),
        schedule: "every 15m".into(),
        watching: false,
        since: at(-10_000),
        state: "idle".into(),
        run: None,
        seen: 0,
        expected: 0,
        silent_seconds: 0,
        stall_timeout_seconds: 600,
        failing: None,
        last: Some(LastRun {
            run: RunId(7),
            state: RunState::Completed,
            started_at: at(-100),
            finished_at: Some(at(-90)),
            seen: 1,
            archived: 1,
            failed: 0,
            errors: 0,
            first_error: None,
        }),
        last_success: Some(at(-90)),
        next_run: Some(at(800)),
        interval_seconds: Some(900),
        open: Some(0),
    }
}

pub fn appliance() -> ApplianceLine {
    ApplianceLine {
        version: "1".into(),
        serving: true,
        since: at(-10_000),
        not_ready: None,
        configuration_refused: None,
        users_retired: None,
        not_filed: Vec::new(),
        users: 3,
        retired_users: 0,
        messages: 12,
        raw_bytes: 1_000,
        stored_bytes: 400,
        verified: Some(VerifiedLine {
            every_seconds: 30 * 86_400,
            last: Some(at(-20_000)),
            all: Some(at(-400_000)),
            oldest: Some(at(-2_500_000)),
            late: false,
            damages: 0,
        }),
        free_bytes: Some(50 << 30),
        disk_bytes: Some(100 << 30),
        backup: None,
        index: None,
        unaccounted_copies: 0,
    }
}
