//! Runs that are ended in the middle, and data directories that are not ours to use.

use std::{collections::BTreeMap, fs};

use crate::support::{
    PATIENCE,
    appliance::{Appliance, PROFILE, Profile, assert_adds_up, number, text},
    dovecot::Dovecot,
    generator::{Mailbox, Settings},
    identity::{identity, sha256},
    proxy::Proxy,
    pull, wait_for,
};
use rustix::process::Signal;
use serde_json::Value;

const MESSAGES: usize = 3_000;

/// A mailbox behind a wire that can be held.
struct Site {
    server: Dovecot,
    proxy: Proxy,
    appliance: Appliance,
    /// Bytes that one undisturbed run receives, at least.
    bytes: u64,
}

impl Site {
    fn new(access: &str) -> Self {
        let server = Dovecot::start();
        let bytes = server.deliver(Mailbox::new(Settings::messages(MESSAGES)));
        let proxy = Proxy::to(server.ports.of(access));
        let profile = Profile {
            port: proxy.port,
            ..Profile::new(&server, access)
        };
        Self {
            appliance: Appliance::for_company(env!("CARGO_BIN_EXE_dropkeep"), &profile),
            server,
            proxy,
            bytes,
        }
    }

    fn archive(&self) -> Value {
        let run = self.appliance.done(&["archive", PROFILE, "--json"]).json();
        assert_adds_up(&run);
        run
    }

    /// Of each user, how often they have which message, told by identity.
    fn holdings(&self, access: &str) -> BTreeMap<(String, String), usize> {
        let sent = pull::messages(&self.server, access);
        let identities: BTreeMap<_, _> = sent
            .iter()
            .map(|message| (sha256(message), identity(message)))
            .collect();
        let mut holdings = BTreeMap::new();
        for (user, list) in self.appliance.lists() {
            for line in list {
                let identity = identities
                    .get(&text(&line, "sha256"))
                    .expect("what the server sent")
                    .clone();
                *holdings.entry((user.clone(), identity)).or_default() += 1;
            }
        }
        holdings
    }
}

/// What an undisturbed run leaves.
fn undisturbed(access: &str) -> BTreeMap<(String, String), usize> {
    let site = Site::new(access);
    let run = site.archive();
    assert_eq!(number(&run, "seen"), MESSAGES as u64);
    site.holdings(access)
}

fn assert_nothing_missing_and_nothing_twice(site: &Site, access: &str) {
    let holdings = site.holdings(access);
    let twice: Vec<_> = holdings.iter().filter(|(_, count)| **count != 1).collect();
    assert!(twice.is_empty(), "twice: {:?}", &twice[..twice.len().min(5)]);
    let expected = undisturbed(access);
    let missing: Vec<_> = expected.keys().filter(|key| !holdings.contains_key(*key)).collect();
    assert!(
        missing.is_empty(),
        "{} missing: {:?}",
        missing.len(),
        &missing[..missing.len().min(5)]
    );
    assert_eq!(holdings, expected);
    assert_eq!(number(&site.archive(), "seen"), 0);
}

fn interrupt(access: &str, signal: Signal) {
    let site = Site::new(access);
    site.proxy.hold_after(site.bytes * 6 / 10);
    let running = site.appliance.start(&["archive", PROFILE, "--json"]);
    site.proxy.wait_until_read();
    running.signal(signal);
    let interrupted = running.wait().expect(130).json();
    assert_adds_up(&interrupted);
    assert_eq!(text(&interrupted, "state"), "interrupted", "{interrupted:#}");
    let first = number(&interrupted, "archived");
    assert!(
        first > MESSAGES as u64 / 4,
        "what is fetched is committed: {interrupted:#}"
    );
    let newest = site.appliance.done(&["protocols", "--json"]).lines().remove(0);
    assert_eq!(newest["run"], interrupted["run"]);
    assert_eq!(text(&newest, "state"), "interrupted");

    site.proxy.open();
    let rest = site.archive();
    assert_eq!(text(&rest, "state"), "completed", "{rest:#}");
    let done = |run: &Value| number(run, "archived") + number(run, "duplicates");
    assert_eq!(
        done(&interrupted) + done(&rest),
        MESSAGES as u64,
        "each copy once: {interrupted:#}\n{rest:#}"
    );
    assert_nothing_missing_and_nothing_twice(&site, access);
}

#[test]
fn ctrl_c_commits_what_is_fetched_and_the_next_run_goes_on_over_imap() {
    interrupt("imap", Signal::INT);
}

