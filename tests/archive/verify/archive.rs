//! A small archive with all that an archive can have: parts, several volumes, one of them sealed, copies of both
//! protocols, many users.

use std::{fs, path::PathBuf, time::Duration};

use serde_json::Value;

use crate::verify::{
    DROPKEEP,
    support::{
        appliance::{Appliance, PROFILE, Profile},
        dovecot::Dovecot,
        generator::{Business, Mailbox, Settings, company, user_tables},
        wait_for,
    },
};

const SOON: Duration = Duration::from_secs(60);
/// The smallest there are: each run's mail fills one.
const SETTINGS: &str = "[archive]\nvolume_size = \"1 MiB\"\n";

/// The archive, and the mail server that it is of.
pub fn small() -> (Dovecot, Appliance) {
    let server = Dovecot::start();
    let appliance = Appliance::new(DROPKEEP, &settings(&server, "imap"));
    let mut plain = Mailbox::new(Settings::messages(80));
    let mut large = Business::new(75, 7);
    for _ in 0..3 {
        server.deliver(plain.by_ref().take(25).chain(large.by_ref().take(25)));
        appliance.done(&["archive", PROFILE]);
    }
    appliance.configure(&settings(&server, "pop3"));
    server.deliver(plain);
    appliance.done(&["archive", PROFILE]);
    let serving = appliance.serve();
    let manifest = volume(&appliance, 1).join("manifest.json");
    assert!(wait_for(SOON, || manifest.exists()), "the first volume is not sealed");
    assert!(volume(&appliance, 2).exists());
    serving.stop().expect(0);
    (server, appliance)
}

fn settings(server: &Dovecot, access: &str) -> String {
    user_tables(&company()) + &Profile::new(server, access).toml() + SETTINGS
}

pub fn volume(appliance: &Appliance, number: u32) -> PathBuf {
    appliance.data().join(format!("volumes/{number:06}"))
}

/// The numbers of the volumes that are not sealed.
pub fn open_volumes(appliance: &Appliance) -> Vec<u32> {
    let folders = fs::read_dir(appliance.data().join("volumes")).expect("volumes");
    let names = folders.map(|folder| folder.expect("a folder").path());
    let open = names.filter(|folder| !folder.join("manifest.json").exists());
    let mut numbers: Vec<u32> = open
        .filter_map(|folder| folder.file_name()?.to_str()?.parse().ok())
        .collect();
    numbers.sort_unstable();
    numbers
}

/// What `verify` says, with these arguments.
pub fn verify(appliance: &Appliance, arguments: &[&str]) -> (i32, Value) {
    let outcome = appliance.run(&[&["verify", "--json"], arguments].concat());
    let code = outcome
        .code
        .unwrap_or_else(|| panic!("a signal ended it:\n{}", outcome.stderr));
    assert!([0, 4].contains(&code), "{}", outcome.stderr);
    (code, outcome.json())
}

/// The damages that `verify` finds; it must find some, and say so with its exit code.
pub fn damages(appliance: &Appliance, arguments: &[&str]) -> Vec<Value> {
    let (code, said) = verify(appliance, arguments);
    let damages = said["damages"].as_array().expect("damages").clone();
    assert_eq!(
        (code, said["ok"].as_bool(), damages.is_empty()),
        (4, Some(false), false),
        "{said:#}"
    );
    damages
}
