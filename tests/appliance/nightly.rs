//! The appliance verifies its archive by itself: a part each night, and everything as long as something is damaged.

use std::{fs, time::Duration};

use serde_json::Value;

use crate::support::{
    appliance::{Appliance, PROFILE, Profile, number},
    clock::ShiftedClock,
    dovecot::Dovecot,
    generator::{Mailbox, Settings, company, user_tables},
    running::Serving,
    wait_for,
};

const DROPKEEP: &str = env!("CARGO_BIN_EXE_dropkeep");
/// It looks every ten seconds what is due, and may be at something else.
const SOON: Duration = Duration::from_secs(120);
const DAY: i64 = 86_400;

fn serve(appliance: &Appliance, clock: &ShiftedClock) -> Serving {
    appliance.serve_as(clock.for_command(appliance.command(&["serve"])))
}

fn metric(serving: &Serving, name: &str) -> Option<f64> {
    let (_, page) = serving.get("/metrics");
    let value = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.map(|value| value.parse().expect("a number"))
}

/// What `status` says of it.
fn verified(appliance: &Appliance) -> Value {
    let lines = appliance.done(&["status", "--json"]).lines();
    lines.last().expect("the appliance")["verified"].clone()
}

#[test]
fn a_part_is_verified_each_night_and_what_is_damaged_is_said_until_it_is_repaired() {
    let server = Dovecot::with(Mailbox::new(Settings::messages(300)));
    let settings = user_tables(&company()) + &Profile::new(&server, "imap").toml();
    let archive = "[archive]\nquiet_hours = \"never\"\nverify = \"2d\"\n";
    let appliance = Appliance::new(DROPKEEP, &(settings.clone() + archive));
    appliance.done(&["archive", PROFILE]);
    let clock = ShiftedClock::new();

    // Half of it in the first night, and the other half in the second.
    let serving = serve(&appliance, &clock);
    assert!(
        wait_for(SOON, || verified(&appliance)["last"].is_string()),
        "nothing was verified: {}",
        serving.running.stderr()
    );
    let first = verified(&appliance);
    assert!(
        first["all"].is_null() && number(&first, "every_seconds") == 172_800 && number(&first, "damages") == 0,
        "{first:#}"
    );
    assert_eq!(metric(&serving, "dropkeep_verify_every_seconds"), Some(172_800.0));
    assert_eq!(metric(&serving, "dropkeep_verify_all_timestamp_seconds"), Some(0.0));
    clock.set(DAY);
    assert!(
        wait_for(SOON, || verified(&appliance)["all"].is_string()),
        "{:#}\n{}",
        verified(&appliance),
        serving.running.stderr()
    );
    assert!(metric(&serving, "dropkeep_verify_all_timestamp_seconds") > Some(0.0));
    assert_eq!(metric(&serving, "dropkeep_verify_damages"), Some(0.0));
    assert!(appliance.done(&["status"]).text().contains("a part of it verified"));
    let log = serving.stop().expect(0).stderr;
    let messages = |line: &str| {
        let line: Value = serde_json::from_str(line).ok()?;
        line["message"]
            .as_str()?
            .starts_with("verified a part")
            .then(|| number(&line, "messages"))
    };
    let nights: Vec<u64> = log.lines().filter_map(messages).collect();
    let all = number(&appliance.done(&["verify", "--json"]).json(), "messages");
    assert_eq!((nights.len(), nights.iter().sum::<u64>()), (2, all), "{log}");
    assert!(nights[0].abs_diff(nights[1]) <= 1, "{nights:?}");

    // A damage is found by itself, and said by all that say something.
    let file = appliance.data().join("volumes/000001/data.mdb");
    let whole = fs::read(&file).expect("a volume");
    let mut bytes = whole.clone();
    let blocks: Vec<_> = memchr::memmem::find_iter(&whole, b"dkb\x01").collect();
    blocks.iter().for_each(|at| bytes[at + 40] ^= 1);
    fs::write(&file, bytes).expect("a volume");
    clock.set(2 * DAY);
    let serving = serve(&appliance, &clock);
    let damages = || metric(&serving, "dropkeep_verify_damages").unwrap_or_default();
    assert!(wait_for(SOON, || damages() > 0.0), "{}", serving.running.stderr());
    let checked = appliance.run(&["status", "--check"]).expect(2).text();
    assert!(checked.contains("the archive has"), "{checked}");
    assert!(appliance.done(&["status"]).text().contains("DAMAGED"));
    server.deliver(["Subject: new\n\nnew\n"]);
    let run = appliance.done(&["archive", PROFILE, "--json"]).json();
    assert!(run["notices"].to_string().contains("the archive is damaged"), "{run:#}");
    let log = serving.stop().expect(0).stderr;
    assert!(log.contains("does not match its checksum"), "{log}");

    // From now on all is verified each night, so it is known when it was repaired.
    appliance.run(&["verify"]).expect(4);
    let now = fs::read(&file).expect("a volume");
    let mut bytes = now.clone();
    blocks
        .iter()
        .filter(|at| now[**at + 40] != whole[**at + 40])
        .for_each(|at| bytes[at + 40] ^= 1);
    fs::write(&file, bytes).expect("a volume");
    clock.set(3 * DAY);
    let serving = serve(&appliance, &clock);
    assert!(
        wait_for(SOON, || metric(&serving, "dropkeep_verify_damages") == Some(0.0)),
        "{}",
        serving.running.stderr()
    );
    serving.stop().expect(0);

    // It can be turned off.
    appliance.configure(&(settings + "[archive]\nverify = \"never\"\n"));
    let serving = serve(&appliance, &clock);
    assert!(verified(&appliance).is_null());
    assert_eq!(metric(&serving, "dropkeep_verify_every_seconds"), None);
    serving.stop().expect(0);
}
