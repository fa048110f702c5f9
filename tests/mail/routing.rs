//! For whom a message is, on mail as many systems deliver it: every case of tests/routing against the decision that
//! was written down for it by hand.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use dropkeep::{
    config::Config,
    identify::{Identified, Journaled, Rules},
    route::{Directory, PreviewedUser, Routing, look_through, preview},
};
use serde::Deserialize;

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Expected {
    about: String,
    profile: String,
    users: Vec<ExpectedUser>,
    unknown: bool,
    unknown_addresses: Vec<String>,
    journal: String,
    same_as: Option<String>,
    differs_from: Option<String>,
}

#[derive(Deserialize, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
struct ExpectedUser {
    user: String,
    address: Option<String>,
    field: String,
    rule: String,
}

fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/routing");
    let entries = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// The names of the cases in a folder; each has a message and an expectation, and nothing lies about besides.
fn cases(folder: &Path) -> BTreeSet<String> {
    let (mut messages, mut expected) = (BTreeSet::new(), BTreeSet::new());
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some(case) = name.strip_suffix(".json") {
            expected.insert(case.to_owned());
        } else if let Some(case) = name.strip_suffix(".inner.eml") {
            assert!(folder.join(format!("{case}.eml")).exists(), "{name} in {folder:?}");
        } else if let Some(case) = name.strip_suffix(".eml") {
            messages.insert(case.to_owned());
        } else {
            assert_eq!(name, "config.toml", "in {folder:?}");
        }
    }
    assert_eq!(messages, expected, "in {folder:?}");
    messages
}

fn with_crlf(bytes: &[u8]) -> Vec<u8> {
    assert!(!bytes.contains(&b'\r'));
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    lines.fold(Vec::new(), |mut all, line| {
        match line.strip_suffix(b"\n") {
            Some(line) => all.extend([line, b"\r\n"].concat()),
            None => all.extend(line),
        }
        all
    })
}

/// What is wrong with one case, in words.
struct Wrong(Vec<String>);

impl Wrong {
    fn compare<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, found: T, expected: T) {
        if found != expected {
            self.0.push(format!("{what}: {found:?}, expected {expected:?}"));
        }
    }
}

/// Decides one case; gives the identity of what is archived.
fn decide(config: &Config, expected: &Expected, message: &[u8], inner: Option<&[u8]>, wrong: &mut Wrong) -> [u8; 32] {
    let profile = config.profile(&expected.profile).unwrap();
    let rules = Rules::new(&profile.recipients, &profile.server.username);
    let fetched = Bytes::copy_from_slice(message);
    let identified = Identified::new(fetched.clone(), None, &rules);
    let routing = Routing::new(&profile.recipients);
    let previewed = preview(&Directory::of_config(config), &routing, &identified.found, &[]);
    let users = previewed.users.into_iter().map(|user| ExpectedUser {
        user: user.user,
        address: user.address.map(|address| address.to_string()),
        field: user.field,
        rule: user.rule.as_str().to_owned(),
    });
    wrong.compare("users", &users.collect::<Vec<_>>(), &expected.users);
    wrong.compare("unknown", previewed.unknown, expected.unknown);
    let unknown: Vec<_> = previewed.unknown_addresses.iter().map(ToString::to_string).collect();
    wrong.compare("unknown_addresses", &unknown, &expected.unknown_addresses);
    let journal = identified.journal.reported().as_str();
    wrong.compare("journal", journal, expected.journal.as_str());
    wrong.compare(
        "encloses a message",
        inner.is_some(),
        matches!(identified.journal, Journaled::Around(_)),
    );
    if identified.bytes != inner.unwrap_or(message) {
        let text = String::from_utf8_lossy(&identified.bytes);
        wrong
            .0
            .push(format!("archived: {} bytes\n{text}", identified.bytes.len()));
    }
    let directory = Directory::of_config(config);
    let looked_through = look_through(&directory, &routing, &rules, &fetched);
    let users = preview(&directory, &routing, &looked_through, &[]).users;
    let of = |users: Vec<PreviewedUser>| {
        users
            .into_iter()
            .map(|user| (user.user, user.address))
            .collect::<Vec<_>>()
    };
    let plain = preview(&directory, &routing, &identified.found, &[]).users;
    wrong.compare("whoever is looked up one by one", of(users), of(plain));
    let survey = rules.overview(&fetched, &mut |_, _| true);
    wrong.compare("what is explained", survey.found, identified.found);
    identified.identity
}

#[test]
fn every_message_reaches_whom_it_is_for() {
    let (mut failed, mut count) = (Vec::new(), 0);
    for folder in folders() {
        let config = Config::load(&folder.join("config.toml")).unwrap();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let mut identities = BTreeMap::new();
        let mut relations = Vec::new();
        let mut profiles = BTreeSet::new();
        for case in cases(&folder) {
            count += 1;
            let json = fs::read_to_string(folder.join(format!("{case}.json"))).unwrap();
            let expected: Expected =
                serde_json::from_str(&json).unwrap_or_else(|error| panic!("{name}/{case}: {error}"));
            assert!(
                !expected.about.is_empty(),
                "{name}/{case} says nothing of what it shows"
            );
            let message = fs::read(folder.join(format!("{case}.eml"))).unwrap();
            let inner = fs::read(folder.join(format!("{case}.inner.eml"))).ok();
            let mut wrong = Wrong(Vec::new());
            let identity = decide(&config, &expected, &message, inner.as_deref(), &mut wrong);
            // What was encoded in base64 has the line ends that it was encoded with.
            let encoded = inner.as_ref().is_some_and(|inner| !contains(&message, inner));
            let other_inner = inner.map(|inner| {
                if encoded && is_base64(&message) {
                    inner
                } else {
                    with_crlf(&inner)
                }
            });
            let other = decide(
                &config,
                &expected,
                &with_crlf(&message),
                other_inner.as_deref(),
                &mut wrong,
            );
            wrong.compare("identity with CRLF", other, identity);
            if !wrong.0.is_empty() {
                wrong.0.dedup();
                failed.push(format!(
                    "{name}/{case}: {}\n    {}",
                    expected.about,
                    wrong.0.join("\n    ")
                ));
            }
            identities.insert(case.clone(), identity);
            relations.extend(expected.same_as.map(|other| (case.clone(), other, true)));
            relations.extend(expected.differs_from.map(|other| (case.clone(), other, false)));
            profiles.insert(expected.profile);
        }
        for (case, other, same) in relations {
            if (identities[&case] == identities[&other]) != same {
                failed.push(format!("{name}/{case}: is {other} the same message? expected {same}"));
            }
        }
        assert_eq!(
            profiles.len(),
            config.profile.len(),
            "a profile of {name} is in no case"
        );
    }
    assert!(
        failed.is_empty(),
        "{} of {count} cases:\n{}",
        failed.len(),
        failed.join("\n")
    );
    assert!(count >= 120, "{count} cases");
}

fn contains(message: &[u8], inner: &[u8]) -> bool {
    inner.is_empty() || message.windows(inner.len()).any(|window| window == inner)
}

fn is_base64(message: &[u8]) -> bool {
    let text = String::from_utf8_lossy(message).to_lowercase();
    text.contains("content-transfer-encoding: base64")
}
