//! What rules make of the newest messages: for whom a few of them would be, and whom nobody knows. Pure.

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;

use super::tally::{Tally, UnknownAddress, by_header};
use crate::{
    config,
    identify::{Header, Rules, addresses, date_of},
    message::Address,
    route::{Directory, Previewed, Routing, preview},
};

/// Messages that are told, and unknown addresses.
const MESSAGES: usize = 3;
const UNKNOWN: usize = 100;

/// What rules make of the newest messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tried {
    /// The newest of those that are for different users or by different fields, then the newest of all. Without their
    /// subjects: whoever sets a profile up may read no mail.
    pub messages: Vec<Example>,
    /// Addresses that nobody has, most frequent first.
    pub unknown_addresses: Vec<UnknownAddress>,
}

/// For whom a message would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    /// The sender, where one can be read.
    pub from: Option<Address>,
    pub date: Option<Timestamp>,
    pub users: Vec<ExampleUser>,
    /// No address is known.
    pub unknown: bool,
    /// Recipients whom nobody has.
    pub unknown_addresses: Vec<Address>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExampleUser {
    pub user: String,
    /// The address that leads there; none where none is known.
    pub address: Option<Address>,
    pub field: String,
    pub rule: &'static str,
}

impl Tried {
    /// Tries rules on the headers of messages, the newest of which comes last.
    pub fn new(recipients: &config::Recipients, username: &str, directory: &Directory, headers: &[Bytes]) -> Self {
        let rules = Rules::new(recipients, username);
        let routing = Routing::new(recipients);
        let mut tally = Tally::new(directory.clone(), recipients, username);
        let mut all = Vec::new();
        for bytes in headers.iter().rev() {
            let header = Header::scan(bytes);
            // For whom a report is, its body says.
            let Some((found, reported)) = by_header(&rules, &header) else {
                continue;
            };
            let found = tally.looked_through(found, &rules, bytes);
            tally.copy(&found, reported, bytes);
            all.push(Example::new(&header, preview(directory, &routing, &found, &[])));
        }
        let mut unknown_addresses = tally.unknown_addresses().0;
        unknown_addresses.truncate(UNKNOWN);
        Self {
            messages: differing(all),
            unknown_addresses,
        }
    }
}

/// Some of which each shows something else, as far as there are such.
fn differing(all: Vec<Example>) -> Vec<Example> {
    let mut told: Vec<Example> = Vec::new();
    let mut others = Vec::new();
    for one in all {
        let is_new = told.iter().all(|known| known.reasons() != one.reasons());
        match is_new && told.len() < MESSAGES {
            true => told.push(one),
            false if others.len() < MESSAGES => others.push(one),
            false => {}
        }
    }
    told.extend(others);
    told.truncate(MESSAGES);
    told
}

impl Example {
    fn new(header: &Header, previewed: Previewed) -> Self {
        let users = previewed.users.into_iter().map(|user| ExampleUser {
            user: user.user,
            address: user.address,
            field: user.field,
            rule: user.rule.as_str(),
        });
        Self {
            from: header
                .all("From")
                .find_map(|field| addresses(field.value).into_iter().next()),
            date: date_of(header).and_then(|seconds| Timestamp::from_second(seconds).ok()),
            users: users.collect(),
            unknown: previewed.unknown,
            unknown_addresses: match previewed.unknown {
                true => previewed.unresolved,
                false => previewed.unknown_addresses,
            },
        }
    }

    /// For whom it is and by which fields.
    fn reasons(&self) -> (bool, Vec<(&str, &str)>) {
        let users = self.users.iter();
        let mut reasons: Vec<_> = users.map(|user| (user.user.as_str(), user.field.as_str())).collect();
        reasons.sort_unstable();
        (self.unknown, reasons)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Recipients, User};

    #[test]
    fn messages_are_told_that_show_different_things_the_newest_first() {
        let config = Config {
            user: ["jane", "bob"]
                .map(|name| User {
                    name: name.into(),
                    addresses: vec![format!("{name}@example.com")],
                    disabled: false,
                })
                .into(),
            ..Config::default()
        };
        let directory = Directory::of_config(&config);
        let mail = |number: u32, to: &str| {
            Bytes::from(format!(
                "From: a{number}@example.org\nTo: {to}@example.com\nSubject: secret\n\
                 Date: Mon, 1 Jan 2024 10:00:{number:02} +0000\n\n"
            ))
        };
        let mut headers: Vec<_> = [mail(0, "bob"), mail(1, "stranger")].into();
        headers.extend((2..40).map(|number| mail(number, "jane")));
        let recipients = Recipients {
            local_domains: vec!["example.com".into()],
            senders: false,
            ..Recipients::default()
        };
        let tried = Tried::new(&recipients, "all", &directory, &headers);
        let told: Vec<_> = tried
            .messages
            .iter()
            .map(|one| one.from.as_ref().unwrap().as_str())
            .collect();
        assert_eq!(told, ["a39@example.org", "a1@example.org", "a0@example.org"]);
        let [jane, nobody, bob] = &tried.messages[..] else {
            panic!("three")
        };
        assert_eq!(jane.date.unwrap().to_string(), "2024-01-01T10:00:39Z");
        assert_eq!(
            (&*jane.users[0].user, &*jane.users[0].field, jane.users[0].rule),
            ("jane", "To", "exact")
        );
        assert!(nobody.unknown && nobody.users[0].rule == "catchall");
        assert_eq!(nobody.unknown_addresses[0].as_str(), "stranger@example.com");
        assert_eq!(bob.users[0].address.as_ref().unwrap().as_str(), "bob@example.com");
        let unknown: Vec<_> = tried
            .unknown_addresses
            .iter()
            .map(|one| (one.address.as_str(), one.copies, one.local))
            .collect();
        assert_eq!(unknown, [("stranger@example.com", 1, true)]);
        let json = serde_json::to_string(&tried).unwrap();
        assert!(!json.contains("secret"), "{json}");
        // One thing alone: the newest of it.
        let few = Tried::new(&recipients, "all", &directory, &headers[2..]);
        let told: Vec<_> = few
            .messages
            .iter()
            .map(|one| one.from.as_ref().unwrap().as_str())
            .collect();
        assert_eq!(told, ["a39@example.org", "a38@example.org", "a37@example.org"]);
    }
}
