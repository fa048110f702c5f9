//! The addresses in every To, Cc and From field of real mail are those that Python's email package finds
//! (`addresses.py`), but where that one is known to err.

use std::{collections::BTreeMap, io::Write};

use crate::support::{
    corpus,
    generator::{Mailbox, Settings, many_recipients, strange},
    python,
};
use dropkeep::{
    identify::{Header, addresses},
    message::Address,
};
use serde::Deserialize;

const FIELDS: [&str; 3] = ["to", "cc", "from"];

/// A message of the corpus, a field in it that Python reads otherwise, and why the program is right.
const PYTHON_ERRS: [(&str, &str, &str); 2] = [
    (
        "mime/malformed/019.eml",
        "to",
        "white space before a colon is obsolete syntax that must be read (RFC 5322, 4.5): Python ends the header there",
    ),
    (
        "spamassassin/easy-ham-1-00714.eml",
        "cc",
        "an address with a control character in quotes cannot be delivered to (RFC 5321, 4.1.2): it is a slip of the keyboard",
    ),
];

/// A field that was looked at: its name in lower case, and its addresses as `email.utils` finds them, and as
/// `email.headerregistry` does.
#[derive(Deserialize)]
struct Read(String, Vec<String>, Option<Vec<String>>);

/// Of a message's fields of one name: what the program finds, and what Python does.
struct Difference {
    ours: Vec<Vec<String>>,
    utils: Vec<Vec<String>>,
    registry: Vec<Option<Vec<String>>>,
}

#[test]
fn of_generated_mail() {
    let made = Mailbox::new(Settings::messages(3_000)).chain([many_recipients(3_000)]);
    let made = made
        .enumerate()
        .map(|(number, message)| (format!("generated {number}"), message));
    let broken = strange().into_iter().map(|(what, message)| (what.to_owned(), message));
    compare(made.chain(broken).collect(), &[]);
}

#[test]
fn of_real_mail() {
    if let Some(messages) = corpus::named("addresses") {
        compare(messages, &PYTHON_ERRS);
    }
}

/// Holds what the program finds against what Python finds.
fn compare(messages: Vec<(String, Vec<u8>)>, python_errs: &[(&str, &str, &str)]) {
    let python = read_with_python(&messages);
    assert_eq!(python.len(), messages.len(), "Python reads each message");
    let mut differences = BTreeMap::new();
    let (mut fields, mut found, mut by_registry) = (0, 0, 0);
    for ((name, message), theirs) in messages.iter().zip(&python) {
        for field in FIELDS {
            let theirs = || theirs.iter().filter(|read| read.0 == field);
            let difference = Difference {
                ours: read(message, field),
                utils: theirs().map(|read| read.1.clone()).collect(),
                registry: theirs().map(|read| read.2.clone()).collect(),
            };
            fields += difference.ours.len();
            found += difference.ours.iter().flatten().count();
            if difference.ours == difference.utils {
                continue;
            }
            if difference.registry.iter().flatten().eq(&difference.ours) {
                by_registry += 1;
            } else {
                differences.insert((name.as_str(), field), difference);
            }
        }
    }
    println!(
        "{} messages, {fields} fields, {found} addresses: {} fields differ; {by_registry} more are read so by one of Python's \
         two readers only",
        messages.len(),
        differences.len()
    );
    let mut wrong = Vec::new();
    for (name, field, why) in python_errs {
        let there = messages.iter().any(|(other, _)| other == name);
        if differences.remove(&(*name, *field)).is_none() && there {
            wrong.push(format!("{name}, {field}: differs no more, though {why}"));
        }
    }
    wrong.extend(differences.iter().map(|((name, field), difference)| {
        let Difference { ours, utils, registry } = difference;
        format!("{name}, {field}:\n  ours     {ours:?}\n  utils    {utils:?}\n  registry {registry:?}")
    }));
    assert!(
        wrong.is_empty(),
        "{} differences from the reading by Python:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// The addresses in the message's fields of this name.
fn read(message: &[u8], name: &str) -> Vec<Vec<String>> {
    let header = Header::scan(message);
    let fields = header.all(name);
    fields
        .map(|field| addresses(field.value).iter().map(Address::to_string).collect())
        .collect()
}

fn read_with_python(messages: &[(String, Vec<u8>)]) -> Vec<Vec<Read>> {
    let mut mailbox = tempfile::NamedTempFile::new().expect("a temporary file");
    for (_, message) in messages {
        let framed = [format!("{}\n", message.len()).as_bytes(), message].concat();
        mailbox.write_all(&framed).expect("the mailbox");
    }
    mailbox.flush().expect("the mailbox");
    python::lines("addresses.py", [mailbox.path()])
}
