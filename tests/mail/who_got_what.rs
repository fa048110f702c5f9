//! Who got what: for every message and user, as an independent reading of the same mailbox says
//! (`who_got_what.py`, on Python's email package).

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use crate::support::{
    appliance::{Appliance, PROFILE, Profile, text},
    corpus,
    dovecot::{Dovecot, MAILBOX},
    generator::{Mailbox, Person, Settings, company, user_tables},
    pull, python,
};
use serde_json::{Value, json};

/// Messages of the corpus (the first digits of their SHA-256) that Python reads otherwise, and why
/// the program is right.
const PYTHON_ERRS: [(&str, &str); 0] = [];

#[test]
fn of_the_generated_mailbox() {
    let messages = Mailbox::new(Settings::messages(3_000)).collect();
    compare(messages, &company(), "auto", "imap");
}

#[test]
fn of_the_generated_mailbox_by_its_headers_alone() {
    let messages = Mailbox::new(Settings::messages(1_500)).collect();
    compare(messages, &company(), "headers", "imap");
}

#[test]
fn of_the_generated_mailbox_over_pop3() {
    let messages = Mailbox::new(Settings {
        seed: 3,
        ..Settings::messages(1_500)
    })
    .collect();
    compare(messages, &company(), "auto", "pop3");
}

#[test]
fn of_real_mail() {
    if let Some(messages) = corpus::messages("who got what") {
        let people = people_of(&messages);
        compare(messages.clone(), &people, "auto", "imap");
        compare(messages, &people, "headers", "imap");
    }
}

/// Archives the messages and holds each user's list against the other reading.
fn compare(messages: Vec<Vec<u8>>, people: &[Person], steps: &str, access: &str) {
    let server = Dovecot::with(&messages);
    let sent = pull::messages(&server, access);
    let expected = read_with_python(&sent, people, steps);

    let mut profile = Profile::new(&server, access);
    profile.recipients += &format!("use = \"{steps}\"\n");
    let appliance = Appliance::new(env!("CARGO_BIN_EXE_dropkeep"), &(user_tables(people) + &profile.toml()));
    appliance.done(&["archive", PROFILE, "--json"]);

    let mut got: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (user, list) in appliance.lists() {
        for line in list {
            let inserted = got.entry(text(&line, "sha256")).or_default().insert(user.clone());
            assert!(inserted, "{user} has {} twice", text(&line, "sha256"));
        }
    }
    let differences = differences(&expected, &got);
    assert!(
        differences.is_empty(),
        "{} differences from the reading by Python ({} messages, use = {steps}):\n{}",
        differences.len(),
        expected.len(),
        differences[..differences.len().min(25)].join("\n")
    );
    println!("{} messages, use = {steps}: no difference", expected.len());
}

/// Compares by identity: of the copies of one message that a user is due, exactly one is filed for
/// them, and it is one of those that name them.
fn differences(expected: &[Value], got: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut due: BTreeMap<(&str, &str), Vec<&Value>> = BTreeMap::new();
    let mut filed: BTreeMap<(&str, &str), Vec<&Value>> = BTreeMap::new();
    let mut known = BTreeSet::new();
    for message in expected {
        let digest = message["sha256"].as_str().expect("a digest");
        let identity = message["identity"].as_str().expect("an identity");
        known.insert(digest);
        for user in message["users"].as_array().expect("users") {
            due.entry((user.as_str().expect("a name"), identity))
                .or_default()
                .push(message);
        }
        for user in got.get(digest).into_iter().flatten() {
            filed.entry((user, identity)).or_default().push(message);
        }
    }
    let mut found: Vec<String> = got
        .keys()
        .filter(|digest| !known.contains(digest.as_str()))
        .map(|digest| format!("{digest} was never sent"))
        .collect();
    for ((user, _), messages) in &due {
        let excused = |message: &&&Value| {
            PYTHON_ERRS
                .iter()
                .any(|(digits, _)| text(message, "sha256").starts_with(digits))
        };
        if !filed.contains_key(&(*user, text(messages[0], "identity").as_str()))
            && !messages.iter().any(|message| excused(&message))
        {
            found.push(format!("{user} lacks {}", messages[0]));
        }
    }
    for ((user, identity), messages) in &filed {
        if messages.len() > 1 {
            found.push(format!("{user} has {} copies of {}", messages.len(), messages[0]));
        }
        let excused = PYTHON_ERRS
            .iter()
            .any(|(digits, _)| text(messages[0], "sha256").starts_with(digits));
        let due = due
            .get(&(*user, *identity))
            .is_some_and(|due| due.iter().any(|message| message["sha256"] == messages[0]["sha256"]));
        if !due && !excused {
            found.push(format!("{user} has, and is not due, {}", messages[0]));
        }
    }
    found
}

fn read_with_python(messages: &[Vec<u8>], people: &[Person], steps: &str) -> Vec<Value> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (mailbox, settings) = (folder.path().join("mailbox"), folder.path().join("settings.json"));
    let framed: Vec<u8> = messages
        .iter()
        .flat_map(|message| [format!("{}\n", message.len()).as_bytes(), message].concat())
        .collect();
    fs::write(&mailbox, framed).expect("the mailbox");
    let users: Vec<Value> = people
        .iter()
        .map(|person| json!({ "name": person.name, "addresses": person.addresses }))
        .collect();
    let value = json!({ "use": steps, "own_addresses": [MAILBOX], "users": users });
    fs::write(&settings, value.to_string()).expect("the settings");
    python::lines("who_got_what.py", [&mailbox, &settings])
}

/// The 200 addresses that occur most often in a mailbox, each a user; a tenth of them share a user.
fn people_of(messages: &[Vec<u8>]) -> Vec<Person> {
    let read = ["headers", "auto"].map(|steps| read_with_python(messages, &[], steps));
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for message in read.iter().flatten() {
        for field in ["recipients", "senders"] {
            for address in message[field].as_array().into_iter().flatten() {
                *counts
                    .entry(address.as_str().expect("an address").to_owned())
                    .or_default() += 1;
            }
        }
    }
    let plain =
        |address: &String| address.is_ascii() && !address.contains(['"', '\\', '+']) && !address.starts_with('@');
    let mut addresses: Vec<_> = counts.into_iter().filter(|(address, _)| plain(address)).collect();
    addresses.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut people: Vec<Person> = Vec::new();
    for (number, (address, _)) in addresses.into_iter().take(200).enumerate() {
        match people.last_mut() {
            Some(last) if number % 10 == 9 => last.addresses.push(address),
            _ => people.push(Person {
                name: format!("user-{number}"),
                display: String::new(),
                addresses: vec![address],
            }),
        }
    }
    people
}
