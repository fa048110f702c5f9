//! Mail as real servers delivered it into a catch-all mailbox reaches whom it was sent to, and nobody else, with the
//! settings that the documentation tells for each server (`tests/mail/delivered/systems.toml`).
//!
//! The mail is not kept here: the variable `MTA` names a folder with `delivered.tar.zst`, files `SYSTEM-CASE.eml` and,
//! for further copies, `SYSTEM-CASE.2.eml` …, and `cases.json`, which says of each case for whom it was: `{CASE: {want:
//! […]}}`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use crate::support::corpus;
use bytes::Bytes;
use dropkeep::{
    config::Config,
    identify::{Identified, Rules},
    route::{Directory, Routing, preview},
};
use figment::{
    Figment,
    providers::{Format, Toml},
};
use serde::Deserialize;

const SYSTEMS: &str = include_str!("delivered/systems.toml");
const CATCHALL: &str = "@catchall";
const USERS: &str = r#"
    [[user]]
    name = "ann"
    addresses = ["ann@corp.test"]
    [[user]]
    name = "bob"
    addresses = ["bob@corp.test"]
    [[user]]
    name = "joerg"
    addresses = ["jörg@corp.test"]
    [[user]]
    name = "ab"
    addresses = ["\"a b\"@corp.test"]
    [[user]]
    name = "adotb"
    addresses = ["a..b@corp.test"]
"#;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Systems {
    system: BTreeMap<String, System>,
    unknowable: Vec<Unknowable>,
}

impl Systems {
    fn read() -> Self {
        let systems: Self = Figment::new().merge(Toml::string(SYSTEMS)).extract().unwrap();
        assert!(systems.system.values().all(|system| !system.what.is_empty()));
        systems
    }

