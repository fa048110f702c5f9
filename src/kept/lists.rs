//! Lists that are kept in the catalog, beside those of the configuration file.

use std::collections::{BTreeMap, HashSet};

use crate::{
    api::{Code, Failure, Wrong},
    archive::{Store, StoreError},
    config::{Config, List, Origin, nearest},
    message::Address,
};

/// Lists that are kept at most, and users of one.
const MOST: usize = 1000;
const MOST_USERS: usize = 1000;

/// The lists, by their addresses.
pub type Lists = BTreeMap<Address, Vec<String>>;

/// Makes the lists of `config` those of its file and those that `store` keeps. An address that the file gives to a list
/// or to a user, or that is a user's for whatever reason, is no list's here.
pub fn merge(config: &mut Config, store: &Store) -> Result<(), StoreError> {
    config.list.retain(|list| list.origin == Origin::File);
    let kept = store.kept_lists()?;
    if kept.is_empty() {
        return Ok(());
    }
    let mut taken = addresses_of_users(config, store)?;
    taken.extend(
        config
            .list
            .iter()
            .filter_map(|list| Address::parse_strict(&list.address)),
    );
    for (address, users) in kept {
        if taken.contains(&address) {
            tracing::warn!(%address, "a list that is kept in the catalog is not in force: its address is a user's or a list's of the configuration");
            continue;
        }
        config.list.push(List {
            address: address.to_string(),
            users,
            origin: Origin::Catalog,
        });
    }
    Ok(())
}

fn addresses_of_users(config: &Config, store: &Store) -> Result<HashSet<Address>, StoreError> {
    let configured = config.users().filter(|user| !user.disabled);
    let configured = configured.flat_map(|user| user.addresses.iter().filter_map(|one| Address::parse_strict(one)));
    let stored = store.users()?.into_iter().filter(|(_, user, _)| !user.retired);
    Ok(configured
        .chain(stored.flat_map(|(_, user, _)| user.addresses))
        .collect())
}

/// The lists with this one, in place of the one before; without it, where it has no users.
///
/// # Errors
/// It cannot be so.
pub fn changed(config: &Config, store: &Store, address: Address, users: &[String]) -> Result<Lists, Failure> {
    let mut lists = store.kept_lists()?;
    if users.is_empty() {
        return match lists.remove(&address) {
            Some(_) => Ok(lists),
            None => Err(Failure::unknown(format!(
                "no list with the address {address} is kept in the catalog"
            ))),
        };
    }
    let in_file =
        |list: &&List| list.origin == Origin::File && Address::parse_strict(&list.address).as_ref() == Some(&address);
    if config.list.iter().any(|list| in_file(&list)) {
        let error = format!("{address} is the address of a [[list]] in the configuration; change it there");
        return Err(Failure::conflict(error).for_that(Wrong::new(Code::AddressOfList, &[&address])));
    }
    let known = store.users()?;
    let active: Vec<_> = known
        .iter()
        .filter(|(_, user, _)| !user.retired)
        .map(|(_, user, _)| user)
        .collect();
    if let Some(owner) = active.iter().find(|user| user.addresses.contains(&address)) {
        let error = format!(
            "{address} is an address of {:?}; a list needs an address of its own",
            owner.name
        );
        return Err(Failure::conflict(error).for_that(Wrong::new(Code::AddressTaken, &[&address, &owner.name])));
    }
    let mut names = Vec::new();
    for name in users {
        let names_of_all = || active.iter().map(|user| user.name.as_str());
        if !names_of_all().any(|known| known == name) {
            let near = nearest(name, names_of_all());
            let hint = near
                .as_ref()
                .map(|near| format!("; did you mean {near:?}?"))
                .unwrap_or_default();
            let about: Vec<&dyn ToString> = [name as &dyn ToString]
                .into_iter()
                .chain(near.as_ref().map(|near| near as _))
                .collect();
            let error = format!("no user is named {name:?}{hint}");
            return Err(Failure::unknown(error).for_that(Wrong::new(Code::NoUser, &about)));
        }
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    let is_new = !lists.contains_key(&address);
    if names.len() > MOST_USERS || is_new && lists.len() >= MOST {
        return Err(Failure::usage(format!(
            "there can be {MOST} lists, with {MOST_USERS} users each"
        )));
    }
    lists.insert(address, names);
    Ok(lists)
}

/// The lists with another name of a user; `None` where none of them names that one.
pub fn renamed(store: &Store, name: &str, to: &str) -> Result<Option<Lists>, StoreError> {
    let mut lists = store.kept_lists()?;
    let mut is_other = false;
    for users in lists.values_mut() {
        for user in users.iter_mut().filter(|user| *user == name) {
            to.clone_into(user);
            is_other = true;
        }
    }
    Ok(is_other.then_some(lists))
}
