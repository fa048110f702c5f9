//! What a reroute that only counts supposes to have done, so that it comes to the numbers of one that files.

use std::collections::{HashMap, HashSet};

use roaring::RoaringTreemap;

use super::{
    book::Ruled,
    judged::{Judged, put_all},
};
use crate::{
    archive::{IdentityNumber, Store, StoreError},
    config::Unknown,
    message::Address,
    route::{Directory, Known, Previewed, Rule},
};

/// A few bits for each message that is stored in several forms, and the names of as many users as one run may make.
#[derive(Default)]
pub(super) struct Supposed {
    /// The identities that a user would have by now, of those that are stored in several forms.
    given: HashMap<String, RoaringTreemap>,
    /// Users who would be made by now.
    made: HashSet<String>,
}

impl Supposed {
    /// Leaves users out who would not be made any more, as `create_limit` is reached.
    pub fn make(&mut self, directory: &Directory, ruled: &Ruled, previewed: &mut Previewed, judged: &mut Judged) {
        if !matches!(ruled.routing.unknown, Unknown::Create) {
            return;
        }
        let limit = ruled.create_limit;
        let mut over: Vec<Address> = Vec::new();
        // More than one message may make are unknown there.
        let plus = ruled.routing.plus_addressing;
        let unmade = previewed
            .unknown_addresses
            .iter()
            .filter(|address| directory.look_up(address, plus) == Known::No && directory.newcomer(address).is_some());
        over.extend(unmade.cloned());
        let made = &mut self.made;
        previewed.users.retain(|user| {
            if user.rule != Rule::Create || made.contains(&user.user) {
                return true;
            }
            if made.len() < limit as usize {
                made.insert(user.user.clone());
                judged.created.push(user.user.clone());
                return true;
            }
            over.extend(Address::parse(&user.user).or_else(|| user.address.clone()));
            false
        });
        put_all(&mut previewed.unknown_addresses, over.iter().cloned());
        let over = over.into_iter().map(|address| (address, ruled.profile.clone(), limit));
        judged.over_limit.extend(over);
    }

    /// Takes those who lack a message, and who would have got it in another form by now, for some who have it.
    pub fn give(&mut self, store: &Store, identity: IdentityNumber, judged: &mut Judged) -> Result<(), StoreError> {
        if judged.lacking.is_empty() || !store.has_forms(identity)? {
            return Ok(());
        }
        let given = &mut self.given;
        let lacking = std::mem::take(&mut judged.lacking).into_iter();
        let (lacking, having): (Vec<_>, Vec<_>) =
            lacking.partition(|name| given.entry(name.clone()).or_default().insert(identity.0));
        judged.lacking = lacking;
        put_all(&mut judged.having, having);
        Ok(())
    }
}
