//! The decision for whom a message is, given the addresses found in it. Pure.

use std::collections::HashSet;

use bytes::Bytes;

use super::{Directory, directory::Known, rule::Rule};
use crate::{
    archive::{CATCHALL_ID, Unclaimed, UserId, Why},
    config::{self, Unknown},
    identify::{Found, Named, Role, Rules},
    message::{self, Address, CATCHALL},
};

/// So many addresses of ours that nobody has are looked at in one message; more are somebody's guesses.
const MOST_UNKNOWN: usize = 1000;
/// So many recipients whom nobody has are noted of one message, each no longer than an address can be (RFC 5321,
/// 4.5.3.1).
const MOST_UNRESOLVED: usize = 32;
const LONGEST_ADDRESS: usize = 320;

/// How a filing names why `@catchall` has a journal report, or what it encloses, for whom it is known or not.
const UNREADABLE: &str = "Journal-Unreadable";

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

    /// Whether the address is at a domain of ours.
    pub fn is_local(&self, address: &Address) -> bool {
        self.local_domains.contains(address.domain())
    }
}

/// A user whom a message is for, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assigned {
    pub user: UserId,
    /// The address that led there, as it stands in the message; `None` where none was known.
    pub address: Option<Address>,
    pub why: Why,
    pub rule: Rule,
}

/// An address of ours that leads to nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nobody {
    /// In the form that a user made for it has.
    pub address: Address,
    /// The address as it stands in the message, and its field.
    pub named: Address,
    pub why: Why,
    /// It was somebody's, so nobody is made for it.
    pub retired: bool,
}

/// An address at a domain that is not one of ours, which nobody has or had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stranger {
    pub address: Address,
    pub place: StrangerPlace,
}

/// Where a stranger is named: what a server wrote says more of a domain than what a sender did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StrangerPlace {
    Envelope,
    Addressed,
    Sender,
}

/// The fields in which senders name recipients; other fields that name any are written by servers.
const ADDRESSED: [&str; 6] = ["To", "Cc", "Bcc", "Resent-To", "Resent-Cc", "Resent-Bcc"];

/// For whom a message is.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Decision {
    /// Each user once, with the first address that named them: recipients before senders.
    pub users: Vec<Assigned>,
    /// Addresses of ours that no user has, and those of retired users.
    pub local_unknown: Vec<Nobody>,
    /// Recipients' addresses that nobody has or had, of whatever domain, without tags that do not count; at most a few.
    pub unresolved: Vec<Address>,
    /// Addresses at domains that are not ours, which nobody has or had: recipients and senders, at most a few.
    pub strangers: Vec<Stranger>,
    /// So many of the users are named as recipients; the others are senders.
    pub recipients: usize,
    /// No address was known.
    pub unknown: bool,
}

impl Decision {
    /// Makes it one for a user alone, whatever stands in the message. `by_rules`: if the user were not there, rules
    /// would say whose it is; otherwise whom it names is of no matter, now or later.
    pub fn is_held_by(&mut self, holder: Assigned, by_rules: bool) {
        if !by_rules {
            self.unresolved.clear();
            self.strangers.clear();
        }
        self.unknown = holder.user == CATCHALL_ID;
        self.local_unknown.clear();
        self.recipients = usize::from(!self.unknown);
        self.users = vec![holder];
    }

    /// Adds a user, unless an address led there already.
    pub fn is_also_for(&mut self, holder: Assigned) {
        self.unknown = false;
        if self.users.iter().all(|one| one.user != holder.user) {
            self.users.insert(0, holder);
            self.recipients += 1;
        }
    }
}

/// Decides by `directory` alone; users to be created are in `local_unknown`.
pub fn decide(directory: &Directory, routing: &Routing, found: &Found) -> Decision {
    let mut deciding = Deciding::new(directory, routing);
    for (list, role) in [(&found.recipients, Role::Recipient), (&found.senders, Role::Sender)] {
        for named in list {
            deciding.look_up(named, role);
        }
        if role == Role::Recipient {
            deciding.decision.recipients = deciding.decision.users.len();
        }
    }
    let mut decision = deciding.decision;
    decision.unknown = decision.users.is_empty();
    if found.for_catchall && decision.users.iter().all(|one| one.user != CATCHALL_ID) {
        decision.users.push(Assigned {
            user: CATCHALL_ID,
            address: None,
            why: Why::field(UNREADABLE),
            rule: Rule::Catchall,
        });
    }
    decision
}

/// Finds, among all addresses that count in what was `fetched`, those that decide: each is looked up as it is read, so
/// that it does not matter how many others stand before it. For mail that names more than are kept without a look-up.
pub fn look_through(directory: &Directory, routing: &Routing, rules: &Rules, fetched: &Bytes) -> Found {
    let mut deciding = Deciding::asked(directory, routing);
    rules.look_through(fetched, &mut |named, role| deciding.look_up(named, role))
}

/// A decision that is being made, address by address.
pub struct Deciding<'d> {
    directory: &'d Directory,
    routing: &'d Routing,
    decision: Decision,
    users: HashSet<UserId>,
    unknown: HashSet<Address>,
    /// Whether it is only asked what makes a difference.
    is_asked_only: bool,
}

