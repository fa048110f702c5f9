//! The decision for whom a message is, given the addresses found in it. Pure.

use super::Directory;
use crate::{
    archive::{CATCHALL_ID, UserId, Why},
    config::{self, Unknown},
    identify::Found,
    message::Address,
};

/// What of a profile's recipients rules the router needs.
#[derive(Clone, Debug)]
pub struct Routing {
    pub unknown: Unknown,
    pub plus_addressing: bool,
    local_domains: Vec<String>,
    pub create_limit: u32,
}

impl Routing {
    pub fn new(recipients: &config::Recipients) -> Self {
        let ascii = |domain: &String| idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_lowercase());
        Self {
            unknown: recipients.unknown.clone(),
            plus_addressing: recipients.plus_addressing,
            local_domains: recipients.local_domains.iter().map(ascii).collect(),
            create_limit: recipients.create_limit,
        }
    }

    fn is_local(&self, address: &Address) -> bool {
        self.local_domains.iter().any(|domain| domain == address.domain())
    }
}

/// For whom a message is.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Decision {
    /// Each user once, with the first field that named them.
    pub users: Vec<(UserId, Why)>,
    /// Addresses of ours that no user has.
    pub local_unknown: Vec<(Address, Why)>,
    /// No address was known.
    pub unknown: bool,
}

/// Decides by `directory` alone; users to be created are in `local_unknown`.
pub fn decide(directory: &Directory, routing: &Routing, found: &Found) -> Decision {
    let mut decision = Decision::default();
    for named in found.recipients.iter().chain(&found.senders) {
        let why = || Why::field(&named.field);
        match directory.look_up(&named.address, routing.plus_addressing) {
            Some(user) if decision.users.iter().all(|(known, _)| *known != user) => decision.users.push((user, why())),
            Some(_) => {}
            None if routing.is_local(&named.address) => {
                let address = named.address.without_tag().filter(|_| routing.plus_addressing);
                let address = address.unwrap_or_else(|| named.address.clone());
                if decision.local_unknown.iter().all(|(known, _)| *known != address) {
                    decision.local_unknown.push((address, why()));
                }
            }
            None => {}
        }
    }
    decision.unknown = decision.users.is_empty();
    decision
}

/// Who gets a message that nobody known is named in; `None` where it is left alone.
pub fn unknown_goes_to(directory: &Directory, routing: &Routing) -> Option<UserId> {
    match &routing.unknown {
        Unknown::Catchall | Unknown::Create => Some(CATCHALL_ID),
        // The configuration was checked to name a user; one who is retired gets nothing.
        Unknown::User(name) => Some(directory.by_name(name).unwrap_or(CATCHALL_ID)),
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
}
