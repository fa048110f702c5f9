//! A machine whose clock is set back, by days, between runs and during them. Order and numbers do not hang on it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use dropkeep::{
    archive::{Direction, Message, MessageId, Page, Store},
    config::Config,
};

use crate::crash::{
    DROPKEEP,
    held::{assert_whole, held, mailbox},
    support::{
        appliance::{Appliance, PROFILE, Profile, assert_adds_up, number, text},
        clock::ShiftedClock,
        dovecot::Dovecot,
        generator::{company_of, user_tables},
        identity::sha256,
        proxy::Proxy,
        pull,
        running::Running,
        wait_for,
    },
};

const DAY: i64 = 86_400;
const SOON: Duration = Duration::from_secs(30);

#[test]
fn a_clock_that_is_set_back_by_days_changes_nothing_but_what_it_shows() {
    let all = mailbox(300, 20);
    let parts: Vec<_> = all.chunks(all.len().div_ceil(3)).collect();
    let server = Dovecot::start();
    let proxy = Proxy::to(server.ports.of("imap"));
    let profile = Profile {
        port: proxy.port,
        ..Profile::new(&server, "imap")
    };
    let settings = user_tables(&company_of(5)) + &profile.toml() + "[limits]\ninflight = \"256 KiB\"\n";
    let appliance = Appliance::new(DROPKEEP, &settings);
    let clock = ShiftedClock::new();
    let archive = || {
        let command = clock.for_command(appliance.command(&["archive", PROFILE, "--json"]));
        Running::start(command, &["archive"])
    };
    let mut runs = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        let days = -10 * number as i64;
        let bytes = server.deliver(*part);
        clock.set(days * DAY);
        // In the middle of the run it is set back once more.
        proxy.hold_after(bytes / 2);
        let running = archive();
        proxy.wait_until_held();
        clock.set((days - 5) * DAY);
        proxy.open();
        let run = running.wait().expect(0).json();
        assert_adds_up(&run);
        assert_eq!(text(&run, "state"), "completed", "{run:#}");
        runs.push(run);
    }
    let idle = archive().wait().expect(0).json();
    assert_eq!(number(&idle, "seen"), 0, "{idle:#}");
    runs.push(idle);

    let numbers: Vec<u64> = runs.iter().map(|run| number(run, "run")).collect();
    assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
    let protocols = appliance.done(&["protocols", "--json"]).lines();
    let listed: Vec<u64> = protocols.iter().rev().map(|run| number(run, "run")).collect();
    assert_eq!(listed, numbers, "newest first, by their numbers");

    // Whatever was archived later has a higher number, and an earlier time.
    let kept = kept(&appliance);
    let times: Vec<i64> = kept.values().map(|message| message.archived_at).collect();
    let shift = times.first().zip(times.last()).map(|(first, last)| first - last);
    assert!(shift > Some(20 * DAY), "the clock was set back: {shift:?}");
    assert!(
        times.is_sorted_by(|one, next| one >= next || next - one < DAY),
        "{times:?}"
    );
    assert_eq!(
        appliance.lists().iter().map(|(_, list)| list.len()).sum::<usize>(),
        held(&appliance).filings.len()
    );
    let kept: Vec<String> = kept.values().map(|message| hex(&message.sha256)).collect();
    let sent: BTreeSet<String> = pull::messages(&server, "imap")
        .iter()
        .map(|message| sha256(message))
        .collect();
    assert_eq!(kept.len(), sent.len(), "each once");
    assert!(kept.iter().all(|digest| sent.contains(digest)));
    assert!(held(&appliance).filings.values().all(|times| *times == 1));
    assert_whole(appliance.command(&["verify", "--json"]), "the clock was set back");
}

/// The messages kept, by their numbers.
fn kept(appliance: &Appliance) -> BTreeMap<MessageId, Message> {
    let config = Config::load(&appliance.config()).expect("a configuration");
    let store = Store::open_for_reading(&config).expect("a store");
    let mut kept = BTreeMap::new();
    for (user, ..) in store.users().expect("the users") {
        for entry in store.all_filings(user, Page::first(Direction::Up)) {
            let entry = entry.expect("a user's messages");
            kept.insert(entry.id, entry.message);
        }
    }
    kept
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Each look at the schedule counted from its own moment, and so nothing was ever due.
#[test]
fn a_clock_that_was_set_back_put_scheduled_runs_off_until_it_was_there_again() {
    let server = Dovecot::with(mailbox(5, 0));
    let profile = Profile::new(&server, "imap").toml();
    let profile = profile.replacen("[profile.server]", "schedule = \"every 1s\"\n[profile.server]", 1);
    let appliance = Appliance::new(DROPKEEP, &(user_tables(&company_of(5)) + &profile));
    let clock = ShiftedClock::new();
    let serving = appliance.serve_as(clock.for_command(appliance.command(&["serve"])));
    let runs = || appliance.done(&["protocols", "--json"]).lines().len();
    assert!(wait_for(SOON, || runs() > 0), "no run began");
    clock.set(-10 * DAY);
    let before = runs();
    // One may have been about to begin.
    assert!(
        wait_for(SOON, || runs() > before + 2),
        "no run began once the clock was set back"
    );
    serving.stop().expect(0);
}