impl<'d> Deciding<'d> {
    pub fn new(directory: &'d Directory, routing: &'d Routing) -> Self {
        Self {
            directory,
            routing,
            decision: Decision::default(),
            users: HashSet::new(),
            unknown: HashSet::new(),
            is_asked_only: false,
        }
    }

    /// One that says of each address whether it makes a difference, and is of no other use.
    pub fn asked(directory: &'d Directory, routing: &'d Routing) -> Self {
        Self {
            is_asked_only: true,
            ..Self::new(directory, routing)
        }
    }

    /// Looks up one more address; whether that added anything to the decision.
    pub fn look_up(&mut self, named: &Named, role: Role) -> bool {
        let Self {
            directory,
            routing,
            decision,
            users,
            unknown,
            is_asked_only,
        } = self;
        let retired = match directory.look_up(&named.address, routing.plus_addressing) {
            Known::Users(found, rule) => {
                let before = users.len();
                for user in found {
                    if !users.insert(user) || *is_asked_only {
                        continue;
                    }
                    decision.users.push(Assigned {
                        user,
                        address: Some(named.address.clone()),
                        why: Why::field(&named.field),
                        rule,
                    });
                }
                return users.len() > before;
            }
            Known::Retired => true,
            Known::No => false,
        };
        let is_noted = role == Role::Recipient && !retired && has_room(&decision.unresolved);
        let most_unknown = MOST_UNKNOWN.max(routing.create_limit as usize);
        if !is_noted && unknown.len() >= most_unknown {
            return false;
        }
        let untagged = named.address.without_tag().filter(|_| routing.plus_addressing);
        let untagged = untagged.unwrap_or_else(|| named.address.clone());
        let plain = directory.plain(&named.address, routing.plus_addressing);
        let local = routing.is_local(&named.address) || routing.is_local(&plain);
        let is_noted = is_noted && note(&mut decision.unresolved, &untagged);
        let is_stranger = !(retired || local || *is_asked_only) && has_room(&decision.strangers);
        if is_stranger && untagged.as_str().len() <= LONGEST_ADDRESS {
            let is_addressed = ADDRESSED.iter().any(|field| named.field.eq_ignore_ascii_case(field));
            decision.strangers.push(Stranger {
                address: untagged.clone(),
                place: match role {
                    Role::Sender => StrangerPlace::Sender,
                    Role::Recipient if is_addressed => StrangerPlace::Addressed,
                    Role::Recipient => StrangerPlace::Envelope,
                },
            });
        }
        // A retired user's address is listed as that: nobody has to know what it is an alias of.
        let address = if retired { untagged } else { plain };
        if !(retired || local) || unknown.len() >= most_unknown || !unknown.insert(address.clone()) {
            return is_noted;
        }
        decision.local_unknown.push(Nobody {
            address,
            named: named.address.clone(),
            why: Why::field(&named.field),
            retired,
        });
        true
    }
}

/// The recipients' addresses that nobody has or had, as they stand in the message; at most a few.
pub fn unclaimed(directory: &Directory, routing: &Routing, found: &Found) -> Vec<Unclaimed> {
    let nobodys = found.recipients.iter().filter(|named| {
        named.address.as_str().len() <= LONGEST_ADDRESS
            && directory.look_up(&named.address, routing.plus_addressing) == Known::No
    });
    let unclaimed = nobodys.map(|named| Unclaimed {
        address: named.address.clone(),
        field: named.field.clone().into_owned(),
    });
    unclaimed.take(MOST_UNRESOLVED).collect()
}

fn has_room<T>(noted: &[T]) -> bool {
    noted.len() < MOST_UNRESOLVED
}

/// Whether the address is new there.
fn note(unresolved: &mut Vec<Address>, address: &Address) -> bool {
    let is_new = address.as_str().len() <= LONGEST_ADDRESS && !unresolved.contains(address);
    if is_new {
        unresolved.push(address.clone());
    }
    is_new
}

/// Who gets a message that nobody known is named in; `None` where it is left alone.
pub fn unknown_goes_to(directory: &Directory, routing: &Routing) -> Option<Assigned> {
    let (user, rule) = match &routing.unknown {
        Unknown::Catchall | Unknown::Create => (CATCHALL_ID, Rule::Catchall),
        Unknown::User(name) if name == CATCHALL => (CATCHALL_ID, Rule::Catchall),
        // A retired user gets nothing: what would be theirs is for @catchall.
        Unknown::User(name) => {
            let active = |id: &UserId| directory.user(*id).is_some_and(|user| !user.retired);
            match directory.by_name(name).filter(active) {
                Some(user) => (user, Rule::User),
                None => (CATCHALL_ID, Rule::Catchall),
            }
        }
        Unknown::Skip => return None,
    };
    Some(Assigned {
        user,
        address: None,
        why: Why::Unknown,
        rule,
    })
}

#[cfg(test)]
#[path = "decision_tests.rs"]
mod tests;