#[test]
fn ctrl_c_commits_what_is_fetched_and_the_next_run_goes_on_over_pop3() {
    interrupt("pop3", Signal::INT);
}

/// Killed again and again, each time a little later, on one data directory.
fn kill(access: &str) {
    let site = Site::new(access);
    for percent in [2, 15, 30, 35, 40, 45] {
        // Each run begins where the one before was, so that these add up to more than the mailbox.
        site.proxy.hold_after(site.bytes * percent / 100);
        let mut running = site.appliance.start(&["archive", PROFILE, "--json"]);
        let ended = wait_for(PATIENCE, || site.proxy.is_held() || !running.is_running());
        assert!(ended, "neither held nor ended");
        running.signal(Signal::KILL);
        let outcome = running.wait();
        if outcome.code == Some(0) {
            // So much was kept by the runs before that this one could end.
            break;
        }
        assert_eq!(outcome.code, None, "{}", outcome.stderr);
    }
    site.proxy.open();
    let run = site.archive();
    assert_eq!(text(&run, "state"), "completed", "{run:#}");
    assert_nothing_missing_and_nothing_twice(&site, access);
}

#[test]
fn kill_9_in_the_middle_leaves_nothing_missing_and_nothing_twice_over_imap() {
    kill("imap");
}

#[test]
fn kill_9_in_the_middle_leaves_nothing_missing_and_nothing_twice_over_pop3() {
    kill("pop3-ssl");
}

fn small() -> (Dovecot, Appliance) {
    let server = Dovecot::with(["To: jane@example.com\n\nx\n"]);
    let appliance = Appliance::for_company(env!("CARGO_BIN_EXE_dropkeep"), &Profile::new(&server, "imap"));
    (server, appliance)
}

#[test]
fn a_folder_that_is_not_ours_is_left_alone() {
    let (_server, appliance) = small();
    fs::create_dir(appliance.data()).expect("a folder");
    fs::write(appliance.data().join("holiday.jpg"), "not mail").expect("a file");
    for command in [vec!["archive", PROFILE], vec!["users"], vec!["serve"]] {
        let outcome = appliance.run(&command).expect(4);
        assert!(
            outcome.stderr.contains("data"),
            "the folder is named: {}",
            outcome.stderr
        );
    }
    let names: Vec<_> = fs::read_dir(appliance.data())
        .expect("the folder")
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert_eq!(names, ["holiday.jpg"], "nothing was put there");
}

#[test]
fn a_data_directory_that_is_a_file_is_refused() {
    let (_server, appliance) = small();
    fs::write(appliance.data(), "not a folder").expect("a file");
    appliance.run(&["archive", PROFILE]).expect(4);
    assert_eq!(fs::read(appliance.data()).expect("the file"), b"not a folder");
}

/// Its owner runs, but cannot be asked.
#[test]
fn a_data_directory_in_use_is_refused() {
    let (_server, appliance) = small();
    let serving = appliance.serve();
    appliance.run(&["serve"]).expect(4);
    fs::remove_file(appliance.data().join("control.sock")).expect("the socket");
    for command in [vec!["archive", PROFILE], vec!["users"], vec!["serve"]] {
        let outcome = appliance.run(&command).expect(4);
        assert!(
            outcome.stderr.contains("use"),
            "that it is in use is said: {}",
            outcome.stderr
        );
    }
    serving.stop().expect(0);
    appliance.done(&["archive", PROFILE]);
}

/// A store that a crash left behind keeps neither its lock nor its socket.
#[test]
fn an_appliance_that_was_killed_leaves_a_directory_that_opens() {
    let (_server, appliance) = small();
    let serving = appliance.serve();
    serving.running.signal(Signal::KILL);
    serving.running.wait();
    appliance.done(&["archive", PROFILE]);
    appliance.serve().stop().expect(0);
}

/// Bytes that are not the catalog's: said with exit 4, not by a crash.
#[test]
fn a_catalog_that_is_no_catalog_is_refused() {
    let (_server, appliance) = small();
    appliance.done(&["archive", PROFILE]);
    let catalog = appliance.data().join("catalog").join("data.mdb");
    let size = fs::metadata(&catalog).expect("the catalog").len() as usize;
    fs::write(&catalog, vec![b'x'; size]).expect("damage");
    let outcome = appliance.run(&["users"]).expect(4);
    assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
}