    /// Whom nobody can know, by system and case.
    fn unknowable(&self) -> BTreeMap<(String, String), BTreeSet<String>> {
        let mut all = BTreeMap::new();
        for Unknowable {
            systems,
            cases,
            people,
            why,
        } in &self.unknowable
        {
            assert!(!why.is_empty());
            for (system, case) in systems
                .iter()
                .flat_map(|system| cases.iter().map(move |case| (system, case)))
            {
                let before = all.insert((system.clone(), case.clone()), people.clone());
                assert_eq!(before, None, "{system}-{case} stands there twice");
            }
        }
        all
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct System {
    what: String,
    recipients: String,
    /// Domain aliases.
    #[serde(default)]
    aliases: String,
}

/// People of whom nothing in the mail says that it is for them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unknowable {
    systems: Vec<String>,
    cases: Vec<String>,
    people: BTreeSet<String>,
    why: String,
}

#[derive(Deserialize)]
struct Case {
    want: BTreeSet<String>,
}

impl System {
    fn config(&self) -> Config {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("dropkeep.toml");
        let Self {
            recipients, aliases, ..
        } = self;
        let text = format!(
            "[domain_aliases]\n{aliases}\n{USERS}\n[[profile]]\nname = \"company\"\n[profile.server]\naccess = \"imap\"\n\
             host = \"localhost\"\nusername = \"all@corp.test\"\npassword = \"x\"\n[profile.recipients]\nsenders = false\n\
             local_domains = [\"corp.test\"]\n{recipients}\n"
        );
        fs::write(&file, &text).unwrap();
        Config::load(&file).unwrap_or_else(|error| panic!("{error} in\n{text}"))
    }
}

/// For whom a message is, and whether it is a journal report that is believed.
fn decide(config: &Config, message: Vec<u8>) -> (BTreeSet<String>, &'static str) {
    let profile = &config.profile[0];
    let rules = Rules::new(&profile.recipients, &profile.server.username);
    let identified = Identified::new(Bytes::from(message), None, &rules);
    let routing = Routing::new(&profile.recipients);
    let previewed = preview(&Directory::of_config(config), &routing, &identified.found, &[]);
    let users = previewed.users.into_iter().map(|user| user.user).collect();
    (users, identified.journal.reported().as_str())
}

/// The messages, by system and case.
fn delivered(folder: &Path) -> BTreeMap<(String, String), Vec<Vec<u8>>> {
    let mut delivered: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (name, message) in corpus::all_in(folder) {
        let name = name.rsplit('/').next().unwrap_or_default();
        let (system, rest) = name
            .split_once('-')
            .unwrap_or_else(|| panic!("{name} is not SYSTEM-CASE.eml"));
        let case = rest.split('.').next().unwrap_or_default();
        delivered
            .entry((system.to_owned(), case.to_owned()))
            .or_default()
            .push(message);
    }
    delivered
}

/// A test is told where the mail is by the variable; without it there is nothing to be tried.
fn folder(what: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("MTA").filter(|folder| !folder.is_empty());
    if folder.is_none() {
        corpus::skipped(what, "the variable MTA does not name a folder of delivered mail");
    }
    folder.map(PathBuf::from)
}

#[test]
fn each_reaches_whom_it_was_sent_to_and_nobody_else() {
    let Some(folder) = folder("delivered mail") else { return };
    let cases: BTreeMap<String, Case> = serde_json::from_slice(&fs::read(folder.join("cases.json")).unwrap()).unwrap();
    let systems = Systems::read();
    let mut unknowable = systems.unknowable();
    let (mut wrong, mut seen, not_all) = (Vec::new(), 0, unknowable.len());
    for ((name, case), messages) in delivered(&folder) {
        if is_forged_report(&name) {
            continue;
        }
        let system = systems
            .system
            .get(&name)
            .unwrap_or_else(|| panic!("{name} is no system of the table"));
        let want = match cases.get(&case) {
            Some(case) => case.want.clone(),
            // A list's post, for its members.
            None if case == "list" => ["ann", "bob"].map(String::from).into(),
            None => panic!("{case} is no case"),
        };
        seen += messages.len();
        let config = system.config();
        let mut got = BTreeSet::new();
        messages
            .into_iter()
            .for_each(|message| got.extend(decide(&config, message).0));
        let absent: BTreeSet<_> = want.difference(&got).cloned().collect();
        if absent != unknowable.remove(&(name.clone(), case.clone())).unwrap_or_default() {
            wrong.push(format!("{name}-{case}: {absent:?} lack it; it went to {got:?}"));
        }
        // A copy for somebody whom nobody knows is for @catchall.
        got.remove(CATCHALL);
        let others: Vec<_> = got.difference(&want).collect();
        if !others.is_empty() {
            wrong.push(format!("{name}-{case}: {others:?} must not have it"));
        }
    }
    assert!(wrong.is_empty(), "{} of {seen}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(unknowable.is_empty(), "not there: {:?}", unknowable.keys());
    println!("{seen} messages: nobody has what is for others; of {not_all} cases not all can be known");
}

fn is_forged_report(system: &str) -> bool {
    system.starts_with("j_") || system.starts_with("p_")
}

#[test]
fn a_report_that_a_stranger_forged_is_never_believed() {
    let Some(folder) = folder("forged reports") else { return };
    let system = System {
        what: String::new(),
        recipients: "journal = \"from\"\njournal_from = [\"ex.trusted.test\", \"*.trusted.test\", \"192.0.2.0/24\"]"
            .into(),
        aliases: String::new(),
    };
    let config = system.config();
    let mut believed = Vec::new();
    let mut seen = 0;
    for ((name, case), messages) in delivered(&folder) {
        if !is_forged_report(&name) {
            continue;
        }
        for message in messages {
            seen += 1;
            let (users, reported) = decide(&config, message);
            if reported == "report" {
                believed.push(format!("{name}-{case}: for {users:?}"));
            }
        }
    }
    assert!(
        believed.is_empty(),
        "{} of {seen}:\n{}",
        believed.len(),
        believed.join("\n")
    );
}
