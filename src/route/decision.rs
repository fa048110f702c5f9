//! The decision for whom a message is, given the addresses found in it. Pure.

use std::collections::HashSet;

use super::{Directory, directory::Known};
use crate::{
    archive::{CATCHALL_ID, UserId, Why},
    config::{self, Unknown},
    identify::Found,
    message::{self, Address},
};

/// So many addresses of ours that nobody has are looked at in one message; more are somebody's guesses.
const MOST_UNKNOWN: usize = 1000;

/// What of a profile's recipients rules the router needs.
#[derive(Clone, Debug)]
pub struct Routing {
    pub unknown: Unknown,
    pub plus_addressing: bool,
    local_domains: HashSet<String>,
    pub create_limit: u32,
}

impl Routing {
    pub fn new(recipients: &config::Recipients) -> Self {
        Self {
            unknown: recipients.unknown.clone(),
            plus_addressing: recipients.plus_addressing,
            local_domains: recipients
                .local_domains
                .iter()
                .map(|domain| message::domain(domain))
                .collect(),
            create_limit: recipients.create_limit,
        }
    }

    fn is_local(&self, address: &Address) -> bool {
        self.local_domains.contains(address.domain())
    }
}

/// For whom a message is.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Decision {
    /// Each user once, with the first field that named them.
    pub users: Vec<(UserId, Why)>,
    /// Addresses of ours that no user has, and those of retired users.
    pub local_unknown: Vec<(Address, Why)>,
    /// No address was known.
    pub unknown: bool,
}

/// Decides by `directory` alone; users to be created are in `local_unknown`.
pub fn decide(directory: &Directory, routing: &Routing, found: &Found) -> Decision {
    let mut decision = Decision::default();
    let (mut users, mut unknown) = (HashSet::new(), HashSet::new());
    for named in found.recipients.iter().chain(&found.senders) {
        let why = || Why::field(&named.field);
        let known = directory.look_up(&named.address, routing.plus_addressing);
        if let Known::User(user) = known {
            if users.insert(user) {
                decision.users.push((user, why()));
            }
        } else if known == Known::Retired || routing.is_local(&named.address) {
            let plain = named.address.without_tag().filter(|_| routing.plus_addressing);
            let address = plain.unwrap_or_else(|| named.address.clone());
            if unknown.len() < MOST_UNKNOWN && unknown.insert(address.clone()) {
                decision.local_unknown.push((address, why()));
            }
        }
    }
    decision.unknown = decision.users.is_empty();
    decision
}

/// Who gets a message that nobody known is named in; `None` where it is left alone.
pub fn unknown_goes_to(directory: &Directory, routing: &Routing) -> Option<UserId> {
    match &routing.unknown {
        Unknown::Catchall | Unknown::Create => Some(CATCHALL_ID),
        // A retired user gets nothing: what would be theirs is for @catchall.
        Unknown::User(name) => {
            let active = |id: &UserId| directory.user(*id).is_some_and(|user| !user.retired);
            Some(directory.by_name(name).filter(active).unwrap_or(CATCHALL_ID))
        }
        Unknown::Skip => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{archive::User, identify::Named};

    fn named(address: &str, field: &'static str) -> Named {
        Named {
            address: Address::parse(address).unwrap(),
            field: field.into(),
        }
    }

    #[test]
    fn each_known_user_is_named_once_and_ours_are_told_from_others() {
        let jane = User {
            name: "jane".into(),
            addresses: vec![
                Address::parse("jane@example.com").unwrap(),
                Address::parse("j@example.com").unwrap(),
            ],
            managed: true,
            retired: false,
        };
        let directory = Directory::new([(1, jane)]);
        let recipients = config::Recipients {
            local_domains: vec!["Example.com".into()],
            ..Default::default()
        };
        let routing = Routing::new(&recipients);
        let found = Found {
            recipients: vec![
                named("j@example.com", "To"),
                named("jane@example.com", "Cc"),
                named("bob+x@example.com", "Cc"),
                named("eve@example.org", "Cc"),
            ],
            senders: vec![named("jane@example.com", "From")],
        };
        let decision = decide(&directory, &routing, &found);
        assert_eq!(decision.users, [(1, Why::To)]);
        assert_eq!(
            decision.local_unknown,
            [(Address::parse("bob@example.com").unwrap(), Why::Cc)]
        );
        assert!(!decision.unknown);
        assert!(super::decide(&directory, &routing, &Found::default()).unknown);
    }

    fn user(name: &str, address: &str, retired: bool) -> User {
        User {
            name: name.into(),
            addresses: vec![Address::parse(address).unwrap()],
            managed: false,
            retired,
        }
    }

    fn routing(unknown: Unknown) -> Routing {
        Routing::new(&config::Recipients {
            local_domains: vec![" Example.com. ".into()],
            unknown,
            ..Default::default()
        })
    }

    #[test]
    fn a_retired_users_address_was_an_address_of_nobody() {
        let directory = Directory::new([(1, user("old", "old@example.org", true))]);
        let found = Found {
            recipients: vec![named("old+x@example.org", "To")],
            senders: Vec::new(),
        };
        let decision = decide(&directory, &routing(Unknown::Create), &found);
        assert!(decision.unknown && decision.users.is_empty());
        let listed = [(Address::parse("old@example.org").unwrap(), Why::To)];
        assert_eq!(
            decision.local_unknown, listed,
            "though its domain is none of the local ones"
        );
    }

    #[test]
    fn a_retired_user_got_what_was_for_nobody() {
        let directory = |retired| Directory::new([(1, user("bob", "bob@example.com", retired))]);
        let routing = routing(Unknown::User("bob".into()));
        assert_eq!(unknown_goes_to(&directory(false), &routing), Some(1));
        assert_eq!(unknown_goes_to(&directory(true), &routing), Some(CATCHALL_ID));
    }

    #[test]
    fn a_message_to_many_invented_addresses_took_seconds() {
        let invented = (0..200_000).map(|n| named(&format!("u{n}@example.com"), "To"));
        let found = Found {
            recipients: invented.collect(),
            senders: Vec::new(),
        };
        let started = std::time::Instant::now();
        let decision = decide(&Directory::default(), &routing(Unknown::Catchall), &found);
        assert_eq!(decision.local_unknown.len(), MOST_UNKNOWN);
        assert!(started.elapsed().as_secs() < 2, "{:?}", started.elapsed());
    }
}
