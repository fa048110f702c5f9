//! The addresses that count for a message, as they are gathered.
//!
//! A message can name as many addresses as it has bytes, so they are not all kept. Without a directory the first ones
//! are, and whoever finds that there are more asks again with one at hand: then each is looked up as it is read, and
//! those are kept that matter.

use std::{borrow::Cow, collections::HashSet, ops::ControlFlow};

use crate::message::Address;

/// So many different addresses are kept of a message without being looked up, and of their bytes. Mail that people
/// write has fewer.
const MOST: usize = 5_000;
const MOST_BYTES: usize = 1 << 20;
/// So many are compared one by one, which is faster than a set.
const FEW: usize = 16;

/// An address, and the field that named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub address: Address,
    pub field: Cow<'static, str>,
}

/// The addresses that count for a message. Each stands once in either list.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Found {
    pub recipients: Vec<Named>,
    pub senders: Vec<Named>,
    /// How often others are named that are in no list. Where nothing was looked up, any of them may be known.
    pub more: u64,
    /// The message is for others too, whom it names in a way that cannot be read: `@catchall` has it beside whoever is
    /// known.
    pub for_catchall: bool,
    /// The header ends with an envelope field that does not count there, and nothing else of our own server's names
    /// anybody.
    pub ends_with_envelope: bool,
}

/// What somebody is in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    Recipient,
    Sender,
}

/// Says whether an address that counts is to be kept; asked of each as often as it is named.
pub type Wanted<'w> = dyn FnMut(&Named, Role) -> bool + 'w;

/// Which addresses are kept.
pub(super) enum Keep<'k, 'w> {
    /// The first ones.
    First,
    /// Those that somebody wants.
    Wanted(&'k mut Wanted<'w>),
}

/// Gathers addresses.
pub(super) struct Gathering<'k, 'w> {
    keep: Keep<'k, 'w>,
    found: Found,
    /// What the lists have, by their role, once they are no longer short.
    seen: HashSet<(Role, Address)>,
    bytes: usize,
}

impl<'k, 'w> Gathering<'k, 'w> {
    pub fn new(keep: Keep<'k, 'w>) -> Self {
        Self {
            keep,
            found: Found::default(),
            seen: HashSet::new(),
            bytes: 0,
        }
    }

    /// `Break` where it can be no use to go on: there are more than are kept.
    #[allow(clippy::ptr_arg, reason = "most are borrowed, and cloned for nothing")]
    pub fn take(&mut self, role: Role, address: Address, field: &Cow<'static, str>) -> ControlFlow<()> {
        let list = match role {
            Role::Recipient => &mut self.found.recipients,
            Role::Sender => &mut self.found.senders,
        };
        let named = |address| Named {
            address,
            field: field.clone(),
        };
        match &mut self.keep {
            Keep::Wanted(wanted) => {
                let named = named(address);
                match wanted(&named, role) {
                    true => list.push(named),
                    false => self.found.more += 1,
                }
            }
            Keep::First => {
                let known = match list.len() {
                    ..FEW => list.iter().any(|one| one.address == address),
                    FEW => {
                        let first = list.iter().map(|one| (role, one.address.clone()));
                        self.seen.extend(first);
                        !self.seen.insert((role, address.clone()))
                    }
                    _ => !self.seen.insert((role, address.clone())),
                };
                if known {
                    return ControlFlow::Continue(());
                }
                self.bytes += address.as_str().len();
                if list.len() >= MOST || self.bytes > MOST_BYTES {
                    self.found.more += 1;
                    return ControlFlow::Break(());
                }
                list.push(named(address));
            }
        }
        ControlFlow::Continue(())
    }

    /// Notes that the header ends with an envelope field that does not count.
    pub fn ends_with_envelope(&mut self) {
        self.found.ends_with_envelope = true;
    }

    pub fn found(self) -> Found {
        self.found
    }
}
